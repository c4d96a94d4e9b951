"""Slots: limits that are exact over all workers, and never leak."""

import asyncio
import random
from uuid import UUID

import pytest

from rota.model.ids import new_id
from rota.model.job import ClaimedJob
from rota.model.outcome import Cancelled, Handed, Outcome, Retried, Settlement, Snooze, Suspended
from rota.model.states import State
from rota.ports.limits import SlotRequest
from rota.testing.conformance.scene import BOOM, DONE, FAILED, HOUR, LEASE, MINUTE, START, Scene, needs

__all__ = ["TestAcquire", "TestParked", "TestRelease", "TestSlotsExact"]

WORK = "task:work"


async def running(scene: Scene, number: int, **fields: object) -> list[ClaimedJob]:
    """Submit and claim several jobs."""
    await scene.submit_many(number, **fields)
    return await scene.claim()


class TestAcquire:
    async def test_as_many_as_the_limit_says_in_order(self, scene: Scene) -> None:
        jobs = await running(scene, 5)
        assert await scene.acquire(jobs, 3) == [job.id for job in jobs[:3]]
        assert [(await scene.job(job.id)).slots for job in jobs[:3]] == [(WORK,)] * 3
        assert await scene.check_slots() == {WORK: 3}

    async def test_who_is_refused_is_parked(self, scene: Scene) -> None:
        first, second = await running(scene, 2)
        await scene.acquire([first, second], 1)
        record = await scene.job(second.id)
        assert (record.state, record.held) == (State.READY, f"limit:{WORK}")
        assert (record.attempt, record.owner, record.token, record.lease_until) == (0, None, None, None)
        assert record.slots == ()
        assert await scene.claim() == []
        assert await scene.events(second.id) == ["hold"]

    async def test_over_several_calls(self, scene: Scene) -> None:
        jobs = await running(scene, 3)
        granted = [bool(await scene.acquire([job], 2)) for job in jobs]
        assert granted == [True, True, False]

    async def test_scopes_are_counted_apart(self, scene: Scene) -> None:
        first, second, third = await running(scene, 3)
        assert await scene.acquire([first], 1, "key:work:a")
        assert await scene.acquire([second], 1, "key:work:b")
        assert await scene.acquire([third], 1, "key:work:a") == []
        assert await scene.check_slots() == {"key:work:a": 1, "key:work:b": 1}

    async def test_all_scopes_or_none(self, scene: Scene) -> None:
        first, second, third = await running(scene, 3)
        assert await scene.acquire([first], 1, "queue:default")
        requests = [SlotRequest(second.claim, ((WORK, 5), ("queue:default", 1), ("key:work:a", 0)))]
        assert await scene.store.limits.acquire(requests) == frozenset()
        assert (await scene.job(second.id)).held == "limit:queue:default"
        assert await scene.acquire([third], 5) == [third.id]
        assert await scene.check_slots() == {"queue:default": 1, WORK: 1}

    async def test_a_refused_job_does_not_stand_in_the_way_of_others(self, scene: Scene) -> None:
        first, second, third = await running(scene, 3)
        requests = [
            SlotRequest(first.claim, (("key:work:a", 1),)),
            SlotRequest(second.claim, (("key:work:a", 1), (WORK, 1))),
            SlotRequest(third.claim, ((WORK, 1),)),
        ]
        assert await scene.store.limits.acquire(requests) == {first.id, third.id}

    async def test_a_job_without_scopes_may_start(self, scene: Scene) -> None:
        (job,) = await running(scene, 1)
        assert await scene.store.limits.acquire([SlotRequest(job.claim, ())]) == {job.id}
        assert (await scene.job(job.id)).state is State.RUNNING

    async def test_nothing_to_acquire(self, scene: Scene) -> None:
        assert await scene.store.limits.acquire([]) == frozenset()

    async def test_twice_counts_once(self, scene: Scene) -> None:
        (job,) = await running(scene, 1)
        for _ in range(2):
            assert await scene.acquire([job], 1) == [job.id]
        assert await scene.check_slots() == {WORK: 1}

    async def test_the_claim_stays_as_it_was(self, scene: Scene) -> None:
        (job,) = await running(scene, 1)
        before = await scene.job(job.id)
        await scene.acquire([job], 1)
        after = await scene.job(job.id)
        assert (after.token, after.owner, after.lease_until, after.attempt) == (
            before.token,
            before.owner,
            before.lease_until,
            1,
        )


class TestRelease:
    @pytest.mark.parametrize(
        "outcome",
        [
            DONE,
            FAILED,
            Cancelled(),
            Retried(MINUTE, BOOM),
            Snooze(MINUTE),
            Suspended(wake_key="door"),
        ],
        ids=lambda outcome: type(outcome).__name__,
    )
    async def test_an_outcome_frees_the_slot_and_lets_one_in(self, scene: Scene, outcome: Outcome) -> None:
        first, second, third = await running(scene, 3)
        await scene.acquire([first, second, third], 1)
        assert await scene.settle(first, outcome, limited=True)
        assert (await scene.job(first.id)).slots == ()
        assert await scene.check_slots() == {}
        assert [(await scene.job(job.id)).held for job in (second, third)] == [None, f"limit:{WORK}"]
        assert [job.id for job in await scene.claim()] == [second.id]

    async def test_a_handed_job_keeps_its_slot_until_it_ends(self, scene: Scene) -> None:
        first, second = await running(scene, 2)
        await scene.acquire([first, second], 1)
        await scene.settle(first, Handed("external", START + HOUR), limited=True)
        assert await scene.check_slots() == {WORK: 1}
        assert await scene.claim() == []
        token = (await scene.job(first.id)).token or 0
        await scene.store.jobs.settle([Settlement(first.id, token, DONE, limited=True)])
        assert await scene.check_slots() == {}
        assert [job.id for job in await scene.claim()] == [second.id]

    async def test_giving_back_frees_it(self, scene: Scene) -> None:
        first, second = await running(scene, 2, rank=0)
        await scene.acquire([first, second], 1)
        await scene.store.jobs.give_back([first.claim])
        assert await scene.check_slots() == {}
        assert [job.id for job in await scene.claim()] == [first.id, second.id]

    async def test_a_rescue_frees_it(self, scene: Scene) -> None:
        first, second = await running(scene, 2)
        await scene.acquire([first, second], 1)
        scene.clock.advance(LEASE)
        await scene.store.jobs.rescue(10)
        assert await scene.check_slots() == {}
        assert [job.id for job in await scene.claim()] == [first.id, second.id]

    async def test_a_handed_job_past_its_deadline_frees_it(self, scene: Scene) -> None:
        (job,) = await running(scene, 1)
        await scene.acquire([job], 1)
        await scene.settle(job, Handed("external", START + MINUTE), limited=True)
        scene.clock.advance(MINUTE)
        await scene.store.jobs.rescue(10)
        assert await scene.check_slots() == {}

    async def test_several_scopes_go_back_together(self, scene: Scene) -> None:
        first, second = await running(scene, 2)
        scopes = (WORK, "queue:default", "key:work:a")
        await scene.acquire([first, second], 1, *scopes)
        assert await scene.check_slots() == dict.fromkeys(scopes, 1)
        await scene.settle(first, limited=True)
        assert await scene.check_slots() == {}
        (again,) = await scene.claim()
        assert await scene.acquire([again], 1, *scopes) == [second.id]

    async def test_as_many_are_let_in_as_slots_came_free(self, scene: Scene) -> None:
        jobs = await running(scene, 10)
        await scene.acquire(jobs, 4)
        settlements = [Settlement(job.id, job.token, DONE, limited=True) for job in jobs[:3]]
        await scene.store.jobs.settle(settlements)
        assert [job.id for job in await scene.claim()] == [job.id for job in jobs[4:7]]


class TestParked:
    async def test_they_are_let_in_by_rank_then_share_then_submit(self, scene: Scene) -> None:
        places = [(1, 0), (0, 5), (0, 1), (0, 1), (-3, 9)]
        jobs = [await scene.submit(rank=rank, share=share) for rank, share in places]
        first = await scene.submit(rank=-9)
        claimed = await scene.claim()
        assert await scene.acquire(claimed, 1) == [first]
        order: list[UUID] = []
        holder = claimed[0]
        while len(order) < len(jobs):
            await scene.settle(holder, limited=True)
            (holder,) = await scene.claim()
            assert await scene.acquire([holder], 1)
            order.append(holder.id)
        assert order == [jobs[place] for place in (4, 2, 3, 1, 0)]

    async def test_a_job_of_another_scope_is_not_let_in(self, scene: Scene) -> None:
        first, second, third = await running(scene, 3)
        await scene.acquire([first], 1, "key:work:a")
        await scene.acquire([second], 0, "key:work:b")
        await scene.acquire([third], 1, "key:work:a")
        await scene.settle(first, limited=True)
        assert [job.id for job in await scene.claim()] == [third.id]

    async def test_a_sweep_finds_room_after_a_limit_was_raised(self, scene: Scene) -> None:
        first, second, third, fourth = await running(scene, 4)
        await scene.acquire([first, second, third], 1)
        assert await scene.store.limits.sweep() == 0
        assert await scene.acquire([fourth], 3) == [fourth.id]
        assert await scene.store.limits.sweep() == 1
        assert [job.id for job in await scene.claim()] == [second.id]

    async def test_a_sweep_finds_the_room_of_a_job_that_ended_before_it_took_its_slot(
        self, scene: Scene
    ) -> None:
        first, second, third = await running(scene, 3)
        await scene.acquire([first, second, third], 1)
        await scene.settle(first, limited=True)
        await scene.cancel(second.id)
        assert await scene.store.limits.sweep() == 1
        assert [job.id for job in await scene.claim()] == [third.id]

    async def test_a_sweep_finds_the_room_of_a_job_that_was_parked_under_another_scope(
        self, scene: Scene
    ) -> None:
        first, second, third, fourth = await running(scene, 4)
        await scene.acquire([first, second, third], 1, "queue:default")
        await scene.acquire([fourth], 1)
        await scene.settle(first, limited=True)
        (again,) = await scene.claim()
        assert again.id == second.id
        assert await scene.acquire([again], 1, "queue:default", "task:work") == []
        assert await scene.store.limits.sweep() == 1
        assert [job.id for job in await scene.claim()] == [third.id]

    async def test_a_sweep_without_parked_jobs(self, scene: Scene) -> None:
        assert await scene.store.limits.sweep() == 0

    async def test_a_lowered_limit_lets_nobody_in_until_it_fits(self, scene: Scene) -> None:
        jobs = await running(scene, 4)
        await scene.acquire(jobs[:3], 3)
        assert await scene.acquire([jobs[3]], 1) == []
        await scene.settle(jobs[0], limited=True)
        assert await scene.claim() == []
        await scene.settle(jobs[1], limited=True)
        assert await scene.claim() == []
        await scene.settle(jobs[2], limited=True)
        assert [job.id for job in await scene.claim()] == [jobs[3].id]

    async def test_they_are_shown_as_held(self, scene: Scene) -> None:
        jobs = await running(scene, 3)
        await scene.acquire(jobs, 1)
        (queue,) = await scene.store.insight.queues()
        assert (queue.ready, queue.held, queue.running) == (0, 2, 1)

    async def test_a_cancelled_one_takes_no_room(self, scene: Scene) -> None:
        first, second, third = await running(scene, 3)
        await scene.acquire([first, second, third], 1)
        await scene.cancel(second.id)
        await scene.settle(first, limited=True)
        assert [job.id for job in await scene.claim()] == [third.id]


class TestSlotsExact:
    """Under competition: never more than the limit, and nothing leaks."""

    async def test_many_acquire_at_once(self, crowd: list[Scene]) -> None:
        one, *_ = crowd
        needs(one.store, "exact_limits")
        await one.submit_many(60)
        shares = [await each.claim(limit=5, owner=new_id()) for each in crowd * 3]
        granted = await asyncio.gather(
            *(each.acquire(share, 7) for each, share in zip(crowd * 3, shares, strict=True))
        )
        assert sum(len(jobs) for jobs in granted) == 7
        assert await one.check_slots() == {WORK: 7}

    async def test_scopes_in_other_orders_do_not_block_each_other(self, crowd: list[Scene]) -> None:
        one, *_ = crowd
        scopes = [f"key:work:{letter}" for letter in "abcdef"]
        await one.submit_many(64)
        shares = [await each.claim(limit=4, owner=new_id()) for each in crowd * 4]
        dice = random.Random(5)
        await asyncio.gather(
            *(
                each.acquire(share, 20, *dice.sample(scopes, 4))
                for each, share in zip(crowd * 4, shares, strict=True)
            )
        )
        await one.check_slots()

    async def test_a_drain_under_a_limit(self, crowd: list[Scene]) -> None:
        one, *_ = crowd
        needs(one.store, "exact_limits")
        jobs = await one.submit_many(80)
        busy: set[object] = set()
        most = 0

        async def work(each: Scene, seed: int) -> None:
            nonlocal most
            dice, idle = random.Random(seed), 0
            while idle < 30:
                claimed = await each.claim(limit=dice.randint(1, 6), owner=new_id())
                granted = set(await each.acquire(claimed, 5)) if claimed else set()
                idle = 0 if granted else idle + 1
                busy.update(granted)
                most = max(most, len(busy))
                await asyncio.sleep(0)
                busy.difference_update(granted)
                settlements = [
                    Settlement(job.id, job.token, DONE, limited=True) for job in claimed if job.id in granted
                ]
                assert not (await each.store.jobs.settle(settlements)).refused

        await asyncio.gather(*(work(each, seed) for seed, each in enumerate(crowd)))
        assert most <= 5
        assert await one.check_slots() == {}
        assert await one.states(jobs) == [State.SUCCEEDED] * len(jobs)
