"""Workers: look at them, and ask them to finish and leave."""

from uuid import UUID

from rota.model.errors import NotFoundError
from rota.model.worker import WorkerRecord
from rota.ports.store import Store

__all__ = ["drain", "list_workers"]


async def list_workers(store: Store) -> list[WorkerRecord]:
    """List registered workers, the oldest first."""
    return await store.insight.workers()


async def drain(store: Store, worker: UUID) -> None:
    """Ask a worker to claim nothing more, to finish what it runs and to end.

    Raises:
        NotFoundError: there is no such worker.
    """
    if not await store.workers.drain(worker):
        raise NotFoundError("worker", str(worker), " `rota workers list` shows those that are there")
