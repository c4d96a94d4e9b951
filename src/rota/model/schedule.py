"""Schedules and their ticks."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct, structs

from rota.model.job import Submission

__all__ = [
    "BACKFILL",
    "KeptDefinition",
    "ScheduleChange",
    "ScheduleRecord",
    "ScheduleVersion",
    "Tick",
    "TickRecord",
]

BACKFILL = "backfill"
"""The source of a moment that was run afterwards, by hand; the scheduler's own have the source "tick"."""


class ScheduleRecord(Struct, frozen=True, kw_only=True):
    """A trigger, a task and its arguments, stored under an id.

    `trigger` is the trigger's structured form; `next_at` is None once it has ended. `options` are the submit
    options of its jobs (rank, key, tags ...). `source` says who made it (code, api or cli) and `app` which
    app's code declares it. `last_at` is the last moment that was handled, `last_job` the last job made.
    """

    id: str
    task: str
    queue: str
    executor: str
    trigger: dict[str, Any]
    payload: bytes
    options: dict[str, Any]
    source: str
    app: str = ""
    name: str = ""
    version: int = 1
    catch_up: str = "one"
    overlap: str = "skip"
    grace: timedelta | None = None
    next_at: datetime | None = None
    last_at: datetime | None = None
    last_job: UUID | None = None
    paused_at: datetime | None = None
    paused_by: str | None = None
    paused_why: str | None = None


class KeptDefinition(ScheduleRecord, frozen=True, kw_only=True, omit_defaults=True):
    """A definition on its way into the versions: what has its default is left out, since there are many."""

    @classmethod
    def of(cls, schedule: ScheduleRecord) -> "KeptDefinition":
        """Return it as it is kept."""
        return cls(**structs.asdict(schedule))


class Tick(Struct, frozen=True, kw_only=True):
    """One due moment to be fired: written with its job and the schedule's next moment in one transaction.

    The tick takes effect only while the schedule's `next_at` is still `due` and its version `version`.
    `at` is the moment that the job stands for: `due` itself, or the latest missed one when missed moments
    are coalesced; `missed` counts those before it. `submission` is None when nothing is to run (`state` says
    why: "missed" or "paused"). With unfinished jobs of the schedule `overlap` decides: the state may become
    "skipped", and `submission` is not stored then.
    """

    schedule: str
    version: int
    due: datetime
    at: datetime
    next_at: datetime | None
    state: str
    submission: Submission | None
    missed: int = 0
    overlap: str = "allow"


class TickRecord(Struct, frozen=True, kw_only=True):
    """A tick that happened: `source` is "tick" or "backfill", `reason` says why no job was made."""

    schedule: str
    due: datetime
    source: str
    version: int
    state: str
    job: UUID | None
    missed: int
    missed_from: datetime | None
    reason: str | None
    fired_at: datetime


class ScheduleChange(Struct, frozen=True, kw_only=True):
    """A definition to be stored.

    Args:
        new: the definition, its version and its next moment.
        seen: what it replaces, as it was read; None: it is new. Nothing is changed if it looks otherwise now.
        closing: moments of the replaced definition that had come and are dropped, recorded with the change.
    """

    new: ScheduleRecord
    seen: ScheduleRecord | None = None
    closing: Tick | None = None


class ScheduleVersion(Struct, frozen=True, kw_only=True):
    """A definition of the past.

    Args:
        schedule: of which schedule.
        version: counts from 1, over a removal too.
        since: when it was stored.
        next_at: its first moment.
        closed_at: up to which moment, exclusive, the version before it had been handled.
        definition: None: the schedule was removed.
    """

    schedule: str
    version: int
    since: datetime
    next_at: datetime | None
    closed_at: datetime | None
    definition: ScheduleRecord | None
