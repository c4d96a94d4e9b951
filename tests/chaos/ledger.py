"""The truth outside Rota: what jobs really did, and which processes really died, as lines of plain files."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, json

__all__ = ["Death", "Ledger", "Line"]


class Line(Struct, frozen=True):
    """A job says that it starts or ends. `at` is in seconds of the machine's monotonic clock."""

    what: str
    job: str
    token: int
    pid: int
    at: float


class Death(Struct, frozen=True):
    """A process was killed in a phase of its cycle."""

    pid: int
    phase: str
    at: float


class Ledger:
    """Two append-only files in a folder; a line is one write, so that killed writers leave no half line."""

    def __init__(self, folder: Path) -> None:
        self._jobs = folder / "jobs.jsonl"
        self._deaths = folder / "deaths.jsonl"

    def write(self, what: str, job: str, token: int) -> None:
        """Append a line about a job of this process."""
        _append(self._jobs, Line(what, job, token, os.getpid(), time.monotonic()))

    def die(self, phase: str) -> None:
        """Append that this process is about to be killed."""
        _append(self._deaths, Death(os.getpid(), phase, time.monotonic()))

    def lines(self) -> Iterator[Line]:
        """Read all lines about jobs."""
        return (json.decode(line, type=Line) for line in _read(self._jobs))

    def deaths(self) -> list[Death]:
        """Read all deaths."""
        return [json.decode(line, type=Death) for line in _read(self._deaths)]


def _append(file: Path, line: Struct) -> None:
    # O_APPEND makes each write one piece, whatever other processes do.
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, json.encode(line) + b"\n")
    finally:
        os.close(descriptor)


def _read(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines() if file.exists() else []
