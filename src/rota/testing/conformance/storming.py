"""Everything at once: no verb blocks another for good, nothing is lost, slots add up."""

import asyncio
import random
from collections import Counter
from datetime import timedelta
from uuid import UUID

from rota.model.ids import new_id
from rota.model.job import JobFilter
from rota.model.outcome import Cancelled, Handed, Outcome, Retried, Settlement, Snooze, Suspended
from rota.model.states import FINISHED, LIVE, State
from rota.model.worker import Beat
from rota.operations.verify import verify
from rota.ports.limits import SlotRequest
from rota.testing.conformance.scene import BOOM, DONE, FAILED, LEASE, MANY, SECOND, START, Scene, a_job

__all__ = ["TestStorm"]

ROUNDS = 25
NO_DELAY = timedelta(0)
SCOPES = ("queue:a", "queue:b", "task:work")


class Actor:
    """Does one thing after another, at random, to whatever jobs there are."""

    def __init__(self, scene: Scene, seed: int, known: list[UUID]) -> None:
        self._scene, self._dice, self._known = scene, random.Random(seed), known
        self._owner = new_id()

    async def live(self) -> None:
        """Do a number of things."""
        verbs = [
            self.submit,
            self.work,
            self.work,
            self.work,
            self.cancel,
            self.redrive,
            self.rescue,
            self.tidy,
        ]
        for _ in range(ROUNDS):
            await self._dice.choice(verbs)()

    async def submit(self) -> None:
        """Submit a group, with keys in any order."""
        keys = self._dice.sample(["1", "2", "3", "4", None, None], 4)
        parent = self._dice.choice(self._known) if self._known else None
        jobs = [
            a_job(queue=self._dice.choice("ab"), unique_key=key, parent=parent, expires_in=LEASE)
            for key in keys
        ]
        self._known += [one.id for one in await self._scene.store.jobs.submit(jobs) if one.created]

    async def work(self) -> None:
        """Claim, ask for slots, beat, and settle in any way."""
        jobs = await self._scene.claim(*self._dice.sample("ab", 2), limit=5, owner=self._owner)
        scopes = [self._dice.sample(SCOPES, 2) for _ in jobs]
        granted = await self._scene.store.limits.acquire(
            [
                SlotRequest(job.claim, tuple((scope, 4) for scope in some))
                for job, some in zip(jobs, scopes, strict=True)
            ]
        )
        mine = [job for job in jobs if job.id in granted]
        beat = Beat(owner=self._owner, lease=LEASE, started=tuple(job.claim for job in mine), held=())
        await self._scene.store.workers.beat(beat)
        self._dice.shuffle(mine)
        await self._scene.store.jobs.give_back([job.claim for job in mine[4:]])
        await self._scene.store.jobs.settle(
            [Settlement(job.id, job.token, self.outcome(), limited=True) for job in mine[:4]]
        )

    def outcome(self) -> Outcome:
        """Return any outcome."""
        outcomes: list[Outcome] = [
            DONE, DONE, FAILED, Cancelled(), Retried(NO_DELAY, BOOM), Retried(SECOND, BOOM), Snooze(SECOND),
            Suspended(wake_key="door"), Suspended(children=1), Handed("external", START + timedelta(days=1)),
        ]  # fmt: skip
        return self._dice.choice(outcomes)

    def some(self) -> JobFilter:
        """Return any three of the known jobs."""
        return JobFilter(ids=tuple(self._dice.choices(self._known, k=3)) if self._known else ())

    async def cancel(self) -> None:
        """Cancel a few."""
        await self._scene.store.jobs.cancel(self.some())

    async def redrive(self) -> None:
        """Redrive a few."""
        await self._scene.store.jobs.redrive(self.some())

    async def rescue(self) -> None:
        """Let time pass, and take back what is late."""
        self._scene.clock.advance(self._dice.choice([1, 40]))
        await self._scene.store.jobs.rescue(20)

    async def tidy(self) -> None:
        """Move what is due."""
        await self._scene.store.jobs.promote(20)
        await self._scene.store.jobs.resume([], "door")
        await self._scene.store.limits.sweep()


class TestStorm:
    async def test_all_verbs_by_several_processes(self, crowd: list[Scene]) -> None:
        known: list[UUID] = []
        await asyncio.gather(*(Actor(scene, seed, known).live() for seed, scene in enumerate(crowd)))
        one, *_ = crowd
        await one.check_slots()
        assert (await verify(one.store, keep=timedelta(days=1))).findings == ()
        rows = await one.store.insight.jobs(JobFilter(), limit=MANY)
        assert Counter(row.id for row in rows) == Counter(known)
        keys = Counter(row.unique_key for row in rows if row.unique_key and row.state in LIVE)
        assert set(keys.values()) <= {1}
        await self._bring_to_an_end(one)
        assert {row.state for row in await one.store.insight.jobs(JobFilter(), limit=MANY)} <= FINISHED
        assert await one.check_slots() == {}

    @staticmethod
    async def _bring_to_an_end(one: Scene) -> None:
        """Rescue, cancel what waits, and run the rest."""
        one.clock.advance(timedelta(days=2))
        while await one.store.jobs.rescue(MANY):
            pass
        waiting = await one.store.insight.jobs(JobFilter(states=frozenset({State.WAITING})), limit=MANY)
        await one.cancel(*(row.id for row in waiting))
        await one.store.jobs.promote(MANY)
        # A job that was let in may have ended before it took its slot: then others wait for the sweep.
        while (jobs := await one.claim("a", "b")) or await one.store.limits.sweep():
            await one.store.jobs.settle([Settlement(job.id, job.token, DONE, limited=True) for job in jobs])
