"""Two apps side by side in one database know nothing of each other."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from rota.model.ids import new_id
from rota.model.job import JobFilter
from rota.model.outcome import Suspended
from rota.model.states import State
from rota.model.worker import Beat
from rota.ports.retention import Retention
from rota.testing.conformance.harness import Harness
from rota.testing.conformance.scene import (
    DONE,
    FAILED,
    HOUR,
    LEASE,
    MANY,
    SECOND,
    START,
    Scene,
    a_job,
    a_worker,
)
from rota.testing.conformance.scheduling import a_schedule, a_tick, put

__all__ = ["TestNamespaces", "neighbour"]


@pytest_asyncio.fixture
async def neighbour(harness: Harness, scene: Scene) -> AsyncIterator[Scene]:
    """Another app in the same database."""
    store = harness.store(scene.clock, "two")
    await store.open()
    yield Scene(harness, store, scene.clock)
    await store.close()


class TestNamespaces:
    async def test_jobs(self, scene: Scene, neighbour: Scene) -> None:
        mine, theirs = await scene.submit(rank=5), await neighbour.submit(rank=1)
        assert await scene.store.insight.job(theirs) is None
        assert [job.id for job in await scene.store.insight.jobs(JobFilter(), limit=MANY)] == [mine]
        assert [job.id for job in await scene.claim()] == [mine]
        assert [job.id for job in await neighbour.claim()] == [theirs]

    async def test_one_id_and_one_unique_key_in_both(self, scene: Scene, neighbour: Scene) -> None:
        job = new_id()
        for each in (scene, neighbour):
            submission = a_job(id=job, unique_key="ada", unique_for=HOUR)
            (submitted,) = await each.store.jobs.submit([submission], resend=True)
            assert submitted.created
        await scene.cancel(job)
        assert [await each.state(job) for each in (scene, neighbour)] == [State.CANCELLED, State.READY]

    async def test_claims(self, scene: Scene, neighbour: Scene) -> None:
        job = await scene.run()
        assert not await neighbour.settle(job)
        assert await neighbour.store.jobs.give_back([job.claim]) == 0
        assert await neighbour.acquire([job], 5) == []
        beat = Beat(owner=scene.owner, lease=LEASE, started=(job.claim,), held=())
        assert (await neighbour.store.workers.beat(beat)).lost == {job.id}
        scene.clock.advance(LEASE)
        assert await neighbour.store.jobs.rescue(10) == []
        assert await scene.state(job.id) is State.RUNNING

    async def test_verbs_on_all_jobs(self, scene: Scene, neighbour: Scene) -> None:
        dead, waiting = await scene.finish(FAILED), await scene.finish(Suspended(wake_key="door"))
        jobs = [dead, waiting, await scene.submit(delay=SECOND), await scene.submit(expires_in=SECOND)]
        before = [await scene.job(job) for job in jobs]
        scene.clock.advance(HOUR)
        await neighbour.store.jobs.promote(100)
        await neighbour.store.jobs.cancel(JobFilter())
        await neighbour.store.jobs.redrive(JobFilter())
        await neighbour.store.jobs.resume(jobs, "door")
        await neighbour.store.limits.sweep()
        nothing = Retention(history=SECOND, dead=SECOND, ticks=SECOND)
        await neighbour.store.retention.prune(nothing, 100)
        assert [await scene.job(job) for job in jobs] == before

    async def test_slots_and_pauses(self, scene: Scene, neighbour: Scene) -> None:
        for each in (scene, neighbour):
            assert await each.acquire([await each.run()], 1)
        await scene.store.limits.pause_queue("default", "ada")
        job = await neighbour.submit()
        assert [one.id for one in await neighbour.claim()] == [job]

    async def test_workers_and_tasks(self, scene: Scene, neighbour: Scene) -> None:
        worker = a_worker()
        await scene.store.workers.register(worker)
        assert await neighbour.store.insight.workers() == []
        assert await neighbour.store.insight.tasks() == []
        assert await neighbour.store.workers.drain(worker.id) is False

    async def test_schedules(self, scene: Scene, neighbour: Scene) -> None:
        await put(scene, a_schedule())
        assert await neighbour.store.schedules.list() == []
        assert await neighbour.store.schedules.fire([a_tick()]) == frozenset()
        await put(neighbour, a_schedule())
        fired = [await each.store.schedules.fire([a_tick()]) for each in (scene, neighbour)]
        assert fired == [{"nightly"}, {"nightly"}]
        assert [await each.store.schedules.remove("nightly") for each in (scene, neighbour)] == [True, True]

    async def test_their_ids_differ(self, scene: Scene, neighbour: Scene) -> None:
        first, second = await scene.store.schema(), await neighbour.store.schema()
        assert first.store_id != second.store_id

    async def test_at_the_same_time(self, scene: Scene, neighbour: Scene) -> None:
        async def live(each: Scene) -> None:
            for _ in range(10):
                await each.submit_many(3)
                for job in await each.claim():
                    assert await each.settle(job, DONE)

        await asyncio.gather(live(scene), live(neighbour))
        assert [await each.count(State.SUCCEEDED) for each in (scene, neighbour)] == [30, 30]

    async def test_submits_from_other_threads(self, scene: Scene, neighbour: Scene) -> None:
        await asyncio.to_thread(scene.store.submit_now, [a_job(run_at=START)])
        assert await neighbour.store.insight.counts() == []
