"""The truth outside Rota: what jobs really did, and which processes really died, as lines of plain files."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from msgspec import Struct, json

from rota import current
from rota.model.inspection import LedgerLine

__all__ = ["Death", "Ledger", "append", "read"]

T = TypeVar("T")


class Death(Struct, frozen=True):
    """A process of a role was killed (or stopped for a while, or asked to end) in a phase of its cycle."""

    pid: int
    role: str
    phase: str
    at: float


class Ledger:
    """Append-only files in a folder; a line is one write, so that killed writers leave no half line."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self.file = folder / "ledger.jsonl"
        self._deaths = folder / "deaths.jsonl"

    def write(self, what: str, job: str = "", token: int = 0, **more: dict[str, int]) -> None:
        """Append a line about a job of this process."""
        append(self.file, LedgerLine(what, self._now(), job, token, os.getpid(), **more))  # type: ignore[arg-type]

    @contextmanager
    def attempt(self, limits: dict[str, int] | None = None) -> Iterator[None]:
        """Write the start and the end of the running attempt."""
        attempt = current()
        job, token = str(attempt.job_id), attempt.job.token
        self.write("start", job, token, limits=limits or {})
        try:
            yield
        finally:
            self.write("end", job, token)

    def die(self, role: str, phase: str) -> None:
        """Append that this process is about to be killed."""
        self.note(os.getpid(), role, phase)
        append(self.file, LedgerLine("kill", self._now(), pid=os.getpid()))

    def note(self, pid: int, role: str, phase: str) -> None:
        """Append what is done to a process."""
        append(self._deaths, Death(pid, role, phase, self._now()))

    def deaths(self) -> list[Death]:
        """Read what was done to processes."""
        return read(self._deaths, Death)


def append(file: Path, line: Struct) -> None:
    """Append a line; O_APPEND makes it one piece, whatever other processes do."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, json.encode(line) + b"\n")
    finally:
        os.close(descriptor)


def read(file: Path, kind: type[T]) -> list[T]:
    """Read all whole lines."""
    if not file.exists():
        return []
    *lines, _ = file.read_bytes().split(b"\n")
    return [json.decode(line, type=kind) for line in lines]
