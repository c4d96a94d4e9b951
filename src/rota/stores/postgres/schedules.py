"""Schedules and their ticks (`ports.schedules`)."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rota.model.events import Notice
from rota.model.schedule import ScheduleRecord, Tick, TickRecord
from rota.ports.schedules import Due
from rota.stores.plans import drive_async
from rota.stores.postgres.database import Database, Link, fetch_statement
from rota.stores.postgres.rows import dump, schedule_params, schedule_record
from rota.stores.postgres.submitting import submit_plan
from rota.stores.postgres.wakeup import PostgresWakeup

__all__ = ["PostgresSchedules"]

_Ticks = list[TickRecord]  # inside the class, `list` is a method


class PostgresSchedules:
    """Schedules, and the one transaction that fires them."""

    def __init__(self, database: Database, wakeup: PostgresWakeup) -> None:
        self._database = database
        self._wakeup = wakeup

    async def put(self, schedule: ScheduleRecord, *, expected: int | None) -> bool:
        """See `ScheduleStore.put`."""
        columns = (self._database.now(), *schedule_params(schedule))
        if expected is None:
            rows = await self._database.fetch("put_schedule_new", *columns, dump(schedule))
        else:
            rows = await self._database.fetch("put_schedule", *columns, expected, dump(schedule))
        return await self._changed(schedule.id, bool(rows))

    async def get(self, schedule: str) -> ScheduleRecord | None:
        """See `ScheduleStore.get`."""
        rows = await self._database.fetch("get_schedule", schedule)
        return schedule_record(rows[0]) if rows else None

    async def list(self) -> list[ScheduleRecord]:
        """See `ScheduleStore.list`."""
        return [schedule_record(row) for row in await self._database.fetch("list_schedules")]

    async def remove(self, schedule: str) -> bool:
        """See `ScheduleStore.remove`."""
        return await self._changed(schedule, bool(await self._database.fetch("remove_schedule", schedule)))

    async def pause(self, schedule: str, by: str, why: str) -> bool:
        """See `ScheduleStore.pause`."""
        rows = await self._database.fetch("pause_schedule", self._database.now(), schedule, by, why)
        return await self._changed(schedule, bool(rows))

    async def resume(self, schedule: str, next_at: datetime | None) -> bool:
        """See `ScheduleStore.resume`."""
        return await self._changed(
            schedule, bool(await self._database.fetch("resume_schedule", schedule, next_at))
        )

    async def _changed(self, schedule: str, changed: bool) -> bool:  # noqa: FBT001 - passes an answer on
        if changed:
            await self._wakeup.notify(Notice("schedules", schedule))
        return changed

    async def due(self, limit: int) -> Due:
        """See `ScheduleStore.due`."""
        ((now, next_at),) = await self._database.fetch("next_schedule", self._database.now())
        rows = await self._database.fetch("due_schedules", now, limit)
        return Due(now, tuple(schedule_record(row) for row in rows), next_at)

    async def fire(self, ticks: Sequence[Tick]) -> int:
        """See `ScheduleStore.fire`."""

        async def work(link: Link) -> int:
            async with link.transaction():
                return sum([await self._fire(link, group) for group in _rounds(ticks)])

        return await self._database.run(work)

    async def _fire(self, link: Link, ticks: Sequence[Tick]) -> int:
        """Fire ticks of different schedules."""
        sql, now = self._database.sql, self._database.now()
        rows = await link.fetch(
            sql["fire_lock"],
            [tick.schedule for tick in ticks],
            [tick.version for tick in ticks],
            [tick.due for tick in ticks],
        )
        valid = [ticks[place - 1] for place in sorted(row[0] for row in rows)]
        if not valid:
            return 0
        names = [tick.schedule for tick in valid]
        await link.fetch(sql["advance"], names, [tick.next_at for tick in valid], [tick.at for tick in valid])
        written = await link.fetch(
            sql["write_ticks"],
            now,
            names,
            [tick.at for tick in valid],
            [tick.state for tick in valid],
            [tick.submission.id if tick.submission else None for tick in valid],
            [tick.missed for tick in valid],
            [tick.due if tick.missed else None for tick in valid],
        )
        new = {(row[0], row[1]) for row in written}
        held = [tick for tick in valid if (tick.schedule, tick.at) in new]
        jobs = [tick.submission for tick in held if tick.submission is not None]
        await drive_async(
            submit_plan(sql, jobs, now, resend=False), lambda statement: fetch_statement(link, statement)
        )
        return len(held)

    async def ticks(self, schedule: str, *, limit: int) -> _Ticks:
        """See `ScheduleStore.ticks`."""
        return [TickRecord(**dict(row)) for row in await self._database.fetch("ticks", schedule, limit)]


def _rounds(ticks: Sequence[Tick]) -> Iterator[Sequence[Tick]]:
    """Split ticks so that no schedule stands twice in a group: its second depends on its first."""
    rest = list(ticks)
    while rest:
        group: dict[str, Tick] = {}
        later = []
        for tick in rest:
            if tick.schedule in group:
                later.append(tick)
            else:
                group[tick.schedule] = tick
        yield list(group.values())
        rest = later
