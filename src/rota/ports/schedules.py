"""The store's verbs for schedules and ticks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from rota.model.schedule import ScheduleChange, ScheduleRecord, ScheduleVersion, Tick, TickRecord

__all__ = ["Audit", "Due", "ScheduleStore"]


class Due(Struct, frozen=True):
    """Schedules whose moment has come or comes soon, the first due first, and the store's present moment.

    `next_at` is the next moment of all others.
    """

    now: datetime
    schedules: tuple[ScheduleRecord, ...]
    next_at: datetime | None


class Audit(Struct, frozen=True):
    """What jobs and ticks say of each other, of one schedule.

    Args:
        strays: jobs that stand for a moment, with it, whose tick names another job or is not there.
        lost: moments whose tick names a job that is nowhere.
    """

    strays: tuple[tuple[UUID, datetime], ...]
    lost: tuple[datetime, ...]


class ScheduleStore(Protocol):
    """Schedules, and the one transaction that fires them."""

    async def put(self, changes: Sequence[ScheduleChange]) -> frozenset[str]:
        """Insert or replace definitions and keep each as a version; returns the ids of those that held.

        What happened to a replaced one stays: its last tick, its job, its pause.
        """
        ...

    async def get(self, schedule: str) -> ScheduleRecord | None:
        """Return one schedule."""
        ...

    async def list(self, ids: Sequence[str] | None = None) -> Sequence[ScheduleRecord]:
        """Return schedules by id: all, or those of these ids that are there."""
        ...

    async def remove(self, schedule: str) -> bool:
        """Delete a schedule and note that in its versions; its jobs and ticks stay."""
        ...

    async def pause(self, schedule: str, by: str, why: str) -> bool:
        """Stop a schedule's ticks, its next moment stays; False when it is absent or paused."""
        ...

    async def resume(self, seen: ScheduleRecord, next_at: datetime | None, dropped: Tick | None) -> bool:
        """Let a paused schedule tick from `next_at`, and record the moments that its pause dropped.

        Returns:
            False when it is absent, not paused, or its next moment is not as it was seen.
        """
        ...

    async def due(self, limit: int, ahead: timedelta = timedelta(0)) -> Due:
        """Return schedules whose next moment comes within `ahead`, or has come; locks nothing."""
        ...

    async def fire(self, ticks: Sequence[Tick]) -> frozenset[str]:
        """Write ticks, their jobs and the schedules' next moments in one transaction.

        A tick does nothing whose moment has not come by the store's clock, or whose schedule has moved on:
        another scheduler was first, or it was changed.

        Returns:
            The schedules that moved on by it.
        """
        ...

    async def backfill(self, ticks: Sequence[Tick]) -> int:
        """Write moments of the past with their jobs, oldest first; returns how many.

        One that has had a job, by its tick or by a backfill, is left out. Unless the tick's overlap is
        "allow", a job waits until those of its schedule before it have ended.
        """
        ...

    async def ticks(
        self, schedule: str, *, limit: int, before: datetime | None = None
    ) -> Sequence[TickRecord]:
        """Return a schedule's latest ticks, newest first: those due before a moment, if one is given."""
        ...

    async def versions(self, schedule: str) -> Sequence[ScheduleVersion]:
        """Return the definitions that a schedule has had, oldest first."""
        ...

    async def audit(self, schedule: str, since: datetime) -> Audit:
        """Hold jobs against ticks, those fired or submitted from `since` on."""
        ...
