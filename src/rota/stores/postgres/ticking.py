"""Ticks: what is written when the moments of schedules have come."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from rota.model.job import Submission
from rota.model.schedule import Tick
from rota.model.states import State
from rota.policy.overlap import Overlap, room
from rota.stores.groups import rounds
from rota.stores.plans import drive_async
from rota.stores.postgres.database import Link, Run, fetch_statement
from rota.stores.postgres.endings import Ending, Told, finish, tell, wake_parents
from rota.stores.postgres.submitting import submit_plan

__all__ = ["backfill", "drop", "fire"]

_AT_WORK = frozenset({State.RUNNING, State.HANDED})


async def fire(
    link: Link, sql: dict[str, str], now: datetime | None, ticks: Sequence[Tick]
) -> frozenset[str]:
    """Fire ticks in the link's transaction; returns the schedules that moved on."""
    moved: set[str] = set()
    for group in rounds(ticks, lambda tick: tick.schedule):
        moved.update(await _Firing(link, sql, now).fire(group))
    return frozenset(moved)


class _Firing:
    """Ticks of different schedules on their way."""

    def __init__(self, link: Link, sql: dict[str, str], now: datetime | None) -> None:
        self._link = link
        self._sql = sql
        self._now = now

    async def fire(self, ticks: Sequence[Tick]) -> Sequence[str]:
        """Fire those whose schedules have not moved on; returns the schedules."""
        places = await self._run(
            "fire_lock",
            self._now,
            [tick.schedule for tick in ticks],
            [tick.version for tick in ticks],
            [tick.due for tick in ticks],
        )
        valid = [ticks[place - 1] for place in sorted(row[0] for row in places)]
        if not valid:
            return ()
        await self._cancel([one.schedule for one in valid if one.overlap == Overlap.CANCEL_RUNNING])
        ((written, skipped, busy),) = await self._run("fire", self._now, *zip(*map(_row, valid), strict=True))
        runs = set(written or ()) - set(skipped or ())
        jobs = {one.schedule: one.submission for one in valid if one.schedule in runs and one.submission}
        await _submit(self._link, self._sql, self._now, list(jobs.values()))
        # Of those that ask for no unfinished jobs at all ("allow") none is busy.
        await self._hold([jobs[one].id for one in busy or () if one in jobs])
        return [one.schedule for one in valid]

    async def _cancel(self, schedules: Sequence[str]) -> None:
        """Cancel the unfinished jobs of locked schedules, or ask their owners to."""
        if not schedules:
            return
        rows = await self._run("overlapping", self._now, schedules)
        ends = [row for row in rows if row["state"] not in _AT_WORK]
        asked = [row for row in rows if row["state"] in _AT_WORK and not row["cancel_requested"]]
        await finish(self._run, self._now, [Ending(row["id"], State.CANCELLED) for row in ends])
        await wake_parents(self._run, self._now, [row["parent"] for row in ends])
        if asked:
            await self._run("request_cancel", [row["id"] for row in asked])
        told = [Told(row["id"], "cancel", row["attempt"], {"by": "overlap"}) for row in (*ends, *asked)]
        await tell(self._run, self._now, told)

    async def _hold(self, jobs: Sequence[UUID]) -> None:
        if jobs:
            await self._run("hold_overlap", jobs)

    async def _run(self, name: str, *params: Any) -> list[Any]:
        return await self._link.fetch(self._sql[name], *params)


def _row(tick: Tick) -> tuple[Any, ...]:
    """Return the parameters of `fire` that belong to one tick."""
    return (
        tick.schedule,
        tick.version,
        tick.at,
        tick.state,
        tick.submission.id if tick.submission else None,
        tick.missed,
        tick.due if tick.missed else None,
        tick.next_at,
        room(tick.overlap),
    )


async def _submit(link: Link, sql: dict[str, str], now: datetime | None, jobs: Sequence[Submission]) -> None:
    plan = submit_plan(sql, jobs, now, resend=False)
    await drive_async(plan, lambda statement: fetch_statement(link, statement))


async def drop(run: Run, now: datetime | None, tick: Tick | None) -> None:
    """Record moments that nobody will run."""
    if tick is not None:
        row = (
            tick.schedule,
            tick.at,
            tick.version,
            tick.state,
            tick.missed,
            tick.due if tick.missed else None,
        )
        await run("drop_ticks", now, *([value] for value in row))


async def backfill(link: Link, sql: dict[str, str], now: datetime | None, ticks: Sequence[Tick]) -> int:
    """Run moments of the past in the link's transaction; returns how many."""
    schedules = sorted({tick.schedule for tick in ticks})
    await link.fetch(sql["lock_schedules"], schedules)
    jobs = [tick.submission for tick in ticks if tick.submission is not None]
    rows = await link.fetch(
        sql["backfill"],
        now,
        [tick.schedule for tick in ticks],
        [tick.at for tick in ticks],
        [tick.version for tick in ticks],
        [tick.state for tick in ticks],
        [job.id for job in jobs],
    )
    new = {(row[0], row[1]) for row in rows}
    busy = {row[0] for row in await link.fetch(sql["busy_schedules"], schedules)}
    runs = [tick for tick in ticks if (tick.schedule, tick.at) in new]
    held = []
    for tick in runs:
        if tick.overlap != Overlap.ALLOW and tick.submission is not None:
            if tick.schedule in busy:
                held.append(tick.submission.id)
            busy.add(tick.schedule)
    await _submit(link, sql, now, [tick.submission for tick in runs if tick.submission is not None])
    if held:
        await link.fetch(sql["hold_overlap"], held)
    return len(runs)
