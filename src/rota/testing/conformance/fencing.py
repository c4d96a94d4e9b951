"""Fencing: who lost a claim cannot write, and what is sent twice counts once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from rota.model.events import LogEntry, Progress
from rota.model.ids import new_id, new_token
from rota.model.job import ClaimedJob
from rota.model.outcome import Cancelled, Handed, Outcome, Retried, Settlement, Snooze, Succeeded, Suspended
from rota.model.states import State
from rota.model.worker import Beat
from rota.testing.conformance.scene import BOOM, DONE, FAILED, HOUR, LEASE, MINUTE, START, Scene

__all__ = ["TestSentTwice", "TestStaleClaim", "TestStrangeClaim"]

OUTCOMES: list[Outcome] = [
    DONE,
    Succeeded(b"1", HOUR),
    FAILED,
    Retried(MINUTE, BOOM),
    Retried(timedelta(0), BOOM),
    Snooze(MINUTE),
    Suspended(wake_key="door"),
    Handed("external", START + HOUR),
    Cancelled(),
]


def name(outcome: Outcome) -> str:
    return type(outcome).__name__


async def give_back(scene: Scene, job: ClaimedJob) -> None:
    assert await scene.store.jobs.give_back([job.claim]) == 1


async def rescue(scene: Scene, job: ClaimedJob) -> None:
    scene.clock.advance(LEASE)
    assert [rescued.id for rescued in await scene.store.jobs.rescue(10)] == [job.id]


async def rescue_and_claim(scene: Scene, job: ClaimedJob) -> None:
    await rescue(scene, job)
    assert (await scene.claim_one(owner=new_id())).id == job.id


async def park(scene: Scene, job: ClaimedJob) -> None:
    assert await scene.acquire([job], 0) == []


Loss = Callable[[Scene, ClaimedJob], Awaitable[None]]
LOSSES: list[Loss] = [give_back, rescue, rescue_and_claim, park]


@pytest.mark.parametrize("lose", LOSSES, ids=lambda loss: loss.__name__)
class TestStaleClaim:
    """However the claim was lost: every write with its token changes nothing."""

    @pytest.mark.parametrize("outcome", OUTCOMES, ids=name)
    async def test_an_outcome_is_refused_and_recorded(
        self, scene: Scene, lose: Loss, outcome: Outcome
    ) -> None:
        job = await scene.run()
        await lose(scene, job)
        before, events = await scene.job(job.id), await scene.events(job.id)
        assert not await scene.settle(job, outcome, duration=1)
        assert await scene.job(job.id) == before
        assert await scene.events(job.id) == [*events, "late"]
        assert (await scene.store.insight.results([job.id]))[job.id].value is None

    async def test_an_extension_is_refused_and_told(self, scene: Scene, lose: Loss) -> None:
        job = await scene.run()
        await lose(scene, job)
        before = await scene.job(job.id)
        for started, held in (((job.claim,), ()), ((), (job.claim,))):
            orders = await scene.store.workers.beat(
                Beat(owner=scene.owner, lease=HOUR, started=started, held=held)
            )
            assert orders.lost == {job.id}
            assert await scene.job(job.id) == before

    async def test_logs_and_progress_are_dropped(self, scene: Scene, lose: Loss) -> None:
        job = await scene.run()
        await lose(scene, job)
        before = await scene.job(job.id)
        log = LogEntry(job.id, job.token, 1, scene.clock.now(), "INFO", "too late")
        await scene.store.checkpoints.record([log], [Progress(job.id, job.token, 1, 2)])
        assert await scene.store.insight.logs(job.id) == []
        assert await scene.job(job.id) == before

    async def test_it_cannot_be_given_back(self, scene: Scene, lose: Loss) -> None:
        job = await scene.run()
        await lose(scene, job)
        before = await scene.job(job.id)
        assert await scene.store.jobs.give_back([job.claim]) == 0
        assert await scene.job(job.id) == before

    async def test_it_gets_no_slot(self, scene: Scene, lose: Loss) -> None:
        job = await scene.run()
        await lose(scene, job)
        before = await scene.job(job.id)
        assert await scene.acquire([job], 5) == []
        assert await scene.job(job.id) == before
        await scene.check_slots()


class TestStrangeClaim:
    async def test_another_token_is_refused(self, scene: Scene) -> None:
        job = await scene.run()
        before = await scene.job(job.id)
        for token in (0, new_token(), -job.token):
            settled = await scene.store.jobs.settle([Settlement(job.id, token, DONE)])
            assert settled.refused == {job.id}
        assert await scene.job(job.id) == before
        assert await scene.settle(job)

    async def test_the_token_of_another_job_is_refused(self, scene: Scene) -> None:
        first = await scene.run()
        second = await scene.run()
        settled = await scene.store.jobs.settle([Settlement(first.id, second.token, DONE)])
        assert settled.refused == {first.id}

    async def test_a_job_that_was_not_claimed_has_no_outcome(self, scene: Scene) -> None:
        job = await scene.submit()
        before = await scene.job(job)
        assert (await scene.store.jobs.settle([Settlement(job, 0, DONE)])).refused == {job}
        assert await scene.job(job) == before

    async def test_an_unknown_job_is_refused(self, scene: Scene) -> None:
        unknown = new_id()
        assert (await scene.store.jobs.settle([Settlement(unknown, 1, DONE)])).refused == {unknown}
        assert await scene.store.insight.job(unknown) is None

    async def test_a_finished_job_takes_no_other_token(self, scene: Scene) -> None:
        job = await scene.finish()
        assert (await scene.store.jobs.settle([Settlement(job, new_token(), FAILED)])).refused == {job}
        assert await scene.state(job) is State.SUCCEEDED

    async def test_the_end_of_a_lease_has_one_winner(self, crowd: list[Scene]) -> None:
        one, other, *_ = crowd
        for _ in range(15):
            job = await one.run()
            one.clock.advance(LEASE)
            accepted, rescued = await asyncio.gather(one.settle(job), other.store.jobs.rescue(10))
            assert accepted is not bool(rescued)
            assert await one.state(job.id) is (State.SUCCEEDED if accepted else State.READY)
            await one.cancel(job.id)


class TestSentTwice:
    @pytest.mark.parametrize("outcome", OUTCOMES, ids=name)
    async def test_the_second_is_no_error_and_changes_nothing(self, scene: Scene, outcome: Outcome) -> None:
        job = await scene.run()
        assert await scene.settle(job, outcome)
        before, events = await scene.job(job.id), await scene.events(job.id)
        scene.clock.advance(1)
        assert await scene.settle(job, outcome)
        assert await scene.job(job.id) == before
        assert await scene.events(job.id) == events

    async def test_the_first_outcome_stands(self, scene: Scene) -> None:
        job = await scene.run()
        assert await scene.settle(job, DONE)
        assert await scene.settle(job, FAILED)
        assert await scene.state(job.id) is State.SUCCEEDED

    async def test_the_first_outcome_stands_in_one_call_too(self, scene: Scene) -> None:
        for first, second, state in ((FAILED, DONE, State.FAILED), (DONE, FAILED, State.SUCCEEDED)):
            job = await scene.run()
            outcomes = [Settlement(job.id, job.token, outcome) for outcome in (first, second)]
            assert (await scene.store.jobs.settle(outcomes)).refused == frozenset()
            assert await scene.state(job.id) is state

    async def test_in_one_call(self, scene: Scene) -> None:
        job = await scene.run()
        settlement = Settlement(job.id, job.token, Succeeded(b"1"))
        assert (await scene.store.jobs.settle([settlement, settlement])).refused == frozenset()
        assert await scene.count(State.SUCCEEDED) == 1

    @pytest.mark.parametrize("outcome", [Retried(timedelta(0), BOOM), Snooze(timedelta(0))], ids=name)
    async def test_after_the_next_claim(self, scene: Scene, outcome: Outcome) -> None:
        job = await scene.run()
        await scene.settle(job, outcome)
        again = await scene.claim_one()
        before = await scene.job(job.id)
        assert await scene.settle(job, outcome)
        assert await scene.job(job.id) == before
        assert await scene.settle(again)

    async def test_by_two_processes_at_once(self, crowd: list[Scene]) -> None:
        one, other, *_ = crowd
        for _ in range(10):
            job = await one.run()
            assert all(await asyncio.gather(one.settle(job), other.settle(job)))
            assert await one.state(job.id) is State.SUCCEEDED
            assert await one.events(job.id) == []

    async def test_slots_go_back_once(self, scene: Scene) -> None:
        await scene.submit_many(3)
        first, second, third = await scene.claim()
        assert len(await scene.acquire([first, second, third], 2)) == 2
        for _ in range(2):
            assert await scene.settle(first, limited=True)
        assert await scene.check_slots() == {"task:work": 1}
        assert [job.id for job in await scene.claim()] == [third.id]
