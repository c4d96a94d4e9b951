"""The store's verbs for schedules and ticks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from rota.model.schedule import ScheduleRecord, Tick, TickRecord

__all__ = ["Due", "ScheduleStore"]


class Due(Struct, frozen=True):
    """Schedules whose moment has come, the store's present moment, and the next moment of all others."""

    now: datetime
    schedules: tuple[ScheduleRecord, ...]
    next_at: datetime | None


class ScheduleStore(Protocol):
    """Schedules, and the one transaction that fires them."""

    async def put(self, schedule: ScheduleRecord, *, expected: int | None) -> bool:
        """Insert (`expected` None) or replace the definition of version `expected`; False if it is not."""
        ...

    async def get(self, schedule: str) -> ScheduleRecord | None:
        """Return one schedule."""
        ...

    async def list(self) -> Sequence[ScheduleRecord]:
        """Return all schedules by id."""
        ...

    async def remove(self, schedule: str) -> bool:
        """Delete a schedule; its jobs and ticks stay."""
        ...

    async def pause(self, schedule: str, by: str, why: str) -> bool:
        """Stop a schedule's ticks; False when it is absent or paused."""
        ...

    async def resume(self, schedule: str, next_at: datetime | None) -> bool:
        """Let a paused schedule tick from `next_at`; False when it is absent or not paused."""
        ...

    async def due(self, limit: int) -> Due:
        """Return schedules whose next moment has come. Takes no lock: `fire` decides."""
        ...

    async def fire(self, ticks: Sequence[Tick]) -> int:
        """Write ticks, their jobs and the schedules' next moments in one transaction; returns how many held.

        A tick whose schedule has moved on (another scheduler was first, or it was changed) does nothing.
        """
        ...

    async def ticks(self, schedule: str, *, limit: int) -> Sequence[TickRecord]:
        """Return a schedule's latest ticks, newest first."""
        ...
