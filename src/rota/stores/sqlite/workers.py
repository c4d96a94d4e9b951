"""Owners of claims: present, extended, told what they must know."""

import json
from datetime import timedelta
from uuid import UUID

from rota.model.events import Notice
from rota.model.worker import Beat, Orders, WorkerInfo
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.values import ids, json_text, micros
from rota.stores.sqlite.writer import Writer

__all__ = ["SqliteWorkers"]

_FIRST_LEASE = micros(timedelta(seconds=30))


class SqliteWorkers:
    """`WorkerStore` on SQLite."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def register(self, worker: WorkerInfo) -> None:
        """Add a worker and its tasks; see the port. It is present for 30 s, then by its beats."""
        await self._writer.run(lambda transaction: _register(transaction, worker))

    async def beat(self, beat: Beat) -> Orders:
        """Extend a worker's claims and presence; see the port."""
        return await self._writer.run(lambda transaction: _beat(transaction, beat))

    async def idle(self, owner: UUID, *, idle: bool) -> None:
        """Say whether the worker waits for a wake-up; see the port."""
        await self._writer.run(lambda transaction: transaction.change("idle", owner=owner.bytes, idle=idle))

    async def drain(self, worker: UUID) -> bool:
        """Ask a worker to finish and leave; see the port."""

        def operation(transaction: Transaction) -> bool:
            there = transaction.change("drain", worker=worker.bytes) > 0
            if there:
                transaction.notices.append(Notice("workers", str(worker)))
            return there

        return await self._writer.run(operation)

    async def leave(self, owner: UUID) -> None:
        """Remove a worker; see the port."""
        await self._writer.run(lambda transaction: transaction.change("leave", owner=owner.bytes))


def _register(transaction: Transaction, worker: WorkerInfo) -> None:
    transaction.change(
        "register",
        id=worker.id.bytes,
        host=worker.host,
        pid=worker.pid,
        version=worker.version,
        queues=json_text(worker.queues),
        tasks=json_text([task.name for task in worker.tasks]),
        slots=json_text(worker.slots),
        sandboxes=json_text(worker.sandboxes),
        lease_until=transaction.now + _FIRST_LEASE,
    )
    transaction.change_each(
        "register_tasks",
        (
            {
                "name": task.name,
                "kind": task.kind,
                "executor": task.executor,
                "queue": task.queue,
                "schema": json_text(task.schema),
            }
            for task in worker.tasks
        ),
    )


def _beat(transaction: Transaction, beat: Beat) -> Orders:
    lease_until = transaction.now + micros(beat.lease)
    row = transaction.row("beat", owner=beat.owner.bytes, lease_until=lease_until, memory=beat.memory)
    claims = (*beat.started, *beat.held)
    if not claims:
        return Orders(drain=row is not None and bool(row[0]), known=row is not None)
    started = len(beat.started)
    its_ids = ids(claim.id for claim in claims)
    pairs = json.dumps([(claim.token, place < started) for place, claim in enumerate(claims)])
    transaction.change("extend", ids=its_ids, claims=pairs, lease_until=lease_until)
    still = dict(transaction.rows("orders", ids=its_ids, claims=pairs))
    return Orders(
        lost=frozenset(claim.id for place, claim in enumerate(claims) if place not in still),
        cancel=frozenset(claim.id for place, claim in enumerate(claims) if still.get(place)),
        drain=row is not None and bool(row[0]),
        known=row is not None,
    )
