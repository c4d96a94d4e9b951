"""How long finished things are kept."""

from datetime import timedelta
from typing import Protocol

from msgspec import Struct

__all__ = ["Pruned", "Retention", "RetentionStore"]


class Retention(Struct, frozen=True, kw_only=True):
    """How long each kind of record is kept."""

    history: timedelta
    dead: timedelta
    ticks: timedelta


class Pruned(Struct, frozen=True):
    """How many rows (or whole partitions) went; `more` says that work is left."""

    rows: int
    partitions: int
    more: bool


class RetentionStore(Protocol):
    """Deletes what has been kept long enough, in small portions that yield to everyone else."""

    async def prune(self, retention: Retention, limit: int) -> Pruned:
        """Make partitions ahead, drop old ones, and delete at most `limit` old rows of each kind."""
        ...
