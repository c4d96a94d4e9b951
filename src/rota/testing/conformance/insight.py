"""Questions about what is in the store."""

from datetime import timedelta
from typing import Any

import pytest

from rota.model.ids import new_id
from rota.model.job import JobFilter
from rota.model.outcome import Failed, Fault, Handed, Retried, Suspended
from rota.model.states import State
from rota.ports.insight import StateCount
from rota.testing.conformance.scene import (
    BOOM,
    FAILED,
    HOUR,
    MANY,
    MINUTE,
    SECOND,
    START,
    Scene,
    needs,
)

__all__ = ["TestCounts", "TestEvents", "TestFaults", "TestJobs", "TestNow", "TestQueues"]


class TestNow:
    async def test_the_given_clock_decides(self, scene: Scene) -> None:
        assert await scene.store.insight.now() == START
        scene.clock.advance(timedelta(days=400, microseconds=1))
        assert await scene.store.insight.now() == START + timedelta(days=400, microseconds=1)


async def gallery(scene: Scene) -> dict[State, object]:
    """Bring one job into each state; they differ in nothing else."""
    by_state: dict[State, object] = {State.SUCCEEDED: await scene.finish()}
    by_state[State.FAILED] = await scene.finish(FAILED)
    by_state[State.WAITING] = await scene.finish(Suspended(wake_key="door"))
    by_state[State.HANDED] = await scene.finish(Handed("external", START + HOUR))
    by_state[State.RUNNING] = (await scene.run()).id
    expired = await scene.submit(expires_in=SECOND)
    scene.clock.advance(1)
    await scene.store.jobs.promote(10)
    by_state[State.EXPIRED] = expired
    cancelled = await scene.submit()
    await scene.cancel(cancelled)
    by_state[State.CANCELLED] = cancelled
    by_state[State.SCHEDULED] = await scene.submit(delay=HOUR)
    by_state[State.READY] = await scene.submit()
    return by_state


class TestJobs:
    async def found(self, scene: Scene, which: JobFilter) -> set[object]:
        return {job.id for job in await scene.store.insight.jobs(which, limit=MANY)}

    async def test_an_unknown_job_is_none(self, scene: Scene) -> None:
        assert await scene.store.insight.job(new_id()) is None

    async def test_by_state_wherever_the_job_lives(self, scene: Scene) -> None:
        jobs = await gallery(scene)
        assert await self.found(scene, JobFilter()) == set(jobs.values())
        for state, job in jobs.items():
            assert await self.found(scene, JobFilter(states=frozenset({state}))) == {job}
        some = frozenset({State.READY, State.FAILED, State.EXPIRED})
        assert await self.found(scene, JobFilter(states=some)) == {jobs[state] for state in some}

    @pytest.mark.parametrize("done", [False, True], ids=["live", "finished"])
    async def test_by_every_field(self, scene: Scene, *, done: bool) -> None:
        needs(scene.store, "filters")
        parent = new_id()
        fields: dict[str, Any] = {
            "queue": "mail", "task": "send", "key": "ada", "tags": {"team": "a", "env": "x"},
            "schedule": "nightly", "parent": parent,
        }  # fmt: skip
        other = await scene.submit(queue="other", tags={"team": "b", "env": "a"})
        scene.clock.advance(MINUTE)
        job = await scene.finish(**fields) if done else await scene.submit(**fields)
        filters = [
            JobFilter(ids=(job, new_id())),
            JobFilter(queue="mail"),
            JobFilter(task="send"),
            JobFilter(key="ada"),
            JobFilter(keys=("ada", "eve")),
            JobFilter(key="ada", keys=("ada",)),
            JobFilter(tag=("team", "a")),
            JobFilter(schedule="nightly"),
            JobFilter(parent=parent),
            JobFilter(since=START + MINUTE),
            JobFilter(queue="mail", task="send", key="ada", tag=("env", "x"), since=START),
        ]
        for which in filters:
            assert await self.found(scene, which) == {job}, which
        assert await self.found(scene, JobFilter(until=START + SECOND)) == {other}
        assert await self.found(scene, JobFilter(queue="mail", key="bob")) == set()
        assert await self.found(scene, JobFilter(key="ada", keys=("bob",))) == set()
        assert await self.found(scene, JobFilter(keys=())) == set()
        assert await self.found(scene, JobFilter(ids=())) == set()

    async def test_by_fault(self, scene: Scene) -> None:
        needs(scene.store, "filters")
        dead = await scene.finish(FAILED)
        retried = await scene.finish(Retried(HOUR, BOOM))
        await scene.finish(Failed(Fault("KeyError", "x")))
        assert await self.found(scene, JobFilter(fault="ValueError")) == {dead, retried}
        own = await scene.finish(Failed(Fault("shop.errors.StockError", "x")))
        for name in ("StockError", "errors.StockError", "shop.errors.StockError"):
            assert await self.found(scene, JobFilter(fault=name)) == {own}
        assert await self.found(scene, JobFilter(fault="kError")) == set()

    async def test_words_that_look_like_sql_are_words(self, scene: Scene) -> None:
        needs(scene.store, "filters")
        word = "100%_'; drop table jobs; --\"\\"
        job = await scene.submit(queue=word, key=word, tags={word: word})
        await scene.submit(queue="100xx", key="100xx")
        for which in (JobFilter(queue=word), JobFilter(key=word), JobFilter(tag=(word, word))):
            assert await self.found(scene, which) == {job}
        assert [one.id for one in await scene.claim(word)] == [job]

    async def test_pages_from_the_newest_to_the_oldest(self, scene: Scene) -> None:
        jobs = [await scene.submit() for _ in range(3)]
        jobs += [await scene.finish(queue="done") for _ in range(3)]
        jobs += [await scene.finish(FAILED, queue="done"), await scene.submit()]
        pages, before = [], None
        while page := await scene.store.insight.jobs(JobFilter(), limit=3, before=before):
            pages.append([job.id for job in page])
            before = page[-1].id
        assert [job for page in pages for job in page] == sorted(jobs, reverse=True)
        assert [len(page) for page in pages] == [3, 3, 2]


class TestEvents:
    async def test_they_tell_what_columns_cannot(self, scene: Scene) -> None:
        job = await scene.finish(Retried(MINUTE, BOOM))
        scene.clock.advance(MINUTE)
        await scene.store.jobs.promote(10)
        await scene.settle(await scene.claim_one(), FAILED)
        await scene.redrive(job)
        events = await scene.store.insight.events(job)
        assert [(event.job, event.kind, event.at) for event in events] == [
            (job, "retry", START),
            (job, "redrive", START + MINUTE),
        ]
        assert events[0].attempt == 1

    async def test_an_ordinary_life_leaves_none(self, scene: Scene) -> None:
        job = await scene.submit(delay=SECOND)
        scene.clock.advance(1)
        await scene.store.jobs.promote(10)
        await scene.settle(await scene.claim_one())
        assert await scene.events(job) == []
        assert await scene.events(new_id()) == []


class TestCounts:
    async def test_every_state_is_counted(self, scene: Scene) -> None:
        jobs = await gallery(scene)
        counts = await scene.store.insight.counts()
        assert {(count.queue, count.task, count.state, count.count) for count in counts} == {
            ("default", "work", state, 1) for state in jobs
        }

    async def test_queues_and_tasks_are_counted_apart(self, scene: Scene) -> None:
        await scene.submit_many(2, queue="a", task="x")
        await scene.submit_many(3, queue="a", task="y")
        await scene.submit_many(1, queue="b", task="x")
        expected = [("a", "x", 2), ("a", "y", 3), ("b", "x", 1)]
        assert sorted(await scene.store.insight.counts(), key=lambda one: (one.queue, one.task)) == [
            StateCount(queue, task, State.READY, count) for queue, task, count in expected
        ]

    async def test_an_empty_store(self, scene: Scene) -> None:
        assert await scene.store.insight.counts() == []


class TestFaults:
    async def test_dead_jobs_that_failed_alike_are_one_group(self, scene: Scene) -> None:
        for _ in range(2):
            await scene.finish(Failed(Fault("ValueError", "boom")), task="send")
        scene.clock.advance(1)
        await scene.finish(Failed(Fault("ValueError", "boom")), task="send")
        await scene.finish(Failed(Fault("KeyError", "x")), task="send")
        await scene.finish(Failed(Fault("ValueError", "boom")), task="work")
        await scene.finish(Retried(HOUR, BOOM), task="send")
        groups = await scene.store.insight.faults(JobFilter(), limit=10)
        assert [group.count for group in groups] == [3, 1, 1]
        assert (groups[0].task, groups[0].kind, groups[0].message) == ("send", "ValueError", "boom")
        assert groups[0].last == START + SECOND
        assert len(await scene.store.insight.faults(JobFilter(), limit=1)) == 1

    async def test_by_filter(self, scene: Scene) -> None:
        needs(scene.store, "filters")
        await scene.finish(FAILED, task="send")
        await scene.finish(FAILED, task="work")
        (group,) = await scene.store.insight.faults(JobFilter(task="work"), limit=10)
        assert (group.task, group.count) == ("work", 1)


class TestQueues:
    async def test_what_waits_in_each(self, scene: Scene) -> None:
        await scene.submit_many(4, queue="mail")
        jobs = await scene.claim("mail", limit=3)
        await scene.acquire(jobs, 1)
        await scene.submit_many(2, queue="mail", delay=HOUR)
        await scene.finish(Suspended(wake_key="door"), queue="bulk")
        (bulk, mail) = sorted(await scene.store.insight.queues(), key=lambda one: one.name)
        assert (mail.name, mail.ready, mail.held, mail.scheduled) == ("mail", 1, 2, 2)
        assert (mail.running, mail.waiting) == (1, 0)
        assert (bulk.name, bulk.ready, bulk.running, bulk.waiting) == ("bulk", 0, 0, 1)

    async def test_the_longest_wait(self, scene: Scene) -> None:
        await scene.submit(rank=5)
        scene.clock.advance(MINUTE)
        await scene.submit(rank=1)
        (queue,) = await scene.store.insight.queues()
        assert queue.oldest == START
        await scene.claim()
        (queue,) = await scene.store.insight.queues()
        assert queue.oldest is None

    async def test_no_queues(self, scene: Scene) -> None:
        assert await scene.store.insight.queues() == []
