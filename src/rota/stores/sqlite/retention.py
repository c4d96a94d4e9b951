"""Small deletes that yield to everyone else: the writer takes them between other operations."""

import json
from uuid import UUID

from rota.ports.requests import KEPT
from rota.ports.retention import Pruned, Retention
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.values import id_set, micros
from rota.stores.sqlite.writer import Writer

__all__ = ["SqliteRetention"]


class SqliteRetention:
    """`RetentionStore` on SQLite."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def prune(self, retention: Retention, limit: int) -> Pruned:
        """Delete at most `limit` old rows of each kind; see the port."""
        return await self._writer.run(lambda transaction: _prune(transaction, retention, limit))


def _prune(transaction: Transaction, retention: Retention, limit: int) -> Pruned:
    now = transaction.now
    oldest = now - micros(max(retention.history, retention.dead))
    counts = [
        _prune_jobs(transaction, "old_history", "prune_history", now - micros(retention.history), limit),
        _prune_jobs(transaction, "old_dead", "prune_dead", now - micros(retention.dead), limit),
        transaction.change("prune_results", limit=limit),
        transaction.change("prune_windows", limit=limit),
        transaction.change("prune_ticks", before=now - micros(retention.ticks), limit=limit),
        transaction.change("prune_events", before=oldest, limit=limit),
        transaction.change("prune_slots", limit=limit),
        transaction.change("prune_stats", before=now - micros(retention.history), limit=limit),
        transaction.change("prune_requests", before=now - micros(KEPT), limit=limit),
    ]
    return Pruned(rows=sum(counts), partitions=0, more=max(counts) >= limit)


def _prune_jobs(transaction: Transaction, find: str, prune: str, before: int, limit: int) -> int:
    """Forget old jobs of a table, with all that belongs to them."""
    rows = transaction.rows(find, before=before, limit=limit)
    if rows:
        jobs = id_set([UUID(bytes=job) for _, job in rows])
        for belongings in ("forget_logs", "forget_events", "forget_results"):
            transaction.change(belongings, **jobs)
        transaction.change(prune, rows=json.dumps([place for place, _ in rows]))
    return len(rows)
