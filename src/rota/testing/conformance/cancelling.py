"""Cancel: at once where nothing runs, by request where something does."""

import asyncio
from datetime import timedelta

import pytest

from rota.model.ids import new_id
from rota.model.job import JobFilter
from rota.model.outcome import Cancelled, Handed, Outcome, Retried, Snooze, Suspended
from rota.model.states import State
from rota.model.worker import Beat
from rota.testing.conformance.scene import BOOM, DONE, FAILED, HOUR, LEASE, MINUTE, START, Scene, needs

__all__ = ["TestCancel", "TestCancelRequested"]

NO_DELAY = timedelta(0)


class TestCancel:
    async def test_a_ready_job(self, scene: Scene) -> None:
        job = await scene.submit()
        scene.clock.advance(1)
        cancelled = await scene.store.jobs.cancel(JobFilter(ids=(job,)))
        assert (cancelled.cancelled, cancelled.requested) == ((job,), ())
        record = await scene.job(job)
        assert (record.state, record.finished_at) == (State.CANCELLED, scene.clock.now())
        assert await scene.events(job) == ["cancel"]
        assert await scene.claim() == []

    async def test_a_scheduled_job(self, scene: Scene) -> None:
        job = await scene.submit(delay=MINUTE)
        assert await scene.cancel(job) == (job,)
        scene.clock.advance(MINUTE)
        assert (await scene.store.jobs.promote(10)).ready == 0
        assert await scene.state(job) is State.CANCELLED

    async def test_a_waiting_job(self, scene: Scene) -> None:
        job = await scene.finish(Suspended(wake_key="door"))
        assert await scene.cancel(job) == (job,)
        assert await scene.store.jobs.resume([job], "door") == 0
        assert await scene.state(job) is State.CANCELLED

    async def test_a_parked_job(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.acquire([job], 0)
        assert await scene.cancel(job.id) == (job.id,)
        assert await scene.state(job.id) is State.CANCELLED

    async def test_finished_and_unknown_jobs_are_left_alone(self, scene: Scene) -> None:
        jobs = [await scene.finish(), await scene.finish(FAILED), new_id()]
        cancelled = await scene.store.jobs.cancel(JobFilter(ids=tuple(jobs)))
        assert (cancelled.cancelled, cancelled.requested) == ((), ())
        assert await scene.states(jobs[:2]) == [State.SUCCEEDED, State.FAILED]

    async def test_many_of_different_states(self, scene: Scene) -> None:
        running = (await scene.run()).id
        ready = await scene.submit()
        later = await scene.submit(delay=HOUR)
        cancelled = await scene.store.jobs.cancel(JobFilter(ids=(running, ready, later)))
        assert set(cancelled.cancelled) == {ready, later}
        assert cancelled.requested == (running,)

    async def test_by_filter(self, scene: Scene) -> None:
        needs(scene.store, "filters")
        jobs = await scene.submit_many(3, queue="mail", key="ada")
        others = [await scene.submit(queue="mail", key="bob"), await scene.submit(key="ada")]
        cancelled = await scene.store.jobs.cancel(JobFilter(queue="mail", key="ada"))
        assert set(cancelled.cancelled) == set(jobs)
        assert await scene.states(others) == [State.READY] * 2

    async def test_no_ids_are_none_and_not_all(self, scene: Scene) -> None:
        job = await scene.submit()
        assert await scene.cancel() == ()
        assert await scene.state(job) is State.READY

    async def test_a_claim_at_the_same_moment(self, crowd: list[Scene]) -> None:
        one, other, *_ = crowd
        jobs = await one.submit_many(20)
        claimed, cancelled = await asyncio.gather(
            one.claim(limit=10), other.store.jobs.cancel(JobFilter(ids=tuple(jobs)))
        )
        assert {job.id for job in claimed} == set(cancelled.requested)
        assert set(cancelled.cancelled) | set(cancelled.requested) == set(jobs)


class TestCancelRequested:
    async def test_a_running_job_runs_on_until_its_owner_stops(self, scene: Scene) -> None:
        job = await scene.run()
        before = await scene.job(job.id)
        cancelled = await scene.store.jobs.cancel(JobFilter(ids=(job.id,)))
        assert (cancelled.cancelled, cancelled.requested) == ((), (job.id,))
        record = await scene.job(job.id)
        assert (record.state, record.cancel_requested) == (State.RUNNING, True)
        assert (record.token, record.lease_until) == (before.token, before.lease_until)
        assert await scene.events(job.id) == ["cancel"]
        assert await scene.settle(job, Cancelled("asked"))
        assert await scene.state(job.id) is State.CANCELLED

    async def test_a_beat_tells_the_owner(self, scene: Scene) -> None:
        first, second = await scene.run(), await scene.run()
        await scene.cancel(first.id)
        beat = Beat(owner=scene.owner, lease=LEASE, started=(first.claim,), held=(second.claim,))
        assert (await scene.store.workers.beat(beat)).cancel == {first.id}
        await scene.cancel(second.id)
        assert (await scene.store.workers.beat(beat)).cancel == {first.id, second.id}

    async def test_a_handed_job_is_asked_for_too(self, scene: Scene) -> None:
        job = await scene.finish(Handed("external", START + HOUR))
        cancelled = await scene.store.jobs.cancel(JobFilter(ids=(job,)))
        assert (cancelled.cancelled, cancelled.requested) == ((), (job,))
        record = await scene.job(job)
        assert (record.state, record.cancel_requested) == (State.HANDED, True)

    @pytest.mark.parametrize(
        "outcome",
        [
            Retried(MINUTE, BOOM),
            Retried(NO_DELAY, BOOM),
            Snooze(MINUTE),
            Snooze(NO_DELAY),
            Suspended(wake_key="door"),
            Cancelled(),
        ],
        ids=lambda outcome: type(outcome).__name__,
    )
    async def test_a_job_that_would_run_again_is_cancelled(self, scene: Scene, outcome: Outcome) -> None:
        job = await scene.run()
        await scene.cancel(job.id)
        scene.clock.advance(1)
        assert await scene.settle(job, outcome)
        record = await scene.job(job.id)
        assert (record.state, record.finished_at) == (State.CANCELLED, scene.clock.now())
        assert await scene.settle(job, outcome), "sent twice"

    @pytest.mark.parametrize(
        ("outcome", "state"),
        [(DONE, State.SUCCEEDED), (FAILED, State.FAILED), (Handed("external", START + HOUR), State.HANDED)],
        ids=["succeeded", "failed", "handed"],
    )
    async def test_an_end_that_came_first_stands(self, scene: Scene, outcome: Outcome, state: State) -> None:
        job = await scene.run()
        await scene.cancel(job.id)
        assert await scene.settle(job, outcome)
        assert await scene.state(job.id) is state

    async def test_a_job_given_back_is_cancelled(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.cancel(job.id)
        assert await scene.store.jobs.give_back([job.claim]) == 1
        assert await scene.state(job.id) is State.CANCELLED

    async def test_a_job_refused_a_slot_is_cancelled(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.cancel(job.id)
        assert await scene.acquire([job], 0) == []
        assert await scene.state(job.id) is State.CANCELLED

    async def test_a_rescued_job_is_cancelled(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.cancel(job.id)
        scene.clock.advance(LEASE)
        (rescued,) = await scene.store.jobs.rescue(10)
        assert (rescued.id, rescued.state) == (job.id, State.CANCELLED)
        assert await scene.state(job.id) is State.CANCELLED
        assert await scene.claim() == []

    async def test_a_handed_job_past_its_deadline_is_cancelled(self, scene: Scene) -> None:
        job = await scene.finish(Handed("external", START + MINUTE))
        await scene.cancel(job)
        scene.clock.advance(MINUTE)
        assert [one.state for one in await scene.store.jobs.rescue(10)] == [State.CANCELLED]

    async def test_the_slots_of_such_a_job_go_back(self, scene: Scene) -> None:
        await scene.submit_many(2)
        first, second = await scene.claim()
        await scene.acquire([first, second], 1)
        await scene.cancel(first.id)
        assert await scene.settle(first, Retried(MINUTE, BOOM), limited=True)
        assert await scene.check_slots() == {}
        assert [job.id for job in await scene.claim()] == [second.id]

    async def test_asked_twice_is_asked_once(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.cancel(job.id)
        before, events = await scene.job(job.id), await scene.events(job.id)
        assert (await scene.store.jobs.cancel(JobFilter(ids=(job.id,)))).cancelled == ()
        assert await scene.job(job.id) == before
        assert await scene.events(job.id) == events
