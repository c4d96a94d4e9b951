"""What a store holds, record by record, as it moves to another store."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from rota.model.access import AccessToken
from rota.model.events import JobEvent, LogRecord
from rota.model.job import JobRecord
from rota.model.schedule import ScheduleRecord, TickRecord
from rota.model.worker import TaskEntry

__all__ = [
    "KINDS",
    "AuditEntry",
    "BearerToken",
    "Definition",
    "Header",
    "KeyWindow",
    "KnownTask",
    "LogLine",
    "PausedQueue",
    "Record",
    "ResultValue",
    "Scope",
]


class Header(Struct, frozen=True, kw_only=True):
    """What a stream of records begins with: where it comes from, and how many of each kind follow."""

    store: str
    store_id: str
    schema: int
    at: datetime
    counts: dict[str, int]


class ResultValue(Struct, frozen=True, kw_only=True):
    """The value of a job that succeeded; it may be forgotten after `until` (None: with its job)."""

    job: UUID
    value: bytes
    until: datetime | None


class LogLine(LogRecord, frozen=True, kw_only=True):
    """A log line with the token of its try."""

    token: int


class KeyWindow(Struct, frozen=True, kw_only=True):
    """A unique key that is taken until a moment, by a job that may have finished."""

    unique_key: str
    job: UUID
    until: datetime


class Scope(Struct, frozen=True, kw_only=True):
    """The limit of a scope that was last asked for; how much of it is used, the jobs themselves say."""

    scope: str
    capacity: int


class PausedQueue(Struct, frozen=True, kw_only=True):
    """A queue that was paused at some time."""

    name: str
    paused_at: datetime | None
    paused_by: str | None


class KnownTask(TaskEntry, frozen=True, kw_only=True):
    """A line of the task catalogue, and when a worker last named it."""

    seen_at: datetime


class Definition(Struct, frozen=True, kw_only=True):
    """A past or present definition of a schedule (see `ScheduleVersion`)."""

    schedule: str
    version: int
    since: datetime
    next_at: datetime | None
    closed_at: datetime | None
    definition: dict[str, Any] | None


class AuditEntry(Struct, frozen=True, kw_only=True):
    """Who changed what by hand (see `AuditRecord`)."""

    at: datetime
    actor: str
    action: str
    subject: str
    data: dict[str, Any]


class BearerToken(AccessToken, frozen=True, kw_only=True):
    """A token that opens the API, by its digest: its holder goes on in the new store."""

    digest: bytes


Record = (
    JobRecord
    | ResultValue
    | LogLine
    | JobEvent
    | KeyWindow
    | Scope
    | PausedQueue
    | KnownTask
    | ScheduleRecord
    | Definition
    | TickRecord
    | AuditEntry
    | BearerToken
)

KINDS: dict[str, type[Record]] = {
    "scope": Scope,
    "queue": PausedQueue,
    "task": KnownTask,
    "schedule": ScheduleRecord,
    "definition": Definition,
    "tick": TickRecord,
    "job": JobRecord,
    "result": ResultValue,
    "window": KeyWindow,
    "event": JobEvent,
    "log": LogLine,
    "audit": AuditEntry,
    "token": BearerToken,
}
"""The kinds of records by name, in the order in which they travel."""
