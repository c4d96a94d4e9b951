"""A real `rota run` of a small app, jobs that are fed to it through every fault, and what is true after."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from rota import Rota, current, every
from rota.model.clock import SystemClock
from rota.model.errors import StoreUnavailableError, SubmitUncertainError
from rota.model.job import JobFilter, JobRecord
from rota.model.states import State
from rota.ports.store import Store

__all__ = ["PATIENCE", "Feed", "Process", "follow_clock", "make_app", "until"]

REPOSITORY = Path(__file__).parents[3]
PATIENCE = 40.0
"""Seconds that anything may take on a loaded machine."""

MAIN = """
from functools import partial
from pathlib import Path
from tests.integration.faults.life import follow_clock, make_app

follow_clock(Path({folder!r}, "clock"))
app = make_app(Path({folder!r}))
"""


def make_app(folder: Path, url: str | None = None, **options: Any) -> Rota:
    """Make the app: its jobs and ticks write lines into a file."""
    app = Rota(url, **options)

    def note(*words: object) -> None:
        # One write of one short line: processes do not tear each other's apart.
        with (folder / "ledger").open("a") as ledger:
            ledger.write(" ".join(map(str, words)) + "\n")

    @app.task(result_ttl=0)
    def work(number: int, seconds: float = 0.0) -> None:
        note("start", number, os.getpid())
        time.sleep(seconds)  # the work itself
        note("end", number, os.getpid())

    @app.task(result_ttl=0)
    def watch(number: int) -> None:
        note("start", number, os.getpid())
        while not (folder / "go").exists():
            if current().cancelled:
                note("cancelled", number, os.getpid())
                current().heartbeat()  # ends it
            time.sleep(0.02)  # between looks
        note("end", number, os.getpid())

    @app.schedule(every(seconds=1), id="tick")
    def tick() -> None:
        note("tick", time.time())

    return app


def follow_clock(file: Path) -> None:
    """Set this process's clock off by the seconds in a file, if there is one; they may change at any time.

    Nothing of Rota reads the machine's clock elsewhere. (libfaketime makes CPython's locks hang.)
    """
    genuine = SystemClock.now

    def now(clock: SystemClock) -> datetime:
        return genuine(clock) + timedelta(seconds=float(file.read_text()))

    if file.exists():
        setattr(SystemClock, "now", now)  # noqa: B010 - a method, which no type checker lets go


def until(what: Callable[[], object], describe: Callable[[], object] = lambda: "") -> None:
    """Wait until something is true of other processes, which tell nobody."""
    ends = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < ends, describe()
        time.sleep(0.02)  # between looks


class Process:
    """One process of the app; it has to live through everything.

    Args:
        folder: for its ledger and its log.
        url: the store, as the process sees it.
        command: of `rota`.
        settings: further settings, by name.
        environment: further variables.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        *,
        command: str = "run",
        settings: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        (folder / "main.py").write_text(MAIN.format(folder=str(folder)))
        chosen = {
            "log_format": "json",
            "lease": "10",
            "extend_every": "1",
            "store_timeout": "2",
            "grace": "5",
        }
        chosen |= settings or {}
        self._log = folder / f"log-{time.monotonic_ns()}"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rota", command, "main:app"],
                cwd=folder,
                env=os.environ
                | {"ROTA_URL": url, "PYTHONPATH": f"{folder}:{REPOSITORY}"}
                | {f"ROTA_{name.upper()}": value for name, value in chosen.items()}
                | dict(environment or {}),
                stdout=log,
                stderr=log,
            )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        until(lambda: " serves " in self.log() or self._process.poll() is not None, self.log)
        assert self._process.poll() is None, self.log()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.stop() == 0, self.log()

    def stop(self) -> int:
        """Ask it to end; returns its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(f"does not end:\n{self.log()}") from None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    @property
    def lives(self) -> bool:
        """Whether it is the process that was started."""
        return self._process.poll() is None

    def log(self) -> str:
        """Return all that it has said."""
        return self._log.read_text(errors="replace")

    def said(self, words: str) -> int:
        """Count the lines that hold some words."""
        lines = [line for line in self.log().splitlines() if line.startswith("{")]
        return sum(words in json.loads(line)["message"] for line in lines)


class Feed:
    """Submits jobs all the time, as an honest caller: what failed again, what is uncertain by `resend`."""

    def __init__(self, folder: Path, app: Rota) -> None:
        self.folder = folder
        self.app = app
        self.stored: dict[int, UUID] = {}
        self.refused = 0
        self.uncertain = 0
        self._next = 0
        self._stop = threading.Event()
        self._crash: BaseException | None = None

    @contextmanager
    def running(self, every: float = 0.02) -> Iterator[None]:
        """Feed from a thread while the block runs."""
        self._stop.clear()
        thread = threading.Thread(target=self._run, args=(every,), name="feed")
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()
        if self._crash:
            raise self._crash

    def _run(self, every: float) -> None:
        try:
            while not self._stop.wait(every):
                self.submit()
        except BaseException as error:  # noqa: BLE001 - raised where the test can see it
            self._crash = error

    def submit(self, *arguments: float, task: str = "work") -> UUID:
        """Store one job, however long that takes."""
        self._next += 1
        number = self._next
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                self.stored[number] = self.app.tasks[task].enqueue(number, *arguments).id
            except SubmitUncertainError as error:
                self.uncertain += 1
                self.stored[number] = self._resend(error)
            except StoreUnavailableError:
                self.refused += 1
                assert time.monotonic() < ends
                time.sleep(0.05)  # the store tells nobody that it is back
                continue
            return self.stored[number]

    def _resend(self, error: SubmitUncertainError) -> UUID:
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                return self.app.resend(error)[0].id
            except StoreUnavailableError:
                assert time.monotonic() < ends
                time.sleep(0.05)  # as above

    def wait_for(self, more: int) -> None:
        """Wait until that many of the jobs that are stored from now on have ended."""
        before = self._next
        until(lambda: sum(number > before for number in self.ended()) >= more, lambda: "no job ended")

    def ended(self) -> Counter[int]:
        """Count how often each job has ended."""
        return self._counted("end")

    def started(self) -> Counter[int]:
        """Count how often each job has started."""
        return self._counted("start")

    def cancelled(self) -> Counter[int]:
        """Count how often each job has seen that it is cancelled."""
        return self._counted("cancelled")

    def ticks(self) -> int:
        """Count the jobs of the schedule that ran."""
        return sum(words[0] == "tick" for words in self._ledger())

    def _counted(self, what: str) -> Counter[int]:
        return Counter(int(words[1]) for words in self._ledger() if words[0] == what)

    def _ledger(self) -> list[list[str]]:
        ledger = self.folder / "ledger"
        return [line.split() for line in ledger.read_text().splitlines()] if ledger.exists() else []

    def check(self) -> None:
        """Every job that was stored has succeeded and ran once: no process died that could excuse more."""
        ids = set(self.stored.values())
        assert len(ids) == len(self.stored)
        until(lambda: self._succeeded() >= ids, lambda: f"lost or unfinished: {ids - self._succeeded()}")
        assert self._succeeded() == ids
        for counts in (self.started(), self.ended()):
            assert set(counts) == set(self.stored)
            assert [number for number, count in counts.items() if count > 1] == []

    def _succeeded(self) -> set[UUID]:
        try:
            return set(self._pages())
        except StoreUnavailableError:
            return set()

    def _pages(self) -> Iterator[UUID]:
        which = JobFilter(states=frozenset({State.SUCCEEDED}), task="work")
        before: UUID | None = None
        while True:
            page = self.app.connection.run("jobs", partial(_page, which, before))
            if not page:
                return
            yield from (job.id for job in page)
            before = page[-1].id


async def _page(which: JobFilter, before: UUID | None, store: Store) -> list[JobRecord]:
    return await store.insight.jobs(which, limit=1000, before=before)
