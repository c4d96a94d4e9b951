"""The owners of claims (`ports.workers`)."""

from datetime import timedelta
from uuid import UUID

from rota.model.job import Claim
from rota.model.worker import Beat, Orders, WorkerInfo
from rota.stores.postgres.database import Database, Run
from rota.stores.postgres.rows import dump

__all__ = ["PostgresWorkers"]

# A worker that registers has not said yet how long its leases last; its first beat does.
FIRST_LEASE = timedelta(seconds=30)


class PostgresWorkers:
    """Who is there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def register(self, worker: WorkerInfo) -> None:
        """See `WorkerStore.register`."""
        now = self._database.now()
        tasks = sorted(worker.tasks, key=lambda task: task.name)

        async def work(run: Run) -> None:
            await run(
                "register",
                now,
                worker.id,
                worker.host,
                worker.pid,
                worker.version,
                worker.queues,
                [task.name for task in worker.tasks],
                dump(worker.slots),
                worker.sandboxes,
                FIRST_LEASE,
            )
            await run(
                "register_tasks",
                now,
                [task.name for task in tasks],
                [task.kind for task in tasks],
                [task.executor for task in tasks],
                [task.queue for task in tasks],
                [dump(task.schema) for task in tasks],
            )

        await self._database.transact(work)

    async def beat(self, beat: Beat) -> Orders:
        """See `WorkerStore.beat`."""
        ((lost, cancel, drain, known),) = await self._database.fetch(
            "beat",
            self._database.now(),
            beat.owner,
            beat.lease,
            beat.memory,
            *_arrays(beat.started),
            *_arrays(beat.held),
        )
        return Orders(frozenset(lost), frozenset(cancel), drain, known)

    async def idle(self, owner: UUID, *, idle: bool) -> None:
        """See `WorkerStore.idle`."""
        await self._database.fetch("idle", owner, idle)

    async def drain(self, worker: UUID) -> bool:
        """See `WorkerStore.drain`."""
        ((count, _),) = await self._database.fetch("drain", worker)
        return bool(count)

    async def leave(self, owner: UUID) -> None:
        """See `WorkerStore.leave`."""
        await self._database.fetch("leave", owner)


def _arrays(claims: tuple[Claim, ...]) -> tuple[list[UUID], list[int]]:
    return [claim.id for claim in claims], [claim.token for claim in claims]
