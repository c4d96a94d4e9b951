"""Slots and pauses (`ports.limits`)."""

from collections.abc import Sequence
from itertools import accumulate
from uuid import UUID

from rota.model.events import Notice
from rota.ports.limits import SlotRequest
from rota.stores.postgres.database import Database, Run
from rota.stores.postgres.jobs import PostgresJobs
from rota.stores.postgres.wakeup import PostgresWakeup

__all__ = ["PostgresLimits"]


class PostgresLimits:
    """What may run."""

    def __init__(self, database: Database, jobs: PostgresJobs, wakeup: PostgresWakeup) -> None:
        self._database = database
        self._jobs = jobs
        self._wakeup = wakeup

    async def acquire(self, requests: Sequence[SlotRequest]) -> frozenset[UUID]:
        """See `LimitStore.acquire`. One statement, unless a scope is new or several scopes collide."""
        granted = {one.claim.id for one in requests if not one.scopes}
        pending = {one.claim.id: one for one in requests if one.scopes}
        while pending:
            verdicts = await self._ask(list(pending.values()))
            again = [job for job, verdict in verdicts.items() if verdict == "again"]
            granted |= {job for job, verdict in verdicts.items() if verdict == "granted"}
            ends = [pending[job].claim for job, verdict in verdicts.items() if verdict == "cancel"]
            await self._jobs.give_back(ends)
            pending = {job: one for job, one in pending.items() if job in again}
            if pending:
                await self._open(list(pending.values()))
        return frozenset(granted)

    async def _ask(self, requests: Sequence[SlotRequest]) -> dict[UUID, str]:
        scopes = [tuple(dict(one.scopes).items()) for one in requests]
        ends = list(accumulate(map(len, scopes)))
        wanted = [pair for pairs in scopes for pair in pairs]
        rows = await self._database.fetch(
            "acquire",
            self._database.now(),
            [one.claim.id for one in requests],
            [one.claim.token for one in requests],
            [end - len(pairs) + 1 for pairs, end in zip(scopes, ends, strict=True)],
            ends,
            [scope for scope, _ in wanted],
            [limit for _, limit in wanted],
        )
        return {row[0]: row[1] for row in rows}

    async def _open(self, requests: Sequence[SlotRequest]) -> None:
        scopes = sorted({scope: limit for one in requests for scope, limit in one.scopes}.items())
        names, limits = zip(*scopes, strict=True)
        await self._database.fetch("open_slots", names, limits)

    async def sweep(self) -> int:
        """See `LimitStore.sweep`."""
        held = [row[0].partition(":") for row in await self._database.fetch("held_reasons")]
        scopes = [name for kind, _, name in held if kind == "limit"]
        schedules = [name for kind, _, name in held if kind == "overlap"]

        async def work(run: Run) -> int:
            freed = 0
            for names, lock, release in (
                (scopes, "lock_slots", "release"),
                (schedules, "lock_schedules", "release_overlap"),
            ):
                if names:
                    await run(lock, names)
                    ((count, _),) = await run(release, names)
                    freed += count
            return freed

        return await self._database.transact(work) if held else 0

    async def pause_queue(self, queue: str, by: str) -> bool:
        """See `LimitStore.pause_queue`."""
        paused = bool(await self._database.fetch("pause_queue", self._database.now(), queue, by))
        if paused:
            await self._wakeup.notify(Notice("queues", queue))
        return paused

    async def resume_queue(self, queue: str) -> bool:
        """See `LimitStore.resume_queue`."""
        resumed = bool(await self._database.fetch("resume_queue", queue))
        if resumed:
            await self._wakeup.notify(Notice("queues", queue))
        return resumed
