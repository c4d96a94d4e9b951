"""What the engine announces, and what it remembers of a job beyond its columns."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from rota.model.job import ClaimedJob
from rota.model.outcome import Outcome
from rota.model.schedule import Tick

__all__ = [
    "AttemptEnded",
    "AttemptStarted",
    "ClaimLost",
    "Event",
    "HookFailed",
    "IsolationRefused",
    "JobEvent",
    "LogEntry",
    "LogRecord",
    "LoopBlocked",
    "Notice",
    "OutcomeBlocked",
    "Progress",
    "Rescued",
    "ScheduleFailed",
    "ScheduleGone",
    "ScheduleSlow",
    "ScheduleStored",
    "ServiceFailed",
    "ServiceRecovered",
    "Ticked",
    "WebStarted",
    "WorkerRecycled",
    "WorkerStarted",
    "WorkerStopped",
]


class Notice(Struct, frozen=True):
    """A wake-up call between processes: `kind` ready, scheduled, cancel, schedules, queues or workers.

    `name` is the queue, job or schedule that it is about; an empty name means any, for example after a
    reconnect, when notices may have been missed.
    """

    kind: str
    name: str = ""


class JobEvent(Struct, frozen=True, kw_only=True):
    """One line of a job's history that its columns cannot show: retry, snooze, give_back, rescue, late ..."""

    job: UUID
    kind: str
    at: datetime
    attempt: int | None
    data: dict[str, Any]


class LogEntry(Struct, frozen=True):
    """A line logged by a running attempt, on its way to the store. `seq` counts lines inside the attempt."""

    id: UUID
    token: int
    seq: int
    at: datetime
    level: str
    message: str
    fields: dict[str, Any] | None = None


class Progress(Struct, frozen=True):
    """How far a running attempt is, on its way to the store."""

    id: UUID
    token: int
    done: int
    total: int | None


class LogRecord(Struct, frozen=True, kw_only=True):
    """A stored log line of a job."""

    job: UUID
    attempt: int
    seq: int
    at: datetime
    level: str
    message: str
    fields: dict[str, Any] | None


class Event(Struct, frozen=True):
    """Something that the engine did. Logs, metrics, the dashboard and tests listen; nothing else reports."""


class AttemptStarted(Event, frozen=True):
    """A task begins."""

    job: ClaimedJob


class AttemptEnded(Event, frozen=True):
    """A task ended; `duration` is in seconds."""

    job: ClaimedJob
    outcome: Outcome
    duration: float


class ClaimLost(Event, frozen=True):
    """A claim was lost while its task ran, or its late finish was refused."""

    id: UUID
    task: str
    late: bool


class OutcomeBlocked(Event, frozen=True):
    """Somebody's open transaction keeps a job locked: its outcome waits, and the others go on."""

    id: UUID
    task: str


class Rescued(Event, frozen=True):
    """Jobs of an owner that stopped extending its leases were taken back."""

    ids: tuple[UUID, ...]


class HookFailed(Event, frozen=True):
    """A user's `on_success` or `on_failure` raised."""

    id: UUID
    task: str
    error: str


class IsolationRefused(Event, frozen=True):
    """A job that may have killed its worker cannot run alone, so it runs beside others; `reason` says why."""

    task: str
    reason: str


class WebStarted(Event, frozen=True):
    """The API and the dashboard answer at `url`."""

    url: str


class LoopBlocked(Event, frozen=True):
    """A task has blocked the event loop for so many seconds. Announced from a thread: the loop stands still.

    `job` is None and `task` empty where it is not known whose code it is; `where` is the line at which it
    stands, `stack` the lines that led there.
    """

    job: UUID | None
    task: str
    seconds: float
    where: str
    stack: tuple[str, ...]


class WorkerRecycled(Event, frozen=True):
    """A worker has run enough, or grown too large: it finishes what runs, and another takes its place."""

    id: UUID
    reason: str


class WorkerStarted(Event, frozen=True):
    """A worker is ready to claim."""

    id: UUID
    queues: tuple[str, ...]


class WorkerStopped(Event, frozen=True):
    """A worker stopped; `given_back` jobs were returned unfinished."""

    id: UUID
    given_back: int


class Ticked(Event, frozen=True):
    """A schedule's due moment was handled here; `late` is how many seconds after it that was."""

    tick: Tick
    late: float


class ScheduleFailed(Event, frozen=True):
    """A schedule could not tick; it is tried again in `retry_in` seconds, or when it is changed."""

    schedule: str
    error: str
    retry_in: float


class ScheduleStored(Event, frozen=True):
    """A schedule of the code was stored; `what` is "created" or says what changed."""

    schedule: str
    what: str


class ScheduleGone(Event, frozen=True):
    """A schedule is no longer in the code of the app that declared it; it is paused."""

    schedule: str
    app: str


class ScheduleSlow(Event, frozen=True):
    """A schedule's trigger took `seconds` to say when it ticks; the others did not wait for it."""

    schedule: str
    seconds: float


class ServiceFailed(Event, frozen=True):
    """A part of the engine failed and tries again in `retry_in` seconds; `away`: for want of the store."""

    service: str
    error: str
    retry_in: float
    away: bool = False


class ServiceRecovered(Event, frozen=True):
    """A part of the engine works again after failing."""

    service: str
