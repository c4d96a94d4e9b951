"""Retention (`ports.retention`)."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from rota.model.errors import StoreBusyError
from rota.ports.requests import KEPT
from rota.ports.retention import Pruned, Retention
from rota.stores.postgres.database import Database, Link
from rota.stores.postgres.partitions import bounds, day_of, drop_script, missing_days, partition_script

__all__ = ["PostgresRetention"]

_START = datetime(1, 1, 1, tzinfo=UTC)


class PostgresRetention:
    """Deletes what has been kept long enough."""

    def __init__(self, database: Database, schema: str) -> None:
        self._database = database
        self._schema = schema
        # How far old log lines and events were looked at today: those of dead jobs stay and are passed once.
        self._marks: dict[str, datetime] = {}
        self._marked_on: datetime | None = None

    async def prune(self, retention: Retention, limit: int) -> Pruned:
        """See `RetentionStore.prune`."""
        ((now,),) = await self._database.fetch("moment", self._database.now())
        days = [day_of(row[0]) for row in await self._database.fetch("partitions")]
        await self._each(self._make, missing_days(now, days))
        old = [day for day in days if bounds(day)[1] <= now - retention.history]
        dropped = await self._each(self._drop, old)
        deleted = [
            await self._count("prune_dead", now, retention.dead, limit),
            await self._count("prune_history", now, retention.history, limit),
            await self._count("prune_results", now, retention.history, limit),
            await self._count("prune_windows", now, limit),
            await self._count("prune_ticks", now, retention.ticks, limit),
            await self._count("prune_slots", limit),
            await self._count("prune_stats", now, retention.history, limit),
            await self._count("prune_requests", now, KEPT, limit),
        ]
        traces = [await self._trace(name, now, retention, limit) for name in ("prune_logs", "prune_events")]
        rows = sum(deleted) + sum(gone for gone, _ in traces)
        more = any(number >= limit for number in deleted) or any(full for _, full in traces)
        return Pruned(rows, dropped, more or dropped < len(old))

    async def _count(self, name: str, *params: object) -> int:
        ((count,),) = await self._database.fetch(name, *params)
        return int(count)

    async def _trace(self, name: str, now: datetime, retention: Retention, limit: int) -> tuple[int, bool]:
        """Look at the next old traces of jobs; returns how many went, and whether there are more."""
        if self._marked_on is None or abs(now - self._marked_on) >= timedelta(days=1):
            self._marks.clear()
            self._marked_on = now
        mark = self._marks.get(name, _START)
        ((gone, seen, last),) = await self._database.fetch(name, now, retention.history, limit, mark)
        if last is not None:
            self._marks[name] = last
        return gone, seen >= limit

    async def _each(self, change: Callable[[date], Awaitable[bool]], days: Sequence[date]) -> int:
        """Change the partitions of days; returns how many, up to the first that somebody is in the way of."""
        for number, day in enumerate(days):
            if not await change(day):
                return number
        return len(days)

    async def _make(self, day: date) -> bool:
        """Make a day's partition, unless jobs of that day lie in the default one already."""

        async def work(link: Link) -> None:
            sql = self._database.sql
            await link.fetch(sql["no_long_wait"])
            await link.fetch(sql["schema_lock"])
            there = [day_of(row[0]) for row in await link.fetch(sql["partitions"])]
            ((spilled,),) = await link.fetch(sql["spilled"], *bounds(day))
            if day not in there and not spilled:
                await link.execute(partition_script(self._schema, [day]))

        return await self._change(work)

    async def _drop(self, day: date) -> bool:
        """Drop a day's partition, one pruner at a time: PostgreSQL breaks off the second of two drops."""

        async def work(link: Link) -> None:
            sql = self._database.sql
            await link.fetch(sql["no_long_wait"])
            await link.fetch(sql["schema_lock"])
            await link.execute(drop_script(self._schema, day))

        return await self._change(work)

    async def _change(self, work: Callable[[Link], Awaitable[None]]) -> bool:
        """Change partitions in a transaction; False when somebody was in the way: next time, then."""

        async def once(link: Link) -> None:
            async with link.transaction():
                await work(link)

        try:
            await self._database.run(once)
        except StoreBusyError:
            return False
        return True
