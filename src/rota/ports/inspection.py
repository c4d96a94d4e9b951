"""What `rota verify` reads of a store. Nothing here changes anything."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from rota.model.inspection import JobRow, SlotRow, TickRow

__all__ = ["InspectionStore"]


class InspectionStore(Protocol):
    """Rows as they stand. Each answer is of one moment, so that a store at work can be looked at too."""

    async def jobs(self, *, after: UUID, limit: int) -> Sequence[JobRow]:
        """Return the rows of the next `limit` jobs of all tables by id, those of the last id complete."""
        ...

    async def slots(self) -> Sequence[SlotRow]:
        """Return every limited scope that is counted, or that a live job's row names."""
        ...

    async def ticks(self, *, after: tuple[str, datetime], limit: int) -> Sequence[TickRow]:
        """Return the next ticks, by schedule and due moment."""
        ...

    async def twins(self) -> Sequence[tuple[str, int]]:
        """Return unique keys that several live jobs have, and how many, whatever the unique index says."""
        ...
