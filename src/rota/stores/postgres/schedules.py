"""Schedules and their ticks (`ports.schedules`)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from rota.model.events import Notice
from rota.model.schedule import (
    KeptDefinition,
    ScheduleChange,
    ScheduleRecord,
    ScheduleVersion,
    Tick,
    TickRecord,
)
from rota.ports.schedules import Audit, Due
from rota.stores.postgres.database import Database, Link, Run
from rota.stores.postgres.rows import dump, schedule_params, schedule_record, schedule_version
from rota.stores.postgres.ticking import backfill, drop, fire
from rota.stores.postgres.wakeup import PostgresWakeup

__all__ = ["PostgresSchedules"]

_Schedules = list[ScheduleRecord]  # inside the class, `list` is a method
_Ticks = list[TickRecord]
_Versions = list[ScheduleVersion]
_GROUP = 5_000  # schedules in one statement: some megabytes


class PostgresSchedules:
    """Schedules, and the one transaction that fires them."""

    def __init__(self, database: Database, wakeup: PostgresWakeup) -> None:
        self._database = database
        self._wakeup = wakeup

    async def put(self, changes: Sequence[ScheduleChange]) -> frozenset[str]:
        """See `ScheduleStore.put`."""
        new = [change.new for change in changes if change.seen is None]
        others = [change for change in changes if change.seen is not None]
        now = self._database.now()

        async def work(run: Run) -> frozenset[str]:
            held: set[str] = set()
            for start in range(0, len(new), _GROUP):
                held.update(await _insert(run, now, new[start : start + _GROUP]))
            for change in sorted(others, key=lambda one: one.new.id):
                if await _replace(run, now, change):
                    held.add(change.new.id)
            return frozenset(held)

        held = await self._database.transact(work)
        await self._changed(sorted(held))
        return held

    async def get(self, schedule: str) -> ScheduleRecord | None:
        """See `ScheduleStore.get`."""
        rows = await self._database.fetch("get_schedule", schedule)
        return schedule_record(rows[0]) if rows else None

    async def list(self, ids: Sequence[str] | None = None) -> _Schedules:
        """See `ScheduleStore.list`."""
        if ids is None:
            rows = await self._database.fetch("list_schedules")
        else:
            rows = await self._database.fetch("some_schedules", ids)
        return [schedule_record(row) for row in rows]

    async def remove(self, schedule: str) -> bool:
        """See `ScheduleStore.remove`."""
        rows = await self._database.fetch("remove_schedule", self._database.now(), schedule)
        return await self._changed([row[0] for row in rows])

    async def pause(self, schedule: str, by: str, why: str) -> bool:
        """See `ScheduleStore.pause`."""
        rows = await self._database.fetch("pause_schedule", self._database.now(), schedule, by, why)
        return await self._changed([row[0] for row in rows])

    async def resume(self, seen: ScheduleRecord, next_at: datetime | None, dropped: Tick | None) -> bool:
        """See `ScheduleStore.resume`."""
        now = self._database.now()

        async def work(run: Run) -> bool:
            at = None if dropped is None else dropped.at
            if not await run("resume_schedule", seen.id, seen.next_at, next_at, at):
                return False
            await drop(run, now, dropped)
            return True

        return await self._changed([seen.id] if await self._database.transact(work) else [])

    async def _changed(self, schedules: Sequence[str]) -> bool:
        if schedules:
            # One notice tells every scheduler to look again, whatever was changed.
            await self._wakeup.notify(Notice("schedules", schedules[0] if len(schedules) == 1 else ""))
        return bool(schedules)

    async def due(self, limit: int, ahead: timedelta = timedelta(0)) -> Due:
        """See `ScheduleStore.due`."""
        ((now, next_at),) = await self._database.fetch("next_schedule", self._database.now(), ahead)
        rows = await self._database.fetch("due_schedules", now, limit, ahead)
        return Due(now, tuple(schedule_record(row) for row in rows), next_at)

    async def fire(self, ticks: Sequence[Tick]) -> frozenset[str]:
        """See `ScheduleStore.fire`."""

        async def work(link: Link) -> frozenset[str]:
            async with link.transaction():
                return await fire(link, self._database.sql, self._database.now(), ticks)

        return await self._database.run(work) if ticks else frozenset()

    async def backfill(self, ticks: Sequence[Tick]) -> int:
        """See `ScheduleStore.backfill`."""

        async def work(link: Link) -> int:
            async with link.transaction():
                return await backfill(link, self._database.sql, self._database.now(), ticks)

        return await self._database.run(work) if ticks else 0

    async def ticks(self, schedule: str, *, limit: int, before: datetime | None = None) -> _Ticks:
        """See `ScheduleStore.ticks`."""
        rows = await self._database.fetch("ticks", schedule, limit, before)
        return [TickRecord(**dict(row)) for row in rows]

    async def versions(self, schedule: str) -> _Versions:
        """See `ScheduleStore.versions`."""
        return [schedule_version(row) for row in await self._database.fetch("schedule_versions", schedule)]

    async def audit(self, schedule: str, since: datetime) -> Audit:
        """See `ScheduleStore.audit`."""

        async def work(run: Run) -> Audit:
            await run("plan_anew")
            strays = await run("stray_jobs", schedule, since)
            lost = await run("lost_jobs", schedule, since)
            return Audit(tuple((row[0], row[1]) for row in strays), tuple(row[0] for row in lost))

        return await self._database.transact(work)


async def _insert(run: Run, now: datetime | None, schedules: Sequence[ScheduleRecord]) -> Sequence[str]:
    rows = [
        (
            *schedule_params(one),
            one.last_at,
            one.last_job,
            one.paused_at,
            one.paused_by,
            one.paused_why,
            dump(KeptDefinition.of(one)),
        )
        for one in schedules
    ]
    return [row[0] for row in await run("put_schedules", now, *zip(*rows, strict=True))]


async def _replace(run: Run, now: datetime | None, change: ScheduleChange) -> bool:
    new, seen = change.new, change.seen
    assert seen is not None  # noqa: S101 - the caller has sorted them
    if not await run(
        "put_schedule", now, *schedule_params(new), seen.version, seen.next_at, dump(KeptDefinition.of(new))
    ):
        return False
    await drop(run, now, change.closing)
    return True
