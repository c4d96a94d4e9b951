"""Rows of the database as the nouns of Rota, and back."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from rota.model.events import JobEvent, LogRecord
from rota.model.job import ClaimedJob, JobFilter, JobRecord
from rota.model.outcome import Crash, Fault
from rota.model.schedule import ScheduleRecord, ScheduleVersion
from rota.model.states import State
from rota.model.worker import WorkerRecord

__all__ = [
    "Row",
    "claimed_job",
    "dump",
    "event",
    "filter_params",
    "job_record",
    "load",
    "load_crash",
    "log_record",
    "schedule_params",
    "schedule_record",
    "schedule_version",
    "worker_record",
]

Row = Mapping[str, Any]
_decode = msgspec.json.Decoder().decode
_decode_fault = msgspec.json.Decoder(Fault).decode
_decode_crash = msgspec.json.Decoder(Crash).decode
_decode_schedule = msgspec.json.Decoder(ScheduleRecord).decode
_encode = msgspec.json.Encoder().encode
_CLAIMED = len(ClaimedJob.__struct_fields__)
_CLAIMED_JSON = _HEADERS, _OPTIONS = tuple(map(ClaimedJob.__struct_fields__.index, ("headers", "options")))


def dump(value: object) -> str:
    """Return JSON text, as a `jsonb` parameter takes it."""
    return _encode(value).decode()


def load(text: str | None) -> Any:
    """Return the value of a `jsonb` column."""
    return None if text is None else _decode(text)


def load_crash(text: str | None) -> Crash | None:
    """Return the evidence of a crash, as it stands in a fault."""
    return None if text is None else _decode_crash(text)


def claimed_job(row: Any) -> ClaimedJob:
    """Return a job from a row of `claim`, whose columns begin with its fields in their order."""
    fields = row[:_CLAIMED]
    if fields[_HEADERS] is not None or fields[_OPTIONS] is not None:
        fields = [load(value) if place in _CLAIMED_JSON else value for place, value in enumerate(fields)]
    return ClaimedJob(*fields)


def job_record(row: Row) -> JobRecord:
    """Return a job from its columns."""
    fields = dict(row)
    for name in ("tags", "headers", "options"):
        fields[name] = load(fields[name])
    fault = fields["fault"]
    fields["fault"] = None if fault is None else _decode_fault(fault)
    fields["state"] = State(fields["state"])
    fields["slots"] = tuple(fields["slots"])
    return JobRecord(**fields)


def filter_params(which: JobFilter) -> tuple[Any, ...]:
    """Return the parameters of the fragment `filter`, from its first on."""
    return (
        None if which.ids is None else list(which.ids),
        [str(state) for state in which.states] or None,
        which.queue,
        which.task,
        _keys(which),
        None if which.tag is None else dump(dict([which.tag])),
        which.schedule,
        which.parent,
        which.fault,
        which.since,
        which.until,
    )


def _keys(which: JobFilter) -> list[str] | None:
    if which.key is None:
        return None if which.keys is None else list(which.keys)
    return [which.key] if which.keys is None or which.key in which.keys else []


def event(row: Row) -> JobEvent:
    """Return an event from its columns."""
    return JobEvent(**dict(row) | {"data": load(row["data"])})


def log_record(row: Row) -> LogRecord:
    """Return a log line from its columns."""
    return LogRecord(**dict(row) | {"fields": load(row["fields"])})


def worker_record(row: Row) -> WorkerRecord:
    """Return a worker from its columns."""
    fields = dict(row) | {"slots": load(row["slots"])}
    for name in ("queues", "tasks", "sandboxes"):
        fields[name] = tuple(fields[name])
    return WorkerRecord(**fields)


def schedule_record(row: Row) -> ScheduleRecord:
    """Return a schedule from its columns."""
    fields = dict(row)
    for name in ("trigger", "options"):
        fields[name] = load(fields[name])
    if fields["grace"] is not None:
        fields["grace"] = timedelta(microseconds=fields["grace"])
    return ScheduleRecord(**fields)


def schedule_params(schedule: ScheduleRecord) -> tuple[Any, ...]:
    """Return the columns of a schedule in the order of the statements that write one, up to `next_at`."""
    return (
        schedule.id,
        schedule.version,
        schedule.task,
        schedule.queue,
        schedule.executor,
        dump(schedule.trigger),
        schedule.payload,
        dump(schedule.options),
        schedule.source,
        schedule.app,
        schedule.name,
        schedule.catch_up,
        schedule.overlap,
        None if schedule.grace is None else schedule.grace // timedelta.resolution,
        schedule.next_at,
    )


def schedule_version(row: Row) -> ScheduleVersion:
    """Return a definition of the past from its columns."""
    text = row["definition"]
    return ScheduleVersion(**dict(row) | {"definition": None if text is None else _decode_schedule(text)})
