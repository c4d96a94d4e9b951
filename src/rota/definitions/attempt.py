"""The running attempt: what executors run, and what a task sees of itself by `rota.current()`."""

import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from rota.model.clock import SystemClock
from rota.model.errors import AttemptStoppedError, NoAttemptError
from rota.model.events import LogEntry, Progress

if TYPE_CHECKING:
    from rota.definitions.task import Task
    from rota.model.job import ClaimedJob

__all__ = ["Attempt", "AttemptLog", "Journal", "current", "running", "storable"]

# Lines are dated where they are written; only the store's own moments need the store's clock.
_CLOCK = SystemClock()
_LONGEST_LINE = 64 * 1024


class Journal(Protocol):
    """Takes what a running attempt writes; may be called from any thread and never blocks."""

    def log(self, entry: LogEntry) -> None:
        """Take a log line."""
        ...

    def progress(self, entry: Progress) -> None:
        """Take the latest progress."""
        ...


class AttemptLog:
    """The log of one attempt, kept in the store up to `limit` bytes and shown by `rota jobs logs`."""

    __slots__ = ("_attempt", "_full", "_left", "_lock", "_seq")

    def __init__(self, attempt: "Attempt", limit: int) -> None:
        self._attempt = attempt
        self._left = limit
        self._seq = 0
        self._full = False
        self._lock = threading.Lock()

    def debug(self, message: str, *args: object, **fields: Any) -> None:
        """Log a detail."""
        self.write("debug", message % args if args else message, fields)

    def info(self, message: str, *args: object, **fields: Any) -> None:
        """Log a fact; `args` fill %-placeholders, `fields` are kept beside the message."""
        self.write("info", message % args if args else message, fields)

    def warning(self, message: str, *args: object, **fields: Any) -> None:
        """Log something to look at."""
        self.write("warning", message % args if args else message, fields)

    def error(self, message: str, *args: object, **fields: Any) -> None:
        """Log something wrong."""
        self.write("error", message % args if args else message, fields)

    def write(self, level: str, message: str, fields: Mapping[str, Any] | None = None) -> None:
        """Log one line of any level."""
        message = storable(message[:_LONGEST_LINE])
        shown = {
            storable(name): value if _plain(value) else storable(repr(value))
            for name, value in (fields or {}).items()
        }
        size = len(message.encode(errors="replace")) + (len(repr(shown)) if shown else 0)
        with self._lock:
            if self._full:
                return
            self._left -= size
            if self._left < 0:
                self._full = True
                level, message, shown = "warning", "log limit reached; later lines are dropped", {}
            self._seq += 1
            seq = self._seq
        job = self._attempt.job
        self._attempt.journal.log(
            LogEntry(job.id, job.token, seq, _CLOCK.now(), level, message, shown or None)
        )


def storable(text: str) -> str:
    """Return text that every store takes: NUL and half characters (of odd file names) are spelled out."""
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()


def _plain(value: object) -> bool:
    if isinstance(value, str):
        return storable(value) == value
    if isinstance(value, int):
        return -(2**63) <= value < 2**63  # as JSON's readers take it
    return value is None or isinstance(value, float)


class Attempt:
    """One try at a job, in the place where it runs.

    Attributes:
        job: the claimed job.
        task: its definition.
        stop_reason: why the attempt has to end ("cancelled", "timeout", "lost", "shutdown"), else None.
        error: what the task raised, if it ran in this process; for middleware that reports errors.
    """

    __slots__ = (
        "_log",
        "_log_limit",
        "_on_stop",
        "error",
        "finished",
        "job",
        "journal",
        "resources",
        "stop_reason",
        "task",
    )

    def __init__(
        self,
        job: "ClaimedJob",
        task: "Task[Any, Any]",
        *,
        journal: Journal,
        resources: Mapping[Any, Any],
        log_limit: int = 1024 * 1024,
    ) -> None:
        self.job = job
        self.task = task
        self.journal = journal
        self.resources = resources
        self.stop_reason: str | None = None
        self.error: BaseException | None = None
        self.finished = False
        self._on_stop: Callable[[str], object] | None = None
        self._log: AttemptLog | None = None
        self._log_limit = log_limit

    @property
    def job_id(self) -> UUID:
        """The job's id."""
        return self.job.id

    @property
    def attempt(self) -> int:
        """Which try this is, from 1."""
        return self.job.attempt

    @property
    def headers(self) -> Mapping[str, str]:
        """What the submitter sent along (trace context, user)."""
        return self.job.headers or {}

    @property
    def log(self) -> AttemptLog:
        """The attempt's own log, kept with the job."""
        if self._log is None:
            self._log = AttemptLog(self, self._log_limit)
        return self._log

    @property
    def cancelled(self) -> bool:
        """Whether the attempt should end: a cancel was asked for, time is up, or the claim is lost."""
        return self.stop_reason is not None

    def progress(self, done: int, total: int | None = None) -> None:
        """Say how far the task is: `done` of `total` (None: unknown) units of its own choosing."""
        self.journal.progress(Progress(self.job.id, self.job.token, done, total))

    def heartbeat(self) -> None:
        """Give a long synchronous task a place to stop.

        The worker extends the claim by itself; this only checks.

        Raises:
            AttemptStoppedError: the attempt should end.
        """
        if self.stop_reason is not None:
            raise AttemptStoppedError(self.job.id, self.stop_reason)

    def on_stop(self, callback: Callable[[str], object]) -> None:
        """Set what ends the attempt in its place; called at once when the attempt has to stop already."""
        self._on_stop = callback
        if self.stop_reason is not None:
            callback(self.stop_reason)

    def stop(self, reason: str) -> None:
        """End the attempt; the first reason counts. Called in the worker's event loop."""
        if self.finished or self.stop_reason is not None:
            return
        self.stop_reason = reason
        if self._on_stop is not None:
            self._on_stop(reason)


running: ContextVar[Attempt | None] = ContextVar("rota_attempt", default=None)


def current() -> Attempt:
    """Return the running attempt.

    Raises:
        NoAttemptError: none runs in this context.
    """
    attempt = running.get()
    if attempt is None:
        raise NoAttemptError
    return attempt
