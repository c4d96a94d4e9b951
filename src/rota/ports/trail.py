"""What happened, over time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from rota.model.trail import PlacedEvent, StatRow, Tally

__all__ = ["TrailStore"]


class TrailStore(Protocol):
    """Counts by the minute, and events in order."""

    async def add_stats(self, tallies: Sequence[Tally]) -> None:
        """Add to the counts of the store's present minute; each queue, task and outcome stands there once."""
        ...

    async def stats(
        self, since: datetime, until: datetime, *, queue: str | None = None, task: str | None = None
    ) -> list[StatRow]:
        """Return the counts of minutes that begin from `since` to before `until`, the oldest first."""
        ...

    async def latest_event(self) -> int:
        """Return the place of the newest event that `events_after` would give; 0 where there is none."""
        ...

    async def events_after(self, place: int, *, limit: int) -> list[PlacedEvent]:
        """Return events behind a place, in order.

        One that is younger than a second may be left for the next call, so that none is passed by whose
        transaction ends later than that of its successor.
        """
        ...
