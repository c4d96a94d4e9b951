"""Promote: what is due becomes ready, what is past its deadline expires."""

import asyncio
from datetime import timedelta

from rota.model.outcome import Retried, Suspended
from rota.model.states import State
from rota.ports.jobs import Promoted
from rota.testing.conformance.scene import BOOM, HOUR, LEASE, MINUTE, SECOND, Scene, a_job

__all__ = ["TestExpiry", "TestPromote"]


class TestPromote:
    async def test_a_job_is_ready_at_its_moment_and_not_before(self, scene: Scene) -> None:
        job = await scene.submit(delay=MINUTE)
        scene.clock.advance(MINUTE - timedelta(microseconds=1))
        assert (await scene.store.jobs.promote(10)).ready == 0
        assert await scene.state(job) is State.SCHEDULED
        scene.clock.advance(timedelta(microseconds=1))
        assert await scene.store.jobs.promote(10) == Promoted(1, 0, None)
        record = await scene.job(job)
        assert (record.state, record.ready_at) == (State.READY, scene.clock.now())
        assert record.run_at == scene.clock.now()

    async def test_nothing_to_do(self, scene: Scene) -> None:
        assert await scene.store.jobs.promote(10) == Promoted(0, 0, None)

    async def test_it_says_how_long_until_the_next(self, scene: Scene) -> None:
        await scene.submit(delay=HOUR)
        await scene.submit(delay=MINUTE)
        scene.clock.advance(20)
        assert await scene.store.jobs.promote(10) == Promoted(0, 0, timedelta(seconds=40))

    async def test_a_waiting_job_counts_as_the_next_too(self, scene: Scene) -> None:
        await scene.submit(delay=HOUR)
        await scene.finish(Suspended(wake_at=scene.clock.now() + MINUTE))
        assert (await scene.store.jobs.promote(10)).wait == MINUTE

    async def test_a_full_portion_says_that_there_is_more(self, scene: Scene) -> None:
        await scene.submit_many(5, delay=SECOND)
        scene.clock.advance(1)
        promoted = [await scene.store.jobs.promote(2) for _ in range(3)]
        assert [one.ready for one in promoted] == [2, 2, 1]
        assert [one.wait for one in promoted] == [timedelta(0), timedelta(0), None]

    async def test_the_first_due_come_first(self, scene: Scene) -> None:
        late = await scene.submit(delay=timedelta(seconds=3))
        early = await scene.submit(delay=SECOND)
        scene.clock.advance(5)
        await scene.store.jobs.promote(1)
        assert await scene.states([early, late]) == [State.READY, State.SCHEDULED]

    async def test_a_retry_is_promoted(self, scene: Scene) -> None:
        job = await scene.finish(Retried(MINUTE, BOOM))
        scene.clock.advance(MINUTE)
        await scene.store.jobs.promote(10)
        record = await scene.job(job)
        assert (record.state, record.fault) == (State.READY, BOOM)

    async def test_a_waiting_job_wakes_at_its_moment(self, scene: Scene) -> None:
        job = await scene.finish(Suspended(wake_key="door", wake_at=scene.clock.now() + MINUTE))
        scene.clock.advance(59)
        assert (await scene.store.jobs.promote(10)).ready == 0
        scene.clock.advance(1)
        assert (await scene.store.jobs.promote(10)).ready == 1
        record = await scene.job(job)
        assert (record.state, record.wake_key, record.wake_at) == (State.READY, None, None)

    async def test_what_runs_is_left_alone(self, scene: Scene) -> None:
        job = await scene.run(run_at=scene.clock.now() - HOUR)
        before = await scene.job(job.id)
        scene.clock.advance(HOUR)
        assert await scene.store.jobs.promote(10) == Promoted(0, 0, None)
        assert await scene.job(job.id) == before

    async def test_two_promoters_move_each_job_once(self, scene: Scene, crowd: list[Scene]) -> None:
        await scene.submit_many(100, delay=SECOND)
        scene.clock.advance(1)
        promoted = await asyncio.gather(*(one.store.jobs.promote(20) for one in crowd * 3))
        assert sum(one.ready for one in promoted) == await scene.count(State.READY)
        while (await scene.store.jobs.promote(20)).ready:
            pass
        assert len(await scene.claim(limit=200)) == 100

    async def test_a_job_cancelled_in_the_same_moment_has_one_end(self, crowd: list[Scene]) -> None:
        one, other, *_ = crowd
        jobs = await one.submit_many(20, delay=SECOND)
        one.clock.advance(1)
        _, cancelled = await asyncio.gather(one.store.jobs.promote(20), other.cancel(*jobs[::2]))
        assert set(cancelled) == set(jobs[::2])
        assert {job.id for job in await one.claim()} == set(jobs[1::2])


class TestExpiry:
    async def test_a_ready_job_expires_at_its_deadline(self, scene: Scene) -> None:
        job = await scene.submit(expires_in=MINUTE)
        scene.clock.advance(59)
        assert (await scene.store.jobs.promote(10)).expired == 0
        scene.clock.advance(1)
        assert await scene.store.jobs.promote(10) == Promoted(0, 1, None)
        record = await scene.job(job)
        assert (record.state, record.finished_at) == (State.EXPIRED, scene.clock.now())
        assert (record.attempt, record.started_at) == (0, None)
        assert await scene.claim() == []

    async def test_a_job_past_its_deadline_is_not_claimed(self, scene: Scene) -> None:
        late = await scene.submit(expires_in=MINUTE, rank=-1)
        job = await scene.submit(expires_in=HOUR)
        scene.clock.advance(MINUTE)
        assert [one.id for one in await scene.claim(limit=1)] == [job]
        assert await scene.state(late) is State.READY

    async def test_a_scheduled_job_expires_and_is_not_run_late(self, scene: Scene) -> None:
        job = await scene.submit(delay=MINUTE, expires_in=2 * MINUTE)
        scene.clock.advance(HOUR)
        promoted = await scene.store.jobs.promote(10)
        assert (promoted.expired, promoted.wait) == (1, None)
        assert await scene.state(job) is State.EXPIRED

    async def test_a_scheduled_job_may_expire_before_it_is_due(self, scene: Scene) -> None:
        job = await scene.submit(delay=HOUR, expires_in=MINUTE)
        scene.clock.advance(MINUTE)
        assert (await scene.store.jobs.promote(10)).expired == 1
        assert await scene.state(job) is State.EXPIRED

    async def test_a_parked_job_expires(self, scene: Scene) -> None:
        job = await scene.run(expires_in=HOUR)
        await scene.acquire([job], 0)
        scene.clock.advance(HOUR)
        assert (await scene.store.jobs.promote(10)).expired == 1
        assert await scene.state(job.id) is State.EXPIRED

    async def test_what_has_started_does_not_expire(self, scene: Scene) -> None:
        job = await scene.run(expires_in=SECOND)
        scene.clock.advance(2)
        assert (await scene.store.jobs.promote(10)).expired == 0
        assert await scene.settle(job)

    async def test_what_waits_does_not_expire(self, scene: Scene) -> None:
        job = await scene.finish(Suspended(wake_key="door"), expires_in=SECOND)
        scene.clock.advance(2)
        assert (await scene.store.jobs.promote(10)).expired == 0
        assert await scene.state(job) is State.WAITING

    async def test_a_rescued_job_expires(self, scene: Scene) -> None:
        job = await scene.run(expires_in=SECOND)
        scene.clock.advance(LEASE)
        await scene.store.jobs.rescue(10)
        assert (await scene.store.jobs.promote(10)).expired == 1
        assert await scene.state(job.id) is State.EXPIRED

    async def test_in_portions(self, scene: Scene) -> None:
        await scene.store.jobs.submit([a_job(expires_in=SECOND) for _ in range(5)])
        scene.clock.advance(1)
        promoted = [await scene.store.jobs.promote(2) for _ in range(3)]
        assert [one.expired for one in promoted] == [2, 2, 1]
        assert promoted[0].wait == timedelta(0)
