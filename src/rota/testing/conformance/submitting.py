"""Submit: a job is in the store before the call returns, once, and in its place."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from rota.model.ids import new_id
from rota.model.job import JobFilter
from rota.model.states import State
from rota.ports.store import Store
from rota.testing.conformance.scene import FAILED, HOUR, MINUTE, SECOND, Scene, a_job

__all__ = ["TestSubmit", "TestSubmitAgain", "TestSubmitMany"]


class TestSubmit:
    async def test_a_job_is_there_when_the_call_returns(self, scene: Scene) -> None:
        submission = a_job(queue="mail", task="send", payload=b'{"to":"ada"}')
        (submitted,) = await scene.store.jobs.submit([submission])
        assert (submitted.id, submitted.created) == (submission.id, True)
        job = await scene.job(submission.id)
        assert (job.queue, job.task, job.payload, job.codec) == ("mail", "send", b'{"to":"ada"}', "json")
        assert (job.state, job.attempt, job.crashes, job.held) == (State.READY, 0, 0, None)
        assert (job.owner, job.token, job.lease_until) == (None, None, None)
        assert (job.submitted_at, job.ready_at) == (scene.clock.now(), scene.clock.now())
        assert (job.claimed_at, job.started_at, job.finished_at) == (None, None, None)

    async def test_all_that_was_submitted_can_be_read_back(self, scene: Scene) -> None:
        now = scene.clock.now()
        fields = {
            "queue": "bulk", "executor": "thread", "rank": -7, "share": 3, "key": "tenant-7",
            "tags": {"team": "ø"}, "unique_key": "work:1", "run_at": now + HOUR, "expires_at": now + 2 * HOUR,
            "max_attempts": 4, "headers": {"traceparent": "00-1"}, "parent": new_id(), "root": new_id(),
            "batch": new_id(), "ordinal": 9, "schedule": "nightly", "due": now - HOUR, "trust": "none",
            "options": {"timeout": 1.5, "nested": {"list": [1, None, "x"]}},
        }  # fmt: skip
        job = await scene.job(await scene.submit(**fields))
        assert {name: getattr(job, name) for name in fields} == fields

    async def test_moments_are_kept_to_the_microsecond(self, scene: Scene) -> None:
        moment = scene.clock.now() + timedelta(days=3650, microseconds=999_999)
        job = await scene.job(
            await scene.submit(run_at=moment, expires_at=moment + timedelta(microseconds=1))
        )
        assert job.run_at == moment
        assert job.expires_at == moment + timedelta(microseconds=1)

    async def test_any_bytes_and_any_words_come_back_as_they_were(self, scene: Scene) -> None:
        payload = bytes(range(256)) * 1_024  # as large as arguments may be
        words = [
            "ø ünïcode 漢字 🚀",
            'it\'s "quoted" \\ and\nbroken',
            " spaces ",
            "%s $1 :name {x}",
            "x" * 500,
        ]
        for word in words:
            fields = {"queue": word, "task": word, "key": word, "unique_key": word, "tags": {word: word}}
            job = await scene.job(await scene.submit(payload=payload, headers={word: word}, **fields))
            assert {name: getattr(job, name) for name in fields} == fields
            assert (job.payload, job.headers) == (payload, {word: word})
            assert [(one.payload, one.queue) for one in await scene.claim(word)] == [(payload, word)]

    async def test_ranks_span_64_bits(self, scene: Scene) -> None:
        for rank in (-(2**63), 2**63 - 1):
            assert (await scene.job(await scene.submit(rank=rank))).rank == rank

    async def test_a_moment_to_come_makes_it_scheduled(self, scene: Scene) -> None:
        run_at = scene.clock.now() + SECOND
        job = await scene.job(await scene.submit(run_at=run_at))
        assert (job.state, job.run_at, job.ready_at) == (State.SCHEDULED, run_at, None)
        assert await scene.claim() == []

    @pytest.mark.parametrize("ago", [timedelta(0), HOUR], ids=["now", "an hour ago"])
    async def test_a_moment_that_has_come_makes_it_ready(self, scene: Scene, ago: timedelta) -> None:
        run_at = scene.clock.now() - ago
        job = await scene.job(await scene.submit(run_at=run_at))
        assert (job.state, job.run_at, job.ready_at) == (State.READY, run_at, scene.clock.now())

    async def test_delays_count_from_the_stores_now(self, scene: Scene) -> None:
        job = await scene.job(await scene.submit(delay=MINUTE, expires_in=HOUR))
        assert job.state is State.SCHEDULED
        assert job.run_at == scene.clock.now() + MINUTE
        assert job.expires_at == scene.clock.now() + HOUR

    async def test_given_moments_come_before_delays(self, scene: Scene) -> None:
        now = scene.clock.now()
        fields = {"run_at": now + HOUR, "expires_at": now + 2 * HOUR, "delay": MINUTE, "expires_in": MINUTE}
        job = await scene.job(await scene.submit(**fields))
        assert (job.run_at, job.expires_at) == (now + HOUR, now + 2 * HOUR)

    async def test_no_delay_is_ready_at_once(self, scene: Scene) -> None:
        assert await scene.state(await scene.submit(delay=timedelta(0))) is State.READY

    async def test_from_any_thread_without_an_event_loop(self, scene: Scene) -> None:
        submission = a_job(delay=MINUTE)
        (submitted,) = await asyncio.to_thread(scene.store.submit_now, [submission])
        assert (submitted.id, submitted.created) == (submission.id, True)
        assert (await scene.job(submission.id)).run_at == scene.clock.now() + MINUTE

    async def test_from_many_threads_at_once(self, scene: Scene) -> None:
        def submit(number: int) -> bool:
            unique = a_job(unique_key=str(number % 10))
            return all(one.created for one in scene.store.submit_now([a_job()])) and (
                scene.store.submit_now([unique])[0].created
            )

        made = await asyncio.gather(*(asyncio.to_thread(submit, number) for number in range(40)))
        assert sum(made) == 10
        assert len(await scene.claim()) == 40 + 10

    async def test_a_synchronous_resend_makes_no_second_copy(self, scene: Scene) -> None:
        job = await scene.finish()

        def resend() -> bool:
            (submitted,) = scene.store.submit_now([a_job(id=job)], resend=True)
            return submitted.created

        assert await asyncio.to_thread(resend) is False
        assert await scene.claim() == []


class TestSubmitMany:
    async def test_answers_come_in_the_order_of_the_submissions(self, scene: Scene) -> None:
        await scene.submit(unique_key="taken")
        submissions = [a_job(unique_key="taken" if place % 3 == 0 else None) for place in range(9)]
        submitted = await scene.store.jobs.submit(submissions)
        for place, (submission, answer) in enumerate(zip(submissions, submitted, strict=True)):
            assert answer.created is (place % 3 != 0)
            assert (answer.id == submission.id) is answer.created

    async def test_jobs_of_one_call_keep_their_order(self, scene: Scene) -> None:
        submissions = [a_job() for _ in range(50)]
        submissions.sort(key=lambda one: one.id.int ^ 0x5555, reverse=True)
        await scene.store.jobs.submit(submissions)
        assert [job.id for job in await scene.claim()] == [one.id for one in submissions]

    async def test_nothing_to_submit_is_no_error(self, scene: Scene) -> None:
        assert await scene.store.jobs.submit([]) == []

    @pytest.mark.parametrize("bad", [0, 5, 9], ids=["first", "middle", "last"])
    async def test_all_or_nothing(self, scene: Scene, bad: int) -> None:
        ranks = [2**64 if place == bad else 0 for place in range(10)]
        submissions = [a_job(rank=rank, unique_key=str(n), unique_for=HOUR) for n, rank in enumerate(ranks)]
        with pytest.raises(Exception, match=r".*"):  # each driver has an error of its own
            await scene.store.jobs.submit(submissions)
        assert await scene.store.insight.results([one.id for one in submissions]) == {}
        good = [a_job(unique_key=str(n), unique_for=HOUR) for n in range(10)]
        assert all(one.created for one in await scene.store.jobs.submit(good))

    async def test_a_thousand_in_one_call(self, scene: Scene) -> None:
        number = min(1_000, scene.store.capabilities.group)
        submissions = [a_job(rank=-place, payload=b"[%d]" % place) for place in range(number)]
        assert all(one.created for one in await scene.store.jobs.submit(submissions))
        claimed = await scene.claim(limit=number)
        assert [job.payload for job in claimed] == [one.payload for one in reversed(submissions)]


class TestSubmitAgain:
    async def test_an_id_that_is_live_is_reported_and_left_alone(self, scene: Scene) -> None:
        job = await scene.submit(rank=1)
        before = await scene.job(job)
        for resend in (False, True):
            (again,) = await scene.store.jobs.submit([a_job(id=job, rank=2)], resend=resend)
            assert (again.id, again.created) == (job, False)
            assert await scene.job(job) == before

    async def test_an_id_that_stands_twice_in_one_call_is_one_job(self, scene: Scene) -> None:
        job = new_id()
        submitted = await scene.store.jobs.submit([a_job(id=job, rank=1), a_job(id=job, rank=2)])
        assert [(one.id, one.created) for one in submitted] == [(job, True), (job, False)]
        assert (await scene.job(job)).rank == 1

    async def test_resend_finds_a_job_that_succeeded(self, scene: Scene) -> None:
        await self._resend_leaves_alone(scene, await scene.finish())

    async def test_resend_finds_a_dead_job(self, scene: Scene) -> None:
        await self._resend_leaves_alone(scene, await scene.finish(FAILED))

    async def test_resend_finds_a_cancelled_job(self, scene: Scene) -> None:
        job = await scene.submit()
        await scene.cancel(job)
        await self._resend_leaves_alone(scene, job)

    @staticmethod
    async def _resend_leaves_alone(scene: Scene, job: UUID) -> None:
        before = await scene.job(job)
        new = a_job()
        first, second = await scene.store.jobs.submit([a_job(id=job), new], resend=True)
        assert (first.id, first.created) == (job, False)
        assert (second.id, second.created) == (new.id, True)
        assert await scene.job(job) == before

    async def test_resend_of_many_at_once_makes_one_job(self, scene: Scene, crowd: list[Scene]) -> None:
        submissions = [a_job() for _ in range(20)]
        answers = await asyncio.gather(
            *(one.store.jobs.submit(submissions, resend=True) for one in crowd for _ in range(3))
        )
        for copies in zip(*answers, strict=True):
            assert sum(one.created for one in copies) == 1
        assert len(await scene.claim()) == len(submissions)

    async def test_resend_counts_no_unique_window_against_its_own_job(self, scene: Scene) -> None:
        submission = a_job(unique_key="ada", unique_for=HOUR)
        await scene.store.jobs.submit([submission])
        await scene.settle(await scene.claim_one())
        (again,) = await scene.store.jobs.submit([submission], resend=True)
        assert (again.id, again.created) == (submission.id, False)

    async def test_several_processes_submit_in_their_own_order(
        self, scene: Scene, crowd: list[Scene]
    ) -> None:
        async def submit(one: Scene, key: str) -> list[UUID]:
            return [await one.submit(key=key) for _ in range(20)]

        orders = await asyncio.gather(*(submit(one, str(place)) for place, one in enumerate(crowd)))
        claimed = [job.id for job in await scene.claim()]
        for order in orders:
            assert [job for job in claimed if job in set(order)] == order

    async def test_a_job_can_be_found_by_everyone_at_once(self, store: Store, crowd: list[Scene]) -> None:
        (submitted,) = await store.jobs.submit([a_job()])
        for one in crowd:
            found = await one.store.insight.jobs(JobFilter(ids=(submitted.id,)), limit=1)
            assert [job.id for job in found] == [submitted.id]
