"""Claim: the first free jobs, each to one owner, in strict order."""

import asyncio
import random
from collections import Counter
from datetime import timedelta

import pytest

from rota.model.ids import new_id
from rota.model.job import ClaimedJob
from rota.model.states import State
from rota.testing.conformance.scene import HOUR, LEASE, MINUTE, Scene, a_job

__all__ = ["TestClaim", "TestClaimOnce", "TestClaimOrder", "TestPausedQueue"]


class TestClaim:
    async def test_it_makes_the_job_the_owners(self, scene: Scene) -> None:
        job = await scene.submit()
        scene.clock.advance(5)
        claimed = await scene.claim_one(lease=MINUTE)
        record = await scene.job(job)
        assert (record.state, record.owner, record.token) == (State.RUNNING, scene.owner, claimed.token)
        assert (record.claimed_at, record.lease_until) == (scene.clock.now(), scene.clock.now() + MINUTE)
        assert (record.attempt, record.crashes, record.started_at) == (1, 0, None)
        assert record.slots == ()

    async def test_it_hands_over_what_the_owner_needs(self, scene: Scene) -> None:
        submission = a_job(
            queue="mail", executor="thread", task="send", payload=b"[1]", rank=-2, key="ada",
            max_attempts=3, headers={"a": "b"}, parent=new_id(), root=new_id(), schedule="nightly",
            due=scene.clock.now(), options={"timeout": 30},
        )  # fmt: skip
        await scene.store.jobs.submit([submission])
        submitted_at = scene.clock.now()
        scene.clock.advance(1)
        (job,) = await scene.claim("mail", limits={"thread": 1})
        names = [
            "id", "queue", "executor", "task", "payload", "codec", "rank", "key", "max_attempts", "headers",
            "parent", "root", "schedule", "due", "options",
        ]  # fmt: skip
        assert {name: getattr(job, name) for name in names} == {
            name: getattr(submission, name) for name in names
        }
        assert (job.attempt, job.crashes, job.submitted_at) == (1, 0, submitted_at)

    async def test_every_claim_writes_a_new_token(self, scene: Scene) -> None:
        await scene.submit_many(20)
        tokens = [(await scene.claim_one()).token for _ in range(20)]
        assert len(set(tokens)) == 20
        assert all(0 < token < 2**63 for token in tokens)

    async def test_the_same_job_gets_another_token_each_time(self, scene: Scene) -> None:
        await scene.submit()
        tokens = set()
        for _ in range(5):
            job = await scene.claim_one()
            tokens.add(job.token)
            await scene.store.jobs.give_back([job.claim])
        assert len(tokens) == 5

    async def test_limits_hold_for_each_executor_over_all_queues(self, scene: Scene) -> None:
        for queue in ("a", "b"):
            await scene.submit_many(3, queue=queue, executor="async")
            await scene.submit_many(3, queue=queue, executor="thread")
        claimed = await scene.claim("a", "b", limits={"async": 4, "thread": 1})
        assert Counter((job.queue, job.executor) for job in claimed) == {
            ("a", "async"): 3,
            ("b", "async"): 1,
            ("a", "thread"): 1,
        }

    async def test_an_executor_without_a_limit_or_room_gets_nothing(self, scene: Scene) -> None:
        await scene.submit(executor="process")
        await scene.submit(executor="thread")
        job = await scene.submit(executor="async")
        claimed = await scene.claim(limits={"async": 5, "thread": 0})
        assert [one.id for one in claimed] == [job]

    @pytest.mark.parametrize("limits", [{}, {"async": 0}], ids=["no limits", "limit zero"])
    async def test_who_wants_nothing_gets_nothing(self, scene: Scene, limits: dict[str, int]) -> None:
        job = await scene.submit()
        assert await scene.claim(limits=limits) == []
        assert await scene.state(job) is State.READY

    async def test_other_queues_are_left_alone(self, scene: Scene) -> None:
        job = await scene.submit(queue="other")
        assert await scene.claim("default", "empty") == []
        assert await scene.state(job) is State.READY

    async def test_attempts_count_up(self, scene: Scene) -> None:
        await scene.submit()
        for attempt in (1, 2, 3):
            (job,) = await scene.claim(lease=timedelta(seconds=1))
            assert (job.attempt, job.crashes) == (attempt, attempt - 1)
            scene.clock.advance(2)
            await scene.store.jobs.rescue(10)

    async def test_hundreds_at_once(self, scene: Scene) -> None:
        jobs = await scene.submit_many(250)
        assert [job.id for job in await scene.claim(limit=250)] == jobs


class TestClaimOrder:
    async def test_the_lowest_rank_is_first_also_below_zero(self, scene: Scene) -> None:
        ranks = [0, 5, -1, 2**63 - 1, -(2**63), 1, -5]
        jobs = {rank: await scene.submit(rank=rank) for rank in ranks}
        assert [job.id for job in await scene.claim()] == [jobs[rank] for rank in sorted(ranks)]

    async def test_ties_run_in_the_order_of_their_submits(self, scene: Scene) -> None:
        ids = sorted((new_id() for _ in range(10)), reverse=True)
        for job in ids:
            await scene.submit(id=job, rank=3)
        assert [job.id for job in await scene.claim()] == ids

    async def test_shares_order_equal_ranks_only(self, scene: Scene) -> None:
        places = [(rank, share) for rank in (-1, 0, 1) for share in (-5, 0, 7)]
        shuffled = random.Random(4).sample(places, len(places))
        for rank, share in shuffled:
            await scene.submit(rank=rank, share=share, key=f"{rank},{share}")
        assert [job.key for job in await scene.claim()] == [f"{rank},{share}" for rank, share in places]

    async def test_it_holds_over_many_small_claims(self, scene: Scene) -> None:
        ranks = [random.Random(7).randint(-3, 3) for _ in range(60)]
        await scene.store.jobs.submit([a_job(rank=rank) for rank in ranks])
        claimed: list[ClaimedJob] = []
        while jobs := await scene.claim(limit=7):
            claimed += jobs
        assert [job.rank for job in claimed] == sorted(ranks)

    async def test_a_later_job_of_a_lower_rank_overtakes(self, scene: Scene) -> None:
        await scene.submit_many(3)
        first = await scene.claim_one()
        urgent = await scene.submit(rank=-1)
        assert (await scene.claim_one()).id == urgent != first.id

    async def test_queues_are_served_in_the_order_of_preference(self, scene: Scene) -> None:
        low = await scene.submit_many(2, queue="low", rank=-9)
        high = await scene.submit_many(2, queue="high", rank=9)
        claimed = await scene.claim("high", "low", limit=3)
        assert [job.id for job in claimed] == [*high, low[0]]
        assert await scene.states(low) == [State.RUNNING, State.READY]

    async def test_executors_of_one_queue_share_its_order(self, scene: Scene) -> None:
        executors = ["thread", "async", "async", "thread", "async"]
        jobs = [await scene.submit(executor=name, rank=rank) for rank, name in enumerate(executors)]
        claimed = await scene.claim(limits={"async": 5, "thread": 5})
        assert [job.id for job in claimed] == jobs

    async def test_a_job_given_back_keeps_its_place(self, scene: Scene) -> None:
        jobs = await scene.submit_many(3)
        first = await scene.claim_one()
        await scene.store.jobs.give_back([first.claim])
        assert [job.id for job in await scene.claim()] == jobs

    async def test_a_rescued_job_keeps_its_place(self, scene: Scene) -> None:
        jobs = await scene.submit_many(3)
        await scene.claim_one()
        scene.clock.advance(LEASE)
        await scene.store.jobs.rescue(10)
        assert [job.id for job in await scene.claim()] == jobs

    async def test_a_promoted_job_has_the_place_of_its_submit(self, scene: Scene) -> None:
        early = await scene.submit(delay=HOUR)
        late = await scene.submit()
        scene.clock.advance(HOUR)
        await scene.store.jobs.promote(10)
        assert [job.id for job in await scene.claim()] == [early, late]


class TestClaimOnce:
    async def test_many_claimers_at_once(self, scene: Scene, crowd: list[Scene]) -> None:
        jobs = await scene.submit_many(200)

        async def drain(one: Scene, size: int) -> list[ClaimedJob]:
            owner, mine = new_id(), []
            while claimed := await one.claim(limit=size, owner=owner):
                mine += claimed
            return mine

        shares = await asyncio.gather(*(drain(one, size) for one in crowd for size in (1, 7, 20)))
        claimed = [job.id for share in shares for job in share]
        assert Counter(claimed) == Counter(jobs)

    async def test_one_job_and_many_claimers(self, scene: Scene, crowd: list[Scene]) -> None:
        for _ in range(10):
            job = await scene.submit()
            claims = await asyncio.gather(*(one.claim(owner=new_id()) for one in crowd * 2))
            (winner,) = [claimed for claim in claims for claimed in claim]
            record = await scene.job(job)
            assert (winner.id, record.token, record.attempt) == (job, winner.token, 1)

    async def test_claimers_and_submitters_at_once(self, scene: Scene, crowd: list[Scene]) -> None:
        claimed: list[ClaimedJob] = []
        submitted = []

        async def feed(one: Scene) -> None:
            for _ in range(10):
                submitted.extend(await one.submit_many(5))

        async def eat(one: Scene) -> None:
            for _ in range(20):
                claimed.extend(await one.claim(limit=5, owner=new_id()))

        await asyncio.gather(*(work(one) for one in crowd for work in (feed, eat)))
        claimed += await scene.claim(limit=1_000)
        assert Counter(job.id for job in claimed) == Counter(submitted)


class TestPausedQueue:
    async def test_it_gives_nothing_until_it_is_resumed(self, scene: Scene) -> None:
        job = await scene.submit(queue="mail")
        assert await scene.store.limits.pause_queue("mail", "ada") is True
        assert await scene.claim("mail") == []
        assert (await scene.job(job)).state is State.READY
        assert await scene.store.limits.resume_queue("mail") is True
        assert [one.id for one in await scene.claim("mail")] == [job]

    async def test_other_queues_go_on(self, scene: Scene) -> None:
        await scene.submit(queue="mail")
        job = await scene.submit(queue="bulk")
        await scene.store.limits.pause_queue("mail", "ada")
        assert [one.id for one in await scene.claim("mail", "bulk")] == [job]

    async def test_it_takes_jobs_all_the_same(self, scene: Scene) -> None:
        await scene.store.limits.pause_queue("mail", "ada")
        ready = await scene.submit(queue="mail")
        later = await scene.submit(queue="mail", delay=MINUTE)
        scene.clock.advance(MINUTE)
        await scene.store.jobs.promote(10)
        assert await scene.claim("mail") == []
        await scene.store.limits.resume_queue("mail")
        assert [one.id for one in await scene.claim("mail")] == [ready, later]

    async def test_what_runs_may_finish(self, scene: Scene) -> None:
        job = await scene.run(queue="mail")
        await scene.store.limits.pause_queue("mail", "ada")
        assert await scene.settle(job)

    async def test_twice_is_once(self, scene: Scene) -> None:
        limits = scene.store.limits
        assert await limits.resume_queue("mail") is False
        assert await limits.pause_queue("mail", "ada") is True
        assert await limits.pause_queue("mail", "bob") is False
        assert [queue.paused_by for queue in await scene.store.insight.queues()] == ["ada"]
        assert await limits.resume_queue("mail") is True
        assert await limits.resume_queue("mail") is False

    async def test_the_pause_is_shown(self, scene: Scene) -> None:
        await scene.store.limits.pause_queue("mail", "ada")
        (queue,) = await scene.store.insight.queues()
        assert (queue.name, queue.paused_at, queue.paused_by) == ("mail", scene.clock.now(), "ada")
        await scene.store.limits.resume_queue("mail")
        await scene.submit(queue="mail")
        (queue,) = await scene.store.insight.queues()
        assert (queue.name, queue.paused_at, queue.paused_by) == ("mail", None, None)

    async def test_all_processes_see_it(self, scene: Scene, crowd: list[Scene]) -> None:
        await scene.submit(queue="mail")
        await scene.store.limits.pause_queue("mail", "ada")
        for one in crowd:
            assert await one.claim("mail") == []
