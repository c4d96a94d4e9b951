"""Rows as the nouns that callers know."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from rota.model.access import Role
from rota.model.events import JobEvent, LogRecord
from rota.model.inspection import JobRow, TickRow
from rota.model.job import JobRecord
from rota.model.outcome import Fault
from rota.model.schedule import ScheduleRecord, ScheduleVersion, TickRecord
from rota.model.states import State
from rota.model.transfer import (
    AuditEntry,
    BearerToken,
    Definition,
    KeyWindow,
    KnownTask,
    LogLine,
    PausedQueue,
    ResultValue,
)
from rota.model.worker import QueueRecord, TaskEntry, WorkerRecord
from rota.stores.sqlite.columns import INSPECTED, RECORD, SCHEDULE
from rota.stores.sqlite.values import moment_or_none, span_or_none, uuid_or_none

__all__ = [
    "carried",
    "event",
    "job_record",
    "job_row",
    "log_record",
    "queue_record",
    "schedule_record",
    "schedule_version",
    "task_entry",
    "tick_record",
    "tick_row",
    "worker_record",
]

_decode = msgspec.json.Decoder().decode
_decode_schedule = msgspec.json.Decoder(ScheduleRecord).decode
_decode_fault = msgspec.json.Decoder(Fault).decode

Row = Sequence[Any]
Readers = Mapping[str, Callable[[Any], Any]]


def _json(value: str | None) -> Any:
    return None if value is None else _decode(value)


def _texts(value: str | None) -> tuple[str, ...]:
    return () if value is None else tuple(_decode(value))


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)


_JOB: Readers = (
    dict.fromkeys(("id", "owner", "parent", "root", "batch"), uuid_or_none)
    | dict.fromkeys(
        (
            *("due", "wake_at", "run_at", "expires_at", "lease_until", "submitted_at", "ready_at"),
            *("claimed_at", "started_at", "finished_at"),
        ),
        moment_or_none,
    )
    | dict.fromkeys(("tags", "headers", "options"), _json)
    | {
        "state": State,
        "cancel_requested": bool,
        "slots": _texts,
        "fault": lambda value: None if value is None else _decode_fault(value),
        "result_kept": _flag,
    }
)
_JOB_ROW: Readers = {name: read for name, read in _JOB.items() if name in INSPECTED} | {
    "state": str,
    "finished_at": moment_or_none,
    "ticked": bool,
    "events": _texts,
    "events_at": lambda value: tuple(map(moment_or_none, _decode(value))),
}
_TICK_ROW: Readers = dict.fromkeys(("due", "fired_at", "job_due"), moment_or_none) | {
    "job": uuid_or_none,
    "job_found": bool,
}
_SCHEDULE: Readers = (
    dict.fromkeys(("next_at", "last_at", "paused_at"), moment_or_none)
    | dict.fromkeys(("trigger", "options"), _json)
    | {"grace": span_or_none, "last_job": uuid_or_none}
)
_VERSION: Readers = dict.fromkeys(("since", "next_at", "closed_at"), moment_or_none) | {
    "definition": lambda value: None if value is None else _decode_schedule(value)
}
_TICK: Readers = dict.fromkeys(("due", "missed_from", "fired_at"), moment_or_none) | {"job": uuid_or_none}
_LOG: Readers = {"job": uuid_or_none, "at": moment_or_none, "fields": _json}
_EVENT: Readers = {"job": uuid_or_none, "at": moment_or_none, "data": _json}
_WORKER: Readers = (
    dict.fromkeys(("started_at", "beat_at", "lease_until"), moment_or_none)
    | dict.fromkeys(("queues", "tasks", "sandboxes"), _texts)
    | {"id": uuid_or_none, "slots": _json, "idle": bool, "draining": bool}
)
_QUEUE: Readers = dict.fromkeys(("paused_at", "oldest"), moment_or_none)
_TASK: Readers = {"schema": _json}
_KNOWN_TASK: Readers = {"schema": _json, "seen_at": moment_or_none}

_CARRIED: Mapping[type, Readers] = {
    ResultValue: {"job": uuid_or_none, "until": moment_or_none},
    LogLine: _LOG,
    JobEvent: _EVENT,
    KeyWindow: {"job": uuid_or_none, "until": moment_or_none},
    PausedQueue: {"paused_at": moment_or_none},
    KnownTask: _KNOWN_TASK,
    ScheduleRecord: _SCHEDULE,
    Definition: dict.fromkeys(("since", "next_at", "closed_at"), moment_or_none) | {"definition": _json},
    TickRecord: _TICK,
    AuditEntry: {"at": moment_or_none, "data": _json},
    BearerToken: dict.fromkeys(("id", "parent"), uuid_or_none)
    | dict.fromkeys(("created_at", "expires_at", "used_at"), moment_or_none)
    | {"role": Role, "keys": _texts},
}
T = TypeVar("T", bound=msgspec.Struct)

_JOB_COLUMNS = (*RECORD, "finished_at", "result_kept")
_JOB_ROW_COLUMNS = (
    "place",
    *INSPECTED,
    *("finished_at", "children_live", "ticked", "events", "events_at"),
)


def _read(names: Sequence[str], row: Row, readers: Readers) -> dict[str, Any]:
    values = dict(zip(names, row, strict=True))
    for name, read in readers.items():
        values[name] = read(values[name])
    return values


def job_record(row: Row) -> JobRecord:
    """Read a job."""
    return JobRecord(**_read(_JOB_COLUMNS, row, _JOB))


def job_row(row: Row) -> JobRow:
    """Read a job as `rota verify` looks at it."""
    return JobRow(**_read(_JOB_ROW_COLUMNS, row, _JOB_ROW))


def schedule_record(row: Row) -> ScheduleRecord:
    """Read a schedule."""
    return ScheduleRecord(**_read(SCHEDULE, row, _SCHEDULE))


def schedule_version(row: Row) -> ScheduleVersion:
    """Read a definition of the past."""
    return ScheduleVersion(**_read(ScheduleVersion.__struct_fields__, row, _VERSION))


def tick_record(row: Row) -> TickRecord:
    """Read a tick."""
    return TickRecord(**_read(TickRecord.__struct_fields__, row, _TICK))


def tick_row(row: Row) -> TickRow:
    """Read a tick as `rota verify` looks at it."""
    return TickRow(**_read(TickRow.__struct_fields__, row, _TICK_ROW))


def log_record(row: Row) -> LogRecord:
    """Read a log line."""
    return LogRecord(**_read(LogRecord.__struct_fields__, row, _LOG))


def event(row: Row) -> JobEvent:
    """Read an event."""
    return JobEvent(**_read(JobEvent.__struct_fields__, row, _EVENT))


def worker_record(row: Row) -> WorkerRecord:
    """Read a worker."""
    return WorkerRecord(**_read(WorkerRecord.__struct_fields__, row, _WORKER))


def queue_record(row: Row) -> QueueRecord:
    """Read a queue."""
    return QueueRecord(**_read(QueueRecord.__struct_fields__, row, _QUEUE))


def task_entry(row: Row) -> TaskEntry:
    """Read a line of the catalogue."""
    return TaskEntry(**_read(TaskEntry.__struct_fields__, row, _TASK))


def carried(kind: type[T], row: Row) -> T:
    """Read a record of an export, whose columns are named, and stand, as its fields."""
    return kind(**_read(kind.__struct_fields__, row, _CARRIED.get(kind, {})))
