"""Jobs that come back without an outcome: given back by their owner, or rescued from it."""

import asyncio

import pytest

from rota.model.ids import new_id
from rota.model.job import ISOLATED, Claim
from rota.model.outcome import Handed
from rota.model.states import State
from rota.model.worker import Beat
from rota.testing.conformance.scene import HOUR, LEASE, MINUTE, SECOND, START, Scene, a_worker

__all__ = ["TestGiveBack", "TestRescue"]


class TestGiveBack:
    async def test_the_job_is_as_if_it_had_not_been_claimed(self, scene: Scene) -> None:
        job = await scene.submit(rank=2)
        before = await scene.job(job)
        claimed = await scene.claim_one()
        scene.clock.advance(1)
        assert await scene.store.jobs.give_back([claimed.claim]) == 1
        record = await scene.job(job)
        assert (record.state, record.attempt, record.crashes) == (State.READY, 0, 0)
        assert (record.owner, record.token, record.lease_until) == (None, None, None)
        assert (record.submitted_at, record.run_at) == (before.submitted_at, before.run_at)

    async def test_it_counts_no_attempt(self, scene: Scene) -> None:
        await scene.submit()
        for _ in range(3):
            claimed = await scene.claim_one()
            assert claimed.attempt == 1
            await scene.store.jobs.give_back([claimed.claim])

    async def test_a_job_that_had_not_started_leaves_no_event(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.store.workers.beat(Beat(owner=scene.owner, lease=LEASE, started=(), held=(job.claim,)))
        await scene.store.jobs.give_back([job.claim])
        assert await scene.events(job.id) == []

    async def test_a_job_that_had_started_leaves_one(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.store.workers.beat(Beat(owner=scene.owner, lease=LEASE, started=(job.claim,), held=()))
        await scene.store.jobs.give_back([job.claim])
        assert await scene.events(job.id) == ["give_back"]

    async def test_a_job_that_started_after_the_last_beat_leaves_one_too(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.store.jobs.give_back([job.claim], begun=True)
        assert await scene.events(job.id) == ["give_back"]

    async def test_several_of_which_some_are_lost(self, scene: Scene) -> None:
        await scene.submit_many(4)
        claimed = await scene.claim()
        await scene.settle(claimed[0])
        claims = [*(job.claim for job in claimed), Claim(new_id(), 1)]
        assert await scene.store.jobs.give_back(claims) == 3
        assert await scene.states([job.id for job in claimed]) == [State.SUCCEEDED] + [State.READY] * 3

    async def test_nothing_to_give_back(self, scene: Scene) -> None:
        assert await scene.store.jobs.give_back([]) == 0

    async def test_a_handed_job_by_the_token_that_its_row_shows(self, scene: Scene) -> None:
        job = await scene.job(await scene.finish(Handed("external", START + HOUR)))
        assert await scene.store.jobs.give_back([Claim(job.id, job.token or 0)]) == 1
        record = await scene.job(job.id)
        assert (record.state, record.attempt) == (State.READY, 0)


class TestRescue:
    async def test_a_job_whose_lease_passed_runs_again(self, scene: Scene) -> None:
        job = await scene.run()
        scene.clock.advance(LEASE - SECOND)
        assert await scene.store.jobs.rescue(10) == []
        scene.clock.advance(SECOND)
        (rescued,) = await scene.store.jobs.rescue(10)
        assert (rescued.id, rescued.owner, rescued.state) == (job.id, scene.owner, State.READY)
        record = await scene.job(job.id)
        assert (record.state, record.owner, record.token) == (State.READY, None, None)
        assert record.lease_until is None
        assert await scene.events(job.id) == ["rescue"]

    async def test_a_crash_counts_as_an_attempt_and_as_a_crash(self, scene: Scene) -> None:
        await scene.submit()
        for number in range(3):
            claimed = await scene.claim_one()
            assert (claimed.attempt, claimed.crashes) == (number + 1, number)
            scene.clock.advance(LEASE)
            await scene.store.jobs.rescue(10)

    async def test_who_extends_in_time_keeps_the_claim(self, scene: Scene) -> None:
        job = await scene.run()
        for _ in range(10):
            scene.clock.advance(LEASE - SECOND)
            beat = Beat(owner=scene.owner, lease=LEASE, started=(job.claim,), held=())
            assert not (await scene.store.workers.beat(beat)).lost
            assert await scene.store.jobs.rescue(10) == []
        assert await scene.settle(job)

    async def test_a_pause_shorter_than_the_lease_causes_no_second_run(self, scene: Scene) -> None:
        job = await scene.run()
        scene.clock.advance(LEASE - SECOND)
        assert await scene.store.jobs.rescue(10) == []
        assert await scene.settle(job)

    @pytest.mark.parametrize("executor", ["async", "thread", "process", "lambda"])
    async def test_what_may_have_killed_its_worker_runs_alone_from_then_on(
        self, scene: Scene, executor: str
    ) -> None:
        job = await scene.submit(executor=executor)
        await scene.claim(limits={executor: 1})
        scene.clock.advance(LEASE)
        await scene.store.jobs.rescue(10, isolate=True)
        record = await scene.job(job)
        # What runs elsewhere cannot have killed a worker.
        assert record.executor == (ISOLATED if executor != "lambda" else executor)
        assert (record.crashes, record.crashes_alone) == (1, 0)
        assert await scene.claim(limits=dict.fromkeys({"async", executor} - {"lambda"}, 1)) == []
        (again,) = await scene.claim(limits={record.executor: 1})
        assert (again.id, again.crashes, again.crashes_alone) == (job, 1, 0)

    async def test_a_handed_job_that_is_lost_has_killed_nobody(self, scene: Scene) -> None:
        job = await scene.finish(Handed("external", START + HOUR))
        scene.clock.advance(HOUR)
        await scene.store.jobs.rescue(10, isolate=True)
        assert (await scene.job(job)).executor == "async"

    async def test_a_handed_job_comes_back_at_its_deadline(self, scene: Scene) -> None:
        job = await scene.finish(Handed("external", START + HOUR))
        scene.clock.advance(LEASE)
        assert await scene.store.jobs.rescue(10) == []
        scene.clock.advance(HOUR - LEASE)
        assert [one.id for one in await scene.store.jobs.rescue(10)] == [job]
        record = await scene.job(job)
        assert (record.state, record.attempt, record.crashes) == (State.READY, 1, 1)

    async def test_in_portions(self, scene: Scene) -> None:
        jobs = await scene.submit_many(5)
        await scene.claim()
        scene.clock.advance(LEASE)
        portions = [await scene.store.jobs.rescue(2) for _ in range(4)]
        assert [len(portion) for portion in portions] == [2, 2, 1, 0]
        assert {one.id for portion in portions for one in portion} == set(jobs)

    async def test_only_those_that_are_silent(self, scene: Scene) -> None:
        await scene.submit_many(2)
        short = await scene.claim_one(lease=SECOND)
        long = await scene.claim_one(lease=HOUR)
        scene.clock.advance(MINUTE)
        assert [one.id for one in await scene.store.jobs.rescue(10)] == [short.id]
        assert await scene.state(long.id) is State.RUNNING

    async def test_two_rescuers_take_each_job_once(self, crowd: list[Scene]) -> None:
        one, *_ = crowd
        jobs = await one.submit_many(40)
        await one.claim()
        one.clock.advance(LEASE)
        rescued = await asyncio.gather(*(each.store.jobs.rescue(15) for each in crowd))
        taken = [job.id for portion in rescued for job in portion]
        assert len(taken) == len(set(taken))
        taken += [job.id for job in await one.store.jobs.rescue(100)]
        assert sorted(taken) == sorted(jobs)
        assert {job.crashes for job in await one.claim()} == {1}

    @pytest.mark.parametrize("registered", [True, False], ids=["registered", "not registered"])
    async def test_the_rows_of_silent_workers_go_too(self, scene: Scene, *, registered: bool) -> None:
        worker = a_worker(id=scene.owner)
        await scene.store.workers.register(worker)
        beat = Beat(owner=scene.owner, lease=LEASE, started=(), held=())
        await scene.store.workers.beat(beat)
        scene.clock.advance(LEASE if not registered else LEASE - SECOND)
        await scene.store.jobs.rescue(10)
        assert [one.id for one in await scene.store.insight.workers()] == (
            [scene.owner] if registered else []
        )
        assert (await scene.store.workers.beat(beat)).known is registered
