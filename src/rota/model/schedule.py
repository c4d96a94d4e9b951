"""Schedules and their ticks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from rota.model.job import Submission

__all__ = ["ScheduleRecord", "Tick", "TickRecord"]


class ScheduleRecord(Struct, frozen=True, kw_only=True):
    """A trigger, a task and its arguments, stored under an id.

    `trigger` is the trigger's structured form; `next_at` is None once it has ended. `options` are the submit
    options of its jobs (rank, key, tags ...). `source` says who made it: code, api or cli.
    """

    id: str
    task: str
    queue: str
    executor: str
    trigger: dict[str, Any]
    payload: bytes
    options: dict[str, Any]
    source: str
    version: int = 1
    catch_up: str = "one"
    overlap: str = "skip"
    next_at: datetime | None = None
    last_at: datetime | None = None
    paused_at: datetime | None = None
    paused_by: str | None = None
    paused_why: str | None = None


class Tick(Struct, frozen=True, kw_only=True):
    """One due moment to be fired: written with its job and the schedule's next moment in one transaction.

    The tick takes effect only while the schedule's `next_at` is still `due` and its version `version`.
    `at` is the moment that the job stands for: `due` itself, or the latest missed one when missed moments
    are coalesced; `missed` counts those before it. `submission` is None when nothing is to run
    (`state` says why: "missed" or "skipped").
    """

    schedule: str
    version: int
    due: datetime
    at: datetime
    next_at: datetime | None
    state: str
    submission: Submission | None
    missed: int = 0


class TickRecord(Struct, frozen=True, kw_only=True):
    """A tick that happened."""

    schedule: str
    due: datetime
    state: str
    job: UUID | None
    missed: int
    missed_from: datetime | None
    fired_at: datetime
