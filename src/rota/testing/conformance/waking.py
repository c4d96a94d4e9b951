"""Wake-ups: they shorten waiting, and come only where someone waits."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from rota.model.events import Notice
from rota.model.job import JobFilter
from rota.model.worker import Beat
from rota.testing.conformance.scene import FAILED, HOUR, LEASE, SECOND, Scene, a_job, a_worker, needs

__all__ = ["TestWakeup", "ear"]

_FENCE = Notice("queues", "the fence")
_READY = Notice("ready", "default")


class Ear:
    """What another process hears."""

    def __init__(self, speaker: Scene) -> None:
        self._speaker = speaker
        self._heard: asyncio.Queue[Notice] = asyncio.Queue()

    def hear(self, notice: Notice) -> None:
        """Take a notice."""
        self._heard.put_nowait(notice)

    async def heard(self) -> list[Notice]:
        """Return the notices since the last call.

        Silence cannot be waited for; but what was sent before a last notice comes before it.
        """
        await self._speaker.store.wakeup.notify(_FENCE)
        notices = []
        async with asyncio.timeout(10):
            while (notice := await self._heard.get()) != _FENCE:
                notices.append(notice)
        return notices


@pytest_asyncio.fixture
async def ear(crowd: list[Scene]) -> AsyncIterator[Ear]:
    """Listens to what the first process of the crowd does."""
    speaker, listener, *_ = crowd
    needs(speaker.store, "push_wakeup")
    one = Ear(speaker)
    await listener.store.wakeup.start(one.hear)
    await one.heard()  # a store may ask its listener to look around at the start
    yield one
    await listener.store.wakeup.stop()


async def wait_for_work(scene: Scene, *queues: str) -> None:
    """Let a worker wait for jobs of these queues."""
    worker = a_worker(*queues)
    await scene.store.workers.register(worker)
    await scene.store.workers.idle(worker.id, idle=True)


class TestWakeup:
    async def test_a_notice_reaches_another_process(self, scene: Scene, ear: Ear) -> None:
        notices = [Notice("ready", "ø queue"), Notice("schedules", "nightly"), Notice("workers", "w")]
        for notice in notices:
            await scene.store.wakeup.notify(notice)
        assert await ear.heard() == notices

    async def test_a_submit_wakes_an_idle_worker_of_its_queue(self, scene: Scene, ear: Ear) -> None:
        await wait_for_work(scene)
        await scene.submit()
        assert await ear.heard() == [_READY]

    async def test_a_synchronous_submit_does_too(self, scene: Scene, ear: Ear) -> None:
        await wait_for_work(scene)
        await asyncio.to_thread(scene.store.submit_now, [a_job()])
        assert await ear.heard() == [_READY]

    async def test_one_call_notifies_once_for_each_queue(self, scene: Scene, ear: Ear) -> None:
        await wait_for_work(scene, "mail", "bulk")
        await scene.store.jobs.submit([a_job(queue=queue) for queue in ("mail", "bulk", "other") * 5])
        assert sorted(notice.name for notice in await ear.heard()) == ["bulk", "mail"]

    async def test_nobody_idle_no_notice(self, scene: Scene, ear: Ear) -> None:
        await scene.submit()
        worker = a_worker()
        await scene.store.workers.register(worker)
        await scene.submit()
        await scene.store.workers.idle(worker.id, idle=True)
        await scene.store.workers.idle(worker.id, idle=False)
        await scene.submit()
        assert await ear.heard() == []

    async def test_idle_in_other_queues_no_notice(self, scene: Scene, ear: Ear) -> None:
        await wait_for_work(scene, "mail")
        await scene.submit()
        assert await ear.heard() == []

    async def test_a_job_that_was_there_already_wakes_nobody(self, scene: Scene, ear: Ear) -> None:
        await scene.submit(unique_key="ada")
        await wait_for_work(scene)
        await scene.store.jobs.submit([a_job(unique_key="ada")])
        assert await ear.heard() == []

    async def test_a_job_due_soon_wakes_the_promoter(self, scene: Scene, ear: Ear) -> None:
        await wait_for_work(scene)
        await scene.submit(delay=HOUR)
        assert await ear.heard() == []
        await scene.submit(delay=SECOND)
        assert [notice.kind for notice in await ear.heard()] == ["scheduled"]

    async def test_a_promotion_wakes_an_idle_worker(self, scene: Scene, ear: Ear) -> None:
        await scene.submit_many(3, delay=HOUR)
        await scene.submit(queue="other", delay=HOUR)
        await wait_for_work(scene)
        scene.clock.advance(HOUR)
        await scene.store.jobs.promote(10)
        assert await ear.heard() == [_READY]

    async def test_a_freed_slot_wakes_an_idle_worker(self, scene: Scene, ear: Ear) -> None:
        await scene.submit_many(2)
        first, second = await scene.claim()
        await scene.acquire([first, second], 1)
        await wait_for_work(scene)
        await scene.settle(first, limited=True)
        assert await ear.heard() == [_READY]

    async def test_a_request_to_cancel_is_told(self, scene: Scene, ear: Ear) -> None:
        job = await scene.run()
        await scene.store.jobs.cancel(JobFilter(ids=(job.id,)))
        assert [notice.kind for notice in await ear.heard()] == ["cancel"]

    async def test_jobs_that_come_back_wake_an_idle_worker(self, scene: Scene, ear: Ear) -> None:
        lost, dead = await scene.run(), await scene.finish(FAILED)
        scene.clock.advance(LEASE)
        await wait_for_work(scene)
        assert len(await scene.store.jobs.rescue(10)) == 1
        assert await ear.heard() == [_READY]
        assert await scene.redrive(dead) == [dead]
        assert await ear.heard() == [_READY]
        assert lost.id in {job.id for job in await scene.claim()}

    async def test_the_ordinary_road_is_silent(self, scene: Scene, ear: Ear) -> None:
        await scene.submit_many(3)
        await wait_for_work(scene)
        jobs = await scene.claim()
        beat = Beat(owner=scene.owner, lease=LEASE, started=(jobs[0].claim,), held=())
        await scene.store.workers.beat(beat)
        for job in jobs:
            await scene.settle(job)
        await scene.store.jobs.promote(10)
        assert await ear.heard() == []

    async def test_who_stopped_hears_nothing(self, crowd: list[Scene], ear: Ear) -> None:
        _, _, third, *_ = crowd
        heard: list[Notice] = []
        await third.store.wakeup.start(heard.append)
        await third.store.wakeup.stop()
        heard.clear()
        assert await ear.heard() == []
        assert heard == []
