"""The store's verbs for the owners of claims."""

from typing import Protocol
from uuid import UUID

from rota.model.worker import Beat, Orders, WorkerInfo

__all__ = ["WorkerStore"]


class WorkerStore(Protocol):
    """Who is there."""

    async def register(self, worker: WorkerInfo) -> None:
        """Add a worker, and its tasks to the catalogue."""
        ...

    async def beat(self, beat: Beat) -> Orders:
        """Extend a worker's claims and its own presence in one statement; returns what it must know."""
        ...

    async def idle(self, owner: UUID, *, idle: bool) -> None:
        """Say whether the worker waits for a wake-up: submits notify only for queues with an idle worker."""
        ...

    async def drain(self, worker: UUID) -> bool:
        """Ask a worker to finish and leave; False when it is not there."""
        ...

    async def leave(self, owner: UUID) -> None:
        """Remove a worker."""
        ...
