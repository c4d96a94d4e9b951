"""What a running attempt saves. Every entry carries its claim's token and is dropped when that is stale."""

from collections.abc import Sequence
from typing import Protocol

from rota.model.events import LogEntry, Progress

__all__ = ["CheckpointStore"]


class CheckpointStore(Protocol):
    """The notebook of running attempts."""

    async def record(self, logs: Sequence[LogEntry], progress: Sequence[Progress]) -> None:
        """Store log lines and the latest progress."""
        ...
