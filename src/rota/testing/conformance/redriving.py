"""Redrive: a dead, cancelled or expired job runs again under its id."""

import asyncio

import pytest

from rota.model.ids import new_id
from rota.model.job import ISOLATED, JobFilter, JobRecord
from rota.model.outcome import Failed, Fault, Retried, Succeeded
from rota.model.states import State
from rota.testing.conformance.scene import BOOM, FAILED, HOUR, LEASE, MINUTE, SECOND, Scene, a_job, needs

__all__ = ["TestRedrive", "TestRedriveMany"]


class TestRedrive:
    async def test_a_dead_job_starts_over_under_its_id(self, scene: Scene) -> None:
        job = await scene.finish(
            FAILED, rank=3, key="ada", tags={"a": "b"}, headers={"h": "1"}, max_attempts=2
        )
        dead = await scene.job(job)
        scene.clock.advance(10)
        assert await scene.redrive(job) == [job]
        record = await scene.job(job)
        assert (record.state, record.attempt, record.crashes) == (State.READY, 0, 0)
        assert (record.ready_at, record.finished_at) == (scene.clock.now(), None)
        self._is_free(record)
        kept = [
            "queue", "executor", "task", "payload", "codec", "rank", "key", "tags", "headers", "max_attempts",
            "submitted_at", "fault",
        ]  # fmt: skip
        assert {name: getattr(record, name) for name in kept} == {name: getattr(dead, name) for name in kept}
        assert (await scene.events(job))[-1] == "redrive"

    @staticmethod
    def _is_free(record: JobRecord) -> None:
        assert (record.owner, record.token, record.lease_until, record.held) == (None, None, None, None)
        assert (record.cancel_requested, record.slots) == (False, ())

    async def test_a_cancelled_job(self, scene: Scene) -> None:
        job = await scene.submit()
        await scene.cancel(job)
        assert await scene.redrive(job) == [job]
        assert (await scene.claim_one()).id == job

    async def test_a_job_cancelled_while_it_ran_is_asked_no_more(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.cancel(job.id)
        await scene.store.jobs.give_back([job.claim])
        await scene.redrive(job.id)
        self._is_free(await scene.job(job.id))
        again = await scene.claim_one()
        assert await scene.settle(again, Retried(MINUTE, BOOM))
        assert await scene.state(job.id) is State.SCHEDULED

    async def test_an_expired_job_runs_in_spite_of_its_deadline(self, scene: Scene) -> None:
        job = await scene.submit(expires_in=SECOND)
        scene.clock.advance(2)
        await scene.store.jobs.promote(10)
        assert await scene.redrive(job) == [job]
        assert (await scene.store.jobs.promote(10)).expired == 0
        assert (await scene.claim_one()).id == job

    async def test_a_deadline_that_is_to_come_still_holds(self, scene: Scene) -> None:
        job = await scene.finish(FAILED, expires_in=HOUR)
        await scene.redrive(job)
        scene.clock.advance(HOUR)
        assert (await scene.store.jobs.promote(10)).expired == 1

    async def test_it_stands_at_the_end_of_its_line(self, scene: Scene) -> None:
        job = await scene.finish(FAILED)
        others = await scene.submit_many(2)
        await scene.redrive(job)
        last = await scene.submit()
        assert [one.id for one in await scene.claim()] == [*others, job, last]

    async def test_its_next_attempt_is_its_first(self, scene: Scene) -> None:
        job = await scene.run()
        scene.clock.advance(LEASE)
        await scene.store.jobs.rescue(10)
        await scene.settle(await scene.claim_one(), FAILED)
        await scene.redrive(job.id)
        again = await scene.claim_one()
        assert (again.attempt, again.crashes) == (1, 0)

    async def test_its_crashes_are_forgotten_but_it_still_runs_alone(self, scene: Scene) -> None:
        job = await scene.run()
        assert await scene.settle(job, FAILED, crashed=True)
        dead = await scene.job(job.id)
        assert (dead.executor, dead.crashes, dead.crashes_alone) == (ISOLATED, 1, 1)
        await scene.redrive(job.id)
        record = await scene.job(job.id)
        assert (record.executor, record.crashes, record.crashes_alone) == (ISOLATED, 0, 0)

    async def test_the_old_claim_stays_lost(self, scene: Scene) -> None:
        old = await scene.run()
        await scene.settle(old, FAILED)
        await scene.redrive(old.id)
        before = await scene.job(old.id)
        await scene.settle(old, Succeeded(b"1"))
        assert await scene.job(old.id) == before

    async def test_it_can_fail_and_be_redriven_again(self, scene: Scene) -> None:
        job = await scene.finish(FAILED)
        for number in range(3):
            assert await scene.redrive(job) == [job]
            await scene.settle(await scene.claim_one(), Failed(Fault("E", str(number))))
            assert (await scene.job(job)).fault == Fault("E", str(number))
        assert await scene.count(State.FAILED) == 1

    async def test_it_can_succeed_and_is_dead_no_more(self, scene: Scene) -> None:
        job = await scene.finish(FAILED)
        await scene.redrive(job)
        await scene.settle(await scene.claim_one(), Succeeded(b"1"))
        assert (await scene.store.insight.results([job]))[job].value == b"1"
        assert await scene.count(State.FAILED) == 0
        assert await scene.redrive(job) == []

    async def test_succeeded_live_and_unknown_jobs_are_left_alone(self, scene: Scene) -> None:
        done, running = await scene.finish(), await scene.run()
        jobs = [done, running.id, await scene.submit(), await scene.submit(delay=HOUR)]
        before = [await scene.job(job) for job in jobs]
        assert await scene.redrive(*jobs, new_id()) == []
        assert [await scene.job(job) for job in jobs] == before

    async def test_a_key_that_another_live_job_took_keeps_it_dead(self, scene: Scene) -> None:
        job = await scene.finish(FAILED, unique_key="ada")
        before = await scene.job(job)
        other = await scene.submit(unique_key="ada")
        assert await scene.redrive(job) == []
        assert await scene.job(job) == before
        await scene.cancel(other)
        assert await scene.redrive(job) == [job]
        (again,) = await scene.store.jobs.submit([a_job(unique_key="ada")])
        assert (again.id, again.created) == (job, False)

    async def test_of_two_dead_jobs_with_one_key_one_is_redriven(self, scene: Scene) -> None:
        jobs = [await scene.finish(FAILED, unique_key="ada") for _ in range(2)]
        redriven = await scene.redrive(*jobs)
        assert len(redriven) == 1
        assert sorted(await scene.states(jobs)) == [State.FAILED, State.READY]

    async def test_two_people_redrive_at_once(self, crowd: list[Scene]) -> None:
        one, *_ = crowd
        jobs = [await one.finish(FAILED) for _ in range(10)]
        answers = await asyncio.gather(*(each.redrive(*jobs) for each in crowd))
        assert sorted(job for answer in answers for job in answer) == sorted(jobs)
        assert len(await one.claim()) == 10


class TestRedriveMany:
    async def test_by_ids(self, scene: Scene) -> None:
        jobs = [await scene.finish(FAILED) for _ in range(5)]
        assert set(await scene.redrive(*jobs[:3])) == set(jobs[:3])
        assert await scene.states(jobs) == [State.READY] * 3 + [State.FAILED] * 2

    @pytest.mark.parametrize(
        "which",
        [
            JobFilter(task="send"),
            JobFilter(queue="mail"),
            JobFilter(fault="TimeoutError"),
            JobFilter(tag=("team", "a")),
            JobFilter(states=frozenset({State.FAILED}), key="ada"),
        ],
        ids=["task", "queue", "fault", "tag", "state and key"],
    )
    async def test_by_filter(self, scene: Scene, which: JobFilter) -> None:
        needs(scene.store, "filters")
        fault = Fault("TimeoutError", "too slow", kinds=("builtins.TimeoutError", "builtins.OSError"))
        mine = await scene.finish(Failed(fault), task="send", queue="mail", tags={"team": "a"}, key="ada")
        other = await scene.finish(FAILED, task="work", queue="bulk", tags={"team": "b"}, key="bob")
        done = await scene.finish(task="send", queue="mail", tags={"team": "a"}, key="ada")
        assert await scene.store.jobs.redrive(which) == [mine]
        assert await scene.states([mine, other, done]) == [State.READY, State.FAILED, State.SUCCEEDED]

    async def test_no_ids_are_none_and_not_all(self, scene: Scene) -> None:
        await scene.finish(FAILED)
        assert await scene.redrive() == []

    async def test_all_that_can(self, scene: Scene) -> None:
        dead = [await scene.finish(FAILED) for _ in range(3)]
        cancelled = await scene.submit()
        await scene.cancel(cancelled)
        await scene.finish()
        assert set(await scene.store.jobs.redrive(JobFilter())) == {*dead, cancelled}
