"""What a user writes: the example of the design, verb by verb, on both stores."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from rota import (
    Job,
    JobCancelledError,
    JobExpiredError,
    JobFailedError,
    JobNotFoundError,
    ResultTimeoutError,
    ResultUnavailableError,
    Retry,
    Rota,
    State,
    SubmitUncertainError,
    cron,
    every,
)
from rota.app.task import AppTask
from rota.model.errors import UnknownOptionError
from rota.testing import FakeClock, drain, drain_async, enqueued, enqueued_async
from tests.acceptance.users import working

Send = AppTask[[str, str], str]


@pytest.fixture
def send(app: Rota) -> Send:
    @app.task(queue="mail", retry=Retry(5), timeout=30)
    async def send(to: str, subject: str) -> str:
        return f"{subject} to {to}"

    return send


def test_the_example_of_the_design(app: Rota) -> None:
    @app.task(queue="mail", retry=Retry(5), timeout=30)
    async def send(to: str, subject: str) -> str:
        return f"{subject} to {to}"

    @app.schedule(cron("0 1 * * *", tz="Europe/Amsterdam"), id="nightly-sync")
    def nightly() -> None:
        send.enqueue("ada@example.org", subject="Good morning")

    with working(app, ("worker", "scheduler")):
        job = send.enqueue("ada@example.org", subject="Hi")
        later = send.options(
            run_at=None,
            delay=timedelta(hours=1),
            rank=5,
            queue="bulk",
            unique="ada",
            key="tenant-7",
            expires=timedelta(days=1),
        ).enqueue("ada@example.org", subject="Later")
        many = send.enqueue_many([("a@x.org", "1"), ("b@x.org", "2")])

        assert job.result(timeout=10) == "Hi to ada@example.org"
        assert [one.result(timeout=10) for one in many] == ["1 to a@x.org", "2 to b@x.org"]
        assert later.status() == "scheduled"
        assert app.schedules.add(send, every(minutes=5), id="ping", args=("ops@x.org", "ping")) == "created"
        assert [schedule.id for schedule in app.schedules.list()] == ["nightly-sync", "ping"]

        async def from_async_code() -> None:
            job = await send.enqueue_async("ada@example.org", subject="Hi")
            assert await job.result_async(timeout=10) == "Hi to ada@example.org"
            assert await job.status_async() == "succeeded"

        asyncio.run(from_async_code())


class TestOptions:
    def test_each_is_kept(self, app: Rota, clock: FakeClock, send: Send) -> None:
        send.options(
            delay=timedelta(hours=1),
            rank=-5,
            queue="bulk",
            unique="ada",
            key="tenant-7",
            expires=timedelta(days=1),
            tags={"kind": "news"},
            headers={"trace": "1"},
            max_attempts=2,
        ).enqueue("ada", "Later")

        (job,) = enqueued(app)
        record = job.record
        assert job.arguments == {"to": "ada", "subject": "Later"}
        assert (record.state, record.rank, record.queue, record.key) == ("scheduled", -5, "bulk", "tenant-7")
        assert (record.unique_key, record.tags, record.headers) == (
            "send:ada",
            {"kind": "news"},
            {"trace": "1"},
        )
        assert record.run_at == clock.now() + timedelta(hours=1)
        assert record.expires_at == clock.now() + timedelta(days=1)
        assert record.max_attempts == 2

    def test_a_moment(self, app: Rota, clock: FakeClock, send: Send) -> None:
        job = send.options(run_at=clock.now() + timedelta(days=1)).enqueue("ada", "Tomorrow")

        assert drain(app) == []
        clock.advance(days=1)
        assert [ran.job for ran in drain(app)] == [job]

    def test_seconds_will_do_for_a_delay(self, app: Rota, clock: FakeClock, send: Send) -> None:
        send.options(delay=90).enqueue("ada", "Soon")

        clock.advance(89.9)
        assert drain(app) == []
        clock.advance(0.1)
        assert len(drain(app)) == 1

    def test_the_lower_rank_runs_first_and_ties_in_order(self, app: Rota) -> None:
        @app.task
        def note(name: str) -> str:
            return name

        for name, rank in (("c", 0), ("d", 0), ("e", 7), ("a", -(2**63)), ("b", -1)):
            note.options(rank=rank).enqueue(name)

        assert [ran.job.result() for ran in drain(app)] == ["a", "b", "c", "d", "e"]

    def test_a_rank_of_the_task_is_the_default(self, app: Rota) -> None:
        @app.task(rank=9)
        def work() -> None: ...

        work.enqueue()
        work.options(rank=0).enqueue()

        assert [job.record.rank for job in enqueued(app)] == [9, 0]

    def test_what_has_not_started_in_time_expires(self, app: Rota, clock: FakeClock, send: Send) -> None:
        jobs = [
            send.options(expires=timedelta(minutes=1)).enqueue("ada", "Quick"),
            send.options(expires=clock.now() + timedelta(minutes=1)).enqueue("ada", "Quick"),
        ]

        clock.advance(minutes=1, seconds=1)

        assert drain(app) == []
        for job in jobs:
            with pytest.raises(JobExpiredError, match=r"job\.retry\(\)"):
                job.result(timeout=0)

    def test_one_that_does_not_exist_is_refused_with_a_hint(self, app: Rota, send: Send) -> None:
        with pytest.raises(UnknownOptionError, match=r"'send' has no option 'rnak'\. Did you mean 'rank'\?"):
            send.options(rnak=1)  # type: ignore[arg-type]  # a slip
        with pytest.raises(UnknownOptionError, match=r"no option 'que'\. Did you mean 'queue'\?"):
            app.task(que="mail")


class TestUnique:
    def test_one_live_job_of_a_task_and_text(self, app: Rota, send: Send) -> None:
        first = send.options(unique="ada").enqueue("ada", "1")
        second = send.options(unique="ada").enqueue("ada", "2")
        other = send.options(unique="bob").enqueue("bob", "1")

        assert (first.created, second.created, other.created) == (True, False, True)
        assert second == first
        assert len(drain(app)) == 2
        assert second.result() == "1 to ada"

        assert send.options(unique="ada").enqueue("ada", "3").created

    def test_another_task_has_texts_of_its_own(self, app: Rota, send: Send) -> None:
        @app.task
        def other() -> None: ...

        assert send.options(unique="ada").enqueue("ada", "1").created
        assert other.options(unique="ada").enqueue().created

    def test_within_a_window_also_when_the_job_has_finished(
        self, app: Rota, clock: FakeClock, send: Send
    ) -> None:
        once = send.options(unique="ada", unique_for=timedelta(hours=1))
        first = once.enqueue("ada", "1")
        drain(app)

        clock.advance(minutes=59)
        assert once.enqueue("ada", "2") == first
        clock.advance(minutes=2)
        assert once.enqueue("ada", "3").created

    async def test_from_many_at_once_there_is_one(self, send: Send) -> None:
        jobs = await asyncio.gather(
            *(send.options(unique="ada").enqueue_async("ada", str(number)) for number in range(10))
        )

        assert sum(job.created for job in jobs) == 1
        assert len(set(jobs)) == 1


class TestMany:
    def test_in_one_call_in_order(self, app: Rota, send: Send) -> None:
        jobs = send.enqueue_many([("a", "1"), {"to": "b", "subject": "2"}])

        assert send.enqueue_many([]) == []
        assert [job.job for job in enqueued(app)] == jobs
        drain(app)
        assert [job.result() for job in jobs] == ["1 to a", "2 to b"]

    async def test_from_async_code(self, app: Rota, send: Send) -> None:
        jobs = await send.options(rank=3).enqueue_many_async([(str(number), "Hi") for number in range(500)])

        assert await send.enqueue_many_async([]) == []
        assert [job.job for job in await enqueued_async(app)] == jobs
        assert {job.record.rank for job in await enqueued_async(app)} == {3}

    def test_all_or_none(self, app: Rota, send: Send) -> None:
        with pytest.raises(TypeError, match="subject"):
            send.enqueue_many([("a", "1"), ("b",)])

        assert enqueued(app) == []


class TestJob:
    def test_a_result_is_waited_for(self, app: Rota, send: Send) -> None:
        job = send.enqueue("ada", "Hi")

        with pytest.raises(ResultTimeoutError, match=f"job {job.id} is ready after 0.05 s"):
            job.result(timeout=0.05)
        with working(app):
            assert job.result(timeout=10) == "Hi to ada"

    def test_a_failure_says_what_failed_and_runs_again(self, app: Rota) -> None:
        broken = True

        @app.task
        def work() -> str:
            if broken:
                raise ValueError("no good")
            return "good"

        job = work.enqueue()
        drain(app, raise_errors=False)
        with pytest.raises(JobFailedError, match="ValueError: no good") as caught:
            job.result()
        assert "in work" in caught.value.traceback
        assert job.status() is State.FAILED

        broken = False
        assert job.retry()
        assert job.status() is State.READY
        drain(app)
        assert job.result() == "good"
        assert not job.retry()

    def test_a_waiting_job_is_cancelled_at_once(self, app: Rota, clock: FakeClock, send: Send) -> None:
        ready, scheduled = send.enqueue("ada", "Hi"), send.options(delay=10).enqueue("ada", "Hi")

        for job in (ready, scheduled):
            assert job.cancel()
            assert job.status() is State.CANCELLED
            assert not job.cancel()
            with pytest.raises(JobCancelledError):
                job.result()
        clock.advance(60)
        assert drain(app) == []

        assert ready.retry()
        drain(app)
        assert ready.result() == "Hi to ada"

    async def test_each_verb_has_a_twin(self, app: Rota, send: Send) -> None:
        job = await send.enqueue_async("ada", "Hi")

        assert await job.status_async() is State.READY
        assert await job.cancel_async()
        assert not await job.cancel_async()
        with pytest.raises(JobCancelledError):
            await job.result_async(timeout=1)
        assert await job.retry_async()
        await drain_async(app)
        assert await job.result_async() == "Hi to ada"
        assert (await job.record_async()).attempt == 1
        assert await job.logs_async() == []

    def test_it_is_found_again_by_its_id(self, app: Rota, send: Send) -> None:
        job = send.enqueue("ada", "Hi")
        drain(app)

        found = app.job(str(job.id))

        assert found == job
        assert found.result() == "Hi to ada"
        assert found.record().task == "send"
        with pytest.raises(JobNotFoundError, match="never existed here, or its retention has passed"):
            app.job(UUID(int=7)).status()

    def test_its_type_comes_with_it(self, app: Rota) -> None:
        @app.task
        def moment() -> datetime:
            return datetime(2026, 1, 1, tzinfo=UTC)

        job: Job[datetime] = moment.enqueue()
        drain(app)

        assert job.result() == datetime(2026, 1, 1, tzinfo=UTC)

    def test_a_result_lives_as_long_as_it_may(self, app: Rota, clock: FakeClock) -> None:
        @app.task(result_ttl=0)
        def none() -> str:
            return "gone"

        @app.task(result_ttl=timedelta(hours=1))
        def hour() -> str:
            return "there"

        dropped, kept = none.enqueue(), hour.enqueue()
        drain(app)

        with pytest.raises(ResultUnavailableError, match="result_ttl="):
            dropped.result()
        assert kept.result() == "there"
        clock.advance(hours=2)
        with pytest.raises(ResultUnavailableError):
            kept.result()

    def test_a_lost_answer_is_sent_again_without_a_second_copy(self, app: Rota, send: Send) -> None:
        submission = send.submission(("ada", "Hi"), {})
        app.submit([submission])
        drain(app)

        for resent in (submission, send.submission(("bob", "Hi"), {})):
            app.resend(SubmitUncertainError([resent], "connection lost"))

        assert [job.record.state for job in enqueued(app)] == [State.SUCCEEDED, State.READY]
