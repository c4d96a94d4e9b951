"""Ticks while earlier jobs of their schedule have not finished, and moments of the past."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from rota.model.job import ClaimedJob, JobFilter, Submission
from rota.model.outcome import Outcome, Retried
from rota.model.schedule import ScheduleChange, ScheduleRecord, Tick
from rota.model.states import State
from rota.testing.conformance.scene import BOOM, DONE, FAILED, HOUR, MINUTE, START, Scene, a_job, must
from rota.testing.conformance.scheduling import a_schedule, a_tick, put

__all__ = ["TestBackfill", "TestOverlap", "TestPauses", "TestTickAudit", "TestVersions"]

IN_LINE = ("queue", "cancel_running")


async def tick(scene: Scene, overlap: str, number: int, *, backfill: bool = False) -> UUID:
    """Fire the tick of a minute; returns its job, stored or not."""
    moment = START + number * MINUTE
    scene.clock.set(max(moment, scene.clock.now()))
    submission = job_of(moment, overlap)
    one = a_tick(due=moment, at=moment, next_at=moment + MINUTE, submission=submission, overlap=overlap)
    if backfill:
        await scene.store.schedules.backfill([one])
    else:
        assert await scene.store.schedules.fire([one]) == {"nightly"}
    return submission.id


def job_of(moment: datetime, overlap: str = "allow", **fields: Any) -> Submission:
    options = {"overlap": overlap} if overlap in IN_LINE else None
    return a_job(schedule="nightly", due=moment, options=options, **fields)


def past(number: int, overlap: str = "queue") -> Tick:
    moment = START - number * MINUTE
    return a_tick(due=moment, at=moment, next_at=None, submission=job_of(moment, "queue"), overlap=overlap)


async def end(scene: Scene, job: ClaimedJob, outcome: Outcome = DONE) -> None:
    assert await scene.settle(job, outcome, limited=True)


async def state_of_tick(scene: Scene, number: int = 0) -> tuple[str, UUID | None, str]:
    ticks = await scene.store.schedules.ticks("nightly", limit=10)
    return ticks[number].state, ticks[number].job, ticks[number].reason or ""


class TestOverlap:
    async def test_skip_records_why_and_the_next_one_runs(self, scene: Scene) -> None:
        await put(scene, a_schedule())
        first = await tick(scene, "skip", 0)
        second = await tick(scene, "skip", 1)
        state, job, reason = await state_of_tick(scene)
        assert (state, job) == ("skipped", None)
        assert str(first) in reason
        assert await scene.store.insight.job(second) is None
        schedule = must(await scene.store.schedules.get("nightly"))
        assert (schedule.last_at, schedule.last_job) == (START + MINUTE, first)
        assert schedule.next_at == START + 2 * MINUTE
        await end(scene, await scene.claim_one())
        third = await tick(scene, "skip", 2)
        assert await scene.state(third) is State.READY

    @pytest.mark.parametrize("state", ["running", "scheduled", "forced"])
    async def test_every_unfinished_job_counts(self, scene: Scene, state: str) -> None:
        await put(scene, a_schedule())
        if state == "forced":
            await scene.submit(schedule="nightly")
        else:
            await tick(scene, "skip", 0)
            job = await scene.claim_one()
            if state == "scheduled":
                await scene.settle(job, Retried(timedelta(hours=1), BOOM))
        await tick(scene, "skip", 0 if state == "forced" else 1)
        assert (await state_of_tick(scene))[0] == "skipped"

    async def test_allow_runs_beside_them(self, scene: Scene) -> None:
        await put(scene, a_schedule())
        jobs = [await tick(scene, "allow", number) for number in range(3)]
        assert {job.id for job in await scene.claim()} == set(jobs)

    @pytest.mark.parametrize("outcome", [DONE, FAILED])
    async def test_queue_runs_one_after_another_in_order(self, scene: Scene, outcome: Outcome) -> None:
        await put(scene, a_schedule())
        jobs = [await tick(scene, "queue", number) for number in range(3)]
        assert (await scene.job(jobs[1])).held == "overlap:nightly"
        for job in jobs:
            (claimed,) = await scene.claim()
            assert claimed.id == job
            assert await scene.claim() == []
            await end(scene, claimed, outcome)
        assert await scene.claim() == []

    async def test_queue_waits_for_one_that_is_to_be_retried(self, scene: Scene) -> None:
        await put(scene, a_schedule())
        first = await tick(scene, "queue", 0)
        second = await tick(scene, "queue", 1)
        await end(scene, await scene.claim_one(), Retried(timedelta(seconds=5), BOOM))
        assert await scene.claim() == []
        scene.clock.advance(5)
        await scene.store.jobs.promote(10)
        (again,) = await scene.claim()
        assert again.id == first
        await end(scene, again)
        assert (await scene.claim_one()).id == second

    @pytest.mark.parametrize("how", ["cancel", "expire", "rescue", "give_back"])
    async def test_queue_goes_on_however_the_first_one_ends(self, scene: Scene, how: str) -> None:
        await put(scene, a_schedule())
        expires = {"expires_at": START + 2 * MINUTE} if how == "expire" else {}
        submission = job_of(START, "queue", **expires)
        await scene.store.schedules.fire([a_tick(submission=submission, overlap="queue")])
        second = await tick(scene, "queue", 1)
        if how in {"rescue", "give_back"}:
            claimed = await scene.claim_one()
            assert (await scene.store.jobs.cancel(JobFilter(ids=(submission.id,)))).requested
            if how == "give_back":
                await scene.store.jobs.give_back([claimed.claim])
            else:
                scene.clock.advance(HOUR)
                await scene.store.jobs.rescue(10)
        elif how == "cancel":
            assert await scene.cancel(submission.id) == (submission.id,)
        else:
            scene.clock.advance(5 * MINUTE)
            await scene.store.jobs.promote(10)
        assert (await scene.claim_one()).id == second

    async def test_queue_holds_a_hundred_and_skips_the_rest(self, scene: Scene) -> None:
        await put(scene, a_schedule())
        for number in range(101):
            await tick(scene, "queue", number)
        assert (await state_of_tick(scene))[0] == "skipped"
        assert (await state_of_tick(scene, 1))[0] == "fired"

    async def test_cancel_running_asks_and_runs_when_the_others_have_ended(self, scene: Scene) -> None:
        await put(scene, a_schedule())
        first = await tick(scene, "cancel_running", 0)
        claimed = await scene.claim_one()
        second = await tick(scene, "cancel_running", 1)
        assert (await scene.job(first)).cancel_requested
        assert await scene.claim() == []
        third = await tick(scene, "cancel_running", 2)
        assert await scene.state(second) is State.CANCELLED
        await end(scene, claimed)
        assert (await scene.claim_one()).id == third

    async def test_a_policy_that_was_changed_leaves_nobody_waiting(self, scene: Scene) -> None:
        await put(scene, a_schedule())
        await tick(scene, "allow", 0)
        claimed = await scene.claim_one()
        second = await tick(scene, "queue", 1)
        assert await scene.settle(claimed)
        await scene.store.limits.sweep()
        assert (await scene.claim_one()).id == second


class TestBackfill:
    async def test_past_moments_run_once(self, scene: Scene) -> None:
        await put(scene, a_schedule())
        assert await scene.store.schedules.backfill([past(2), past(1)]) == 2
        assert await scene.store.schedules.backfill([past(3), past(2), past(1)]) == 1
        (_, *ticks) = await scene.store.schedules.ticks("nightly", limit=10)
        assert {one.source for one in ticks} == {"backfill"}
        schedule = must(await scene.store.schedules.get("nightly"))
        assert (schedule.next_at, schedule.last_at) == (START, None)

    async def test_one_after_another_or_all_at_once(self, scene: Scene) -> None:
        await put(scene, a_schedule())
        await scene.store.schedules.backfill([past(2), past(1)])
        (first,) = await scene.claim()
        assert first.due == START - 2 * MINUTE
        await end(scene, first)
        (second,) = await scene.claim()
        await end(scene, second)
        await scene.store.schedules.backfill([past(5, "allow"), past(4, "allow")])
        assert len(await scene.claim()) == 2

    async def test_a_moment_that_has_run_is_left_out_and_one_that_was_missed_is_not(
        self, scene: Scene
    ) -> None:
        await put(scene, a_schedule())
        await tick(scene, "allow", 0)
        scene.clock.set(START + MINUTE)
        missed = a_tick(due=START + MINUTE, at=START + MINUTE, state="missed", submission=None)
        await scene.store.schedules.fire([missed])
        assert [bool(await scene.store.schedules.backfill([past(-number)])) for number in (0, 1)] == [
            False,
            True,
        ]

    async def test_several_at_once_run_each_moment_once(self, crowd: list[Scene]) -> None:
        await put(crowd[0], a_schedule())
        counts = await asyncio.gather(
            *(one.store.schedules.backfill([past(number, "allow") for number in (3, 2, 1)]) for one in crowd)
        )
        assert sum(counts) == 3
        assert len(await crowd[0].claim()) == 3


class TestPauses:
    async def test_what_a_pause_dropped_is_recorded_with_its_end(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        await put(scene, a_schedule())
        await schedules.pause("nightly", "ada", "")
        scene.clock.advance(HOUR)
        at = START + HOUR
        dropped = a_tick(due=START, at=at, next_at=at + MINUTE, state="paused", submission=None, missed=60)
        seen = must(await schedules.get("nightly"))
        assert await schedules.resume(seen, at + MINUTE, dropped)
        (one,) = await schedules.ticks("nightly", limit=10)
        assert (one.state, one.due, one.missed, one.missed_from) == ("paused", at, 60, START)
        after = must(await schedules.get("nightly"))
        assert (after.next_at, after.last_at, after.paused_at) == (at + MINUTE, at, None)


class TestVersions:
    async def test_each_definition_is_kept_with_where_it_began_and_ended(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        first = a_schedule()
        await put(scene, first)
        await tick(scene, "allow", 0)
        seen = must(await schedules.get("nightly"))
        second = a_schedule(version=2, trigger={"every": 5}, next_at=START + HOUR)
        assert await put(scene, second, seen)
        await schedules.remove("nightly")
        await put(scene, first)
        one, two, gone, again = await schedules.versions("nightly")
        assert (one.version, one.next_at, one.closed_at, one.definition) == (1, START, None, first)
        assert (two.version, two.closed_at) == (2, START + MINUTE)
        assert must(two.definition).trigger == {"every": 5}
        assert (gone.definition, gone.closed_at) == (None, START + HOUR)
        assert again.version == 4
        assert must(await schedules.get("nightly")).version == 4

    async def test_a_change_closes_what_it_drops(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        first = a_schedule()
        await put(scene, first)
        closing = a_tick(state="paused", submission=None)
        changes = [
            ScheduleChange(new=a_schedule(version=2, next_at=START + HOUR), seen=first, closing=closing)
        ]
        assert await schedules.put(changes) == {"nightly"}
        (one,) = await schedules.ticks("nightly", limit=10)
        assert (one.state, one.version) == ("paused", 1)

    async def test_what_happened_meanwhile_stays(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        await put(scene, a_schedule())
        job = await tick(scene, "allow", 0)
        seen: ScheduleRecord = must(await schedules.get("nightly"))
        await schedules.pause("nightly", "ada", "why not")
        assert await put(scene, a_schedule(version=2, next_at=START + HOUR, task="other"), seen)
        after = must(await schedules.get("nightly"))
        assert (after.last_at, after.last_job, after.paused_by) == (START, job, "ada")

    async def test_many_in_one_call_of_which_some_are_there(self, scene: Scene) -> None:
        await put(scene, a_schedule("s1"))
        changes = [ScheduleChange(new=a_schedule(f"s{number}")) for number in range(3)]
        assert await scene.store.schedules.put(changes) == {"s0", "s2"}
        assert [one.id for one in await scene.store.schedules.list(["s2", "s9", "s0"])] == ["s0", "s2"]
        assert len(await scene.store.schedules.versions("s1")) == 1


class TestTickAudit:
    async def test_a_sound_history_has_nothing_to_say(self, scene: Scene) -> None:
        await put(scene, a_schedule())
        await tick(scene, "allow", 0)
        await scene.submit(schedule="nightly")
        await end(scene, await scene.claim_one())
        audit = await scene.store.schedules.audit("nightly", START)
        assert (audit.strays, audit.lost) == ((), ())

    async def test_jobs_without_a_tick_are_strays(self, scene: Scene) -> None:
        await put(scene, a_schedule())
        await tick(scene, "allow", 0)
        twin = await scene.submit(schedule="nightly", due=START)
        early = await scene.submit(schedule="nightly", due=START - HOUR)
        audit = await scene.store.schedules.audit("nightly", START)
        assert audit.strays == ((early, START - HOUR), (twin, START))
        assert (await scene.store.schedules.audit("nightly", START + HOUR)).strays == ()
