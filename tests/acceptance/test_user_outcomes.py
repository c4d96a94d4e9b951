"""How attempts end, and who stands around them: a real worker in a thread, on both stores."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta

import pytest

import rota
from rota import (
    Attempt,
    Cancelled,
    ConfigurationError,
    Failed,
    JobCancelledError,
    JobFailedError,
    Outcome,
    Retry,
    Rota,
    Snooze,
    State,
    Succeeded,
)
from rota.model.job import ClaimedJob, Submission
from rota.testing import drain, enqueued
from tests.acceptance.users import working

PATIENCE = 10


class Client:
    def __init__(self, name: str) -> None:
        self.name = name


class Pool(Client): ...


class TestEnds:
    def test_a_timeout_fails_the_attempt(self, app: Rota) -> None:
        @app.task(timeout=0.1)
        async def asleep() -> None:
            await asyncio.Event().wait()

        @app.task(timeout=timedelta(seconds=0.1))
        def busy() -> None:
            while True:
                pass

        with working(app):
            for job in (asleep.enqueue(), busy.enqueue()):
                with pytest.raises(JobFailedError, match=r"ran longer than its timeout of 0\.1 s"):
                    job.result(PATIENCE)

    def test_failed_attempts_come_again_as_their_rule_says(self, app: Rota) -> None:
        attempts: list[int] = []

        @app.task(retry=Retry(3, delay=0.01, backoff="constant", on=ConnectionError))
        def flaky() -> str:
            attempts.append(rota.current().attempt)
            if len(attempts) < 3:
                raise ConnectionError("away")
            return "back"

        @app.task(retry=Retry(3, delay=0.01, never=ValueError))
        def wrong() -> None:
            raise ValueError("for ever")

        with working(app):
            assert flaky.enqueue().result(PATIENCE) == "back"
            job = wrong.enqueue()
            with pytest.raises(JobFailedError, match="ValueError: for ever"):
                job.result(PATIENCE)

        assert attempts == [1, 2, 3]
        assert job.record().attempt == 1

    def test_a_job_may_have_fewer_tries_than_its_task(self, app: Rota) -> None:
        @app.task(retry=Retry(5, delay=0))
        def work() -> None:
            raise ValueError("again")

        job = work.options(max_attempts=2).enqueue()
        drain(app, raise_errors=False)

        assert (job.status(), job.record().attempt) == (State.FAILED, 2)

    def test_a_task_may_choose_its_outcome(self, app: Rota) -> None:
        snoozed: list[int] = []

        @app.task
        def snooze() -> Snooze | str:
            snoozed.append(rota.current().attempt)
            return Snooze(timedelta(0)) if len(snoozed) < 3 else "awake"

        @app.task
        def give_up() -> Cancelled:
            return Cancelled("no longer wanted")

        with working(app):
            assert snooze.enqueue().result(PATIENCE) == "awake"
            with pytest.raises(JobCancelledError):
                give_up.enqueue().result(PATIENCE)
        assert snoozed == [1, 1, 1]

    def test_a_task_that_exits_fails_and_the_worker_stays(self, app: Rota) -> None:
        @app.task
        def leave() -> None:
            raise SystemExit(3)

        @app.task
        async def leave_async() -> None:
            raise KeyboardInterrupt

        @app.task
        async def cancel_oneself() -> None:
            raise asyncio.CancelledError

        @app.task
        async def work() -> str:
            return "still here"

        with working(app):
            for task, kind in (
                (leave, "SystemExit"),
                (leave_async, "KeyboardInterrupt"),
                (cancel_oneself, "CancelledError"),
            ):
                with pytest.raises(JobFailedError, match=kind):
                    task.enqueue().result(PATIENCE)
            assert work.enqueue().result(PATIENCE) == "still here"

    def test_hooks_are_called_once_the_outcome_is_kept(self, app: Rota) -> None:
        calls: list[tuple[str, str, str]] = []
        both = threading.Event()

        def note(job: ClaimedJob, outcome: Outcome) -> None:
            calls.append((job.task, type(outcome).__name__, str(app.job(job.id).status())))
            if len(calls) == 2:
                both.set()

        async def note_async(job: ClaimedJob, outcome: Outcome) -> None:
            await asyncio.to_thread(note, job, outcome)

        @app.task(on_success=note, on_failure=note)
        async def good() -> None: ...

        @app.task(on_failure=note_async, retry=Retry(1, delay=0))
        def bad() -> None:
            raise ValueError("bad")

        with working(app):
            good.enqueue()
            bad.enqueue()
            assert both.wait(PATIENCE)

        assert sorted(calls) == [("bad", "Failed", "failed"), ("good", "Succeeded", "succeeded")]


class TestResources:
    def test_they_are_opened_once_and_closed_at_the_end(self, app: Rota) -> None:
        life: list[str] = []

        @app.resource
        def client() -> Iterator[Client]:
            life.append("client opened")
            yield Client("c")
            life.append("client closed")

        @app.resource
        async def pool() -> AsyncIterator[Pool]:
            life.append("pool opened")
            yield Pool("p")
            life.append("pool closed")

        @app.task
        def plain(number: int, client: Client) -> str:
            return f"{client.name}{number}"

        @app.task
        async def coroutine(pool: Pool, number: int, client: Client) -> str:
            return f"{pool.name}{number}{client.name}"

        with working(app):
            for number in range(3):
                assert plain.enqueue(number).result(PATIENCE) == f"c{number}"  # type: ignore[call-arg]  # filled in
                job = coroutine.enqueue(number=number)  # type: ignore[call-arg]  # filled in by the worker
                assert job.result(PATIENCE) == f"p{number}c"

        assert life == ["client opened", "pool opened", "pool closed", "client closed"]

    def test_all_faults_are_told_at_the_start(self, app: Rota) -> None:
        @app.resource
        def client() -> Client:
            raise OSError("no network")

        @app.resource
        async def pool() -> Pool:
            raise LookupError("no pool")

        with pytest.raises(ConfigurationError) as caught, working(app):
            pass

        assert "resource 'client' could not be opened: OSError('no network')" in str(caught.value)
        assert "resource 'pool' could not be opened: LookupError('no pool')" in str(caught.value)


class TestMiddleware:
    def test_around_submit_it_sees_and_changes_every_job(self, app: Rota) -> None:
        @app.submit_middleware
        def outer(submission: Submission, call_next: Callable[[Submission], Submission]) -> Submission:
            submission.headers = {**(submission.headers or {}), "trace": "outer"}
            passed = call_next(submission)
            passed.headers = {**(passed.headers or {}), "last": "outer"}
            return passed

        @app.submit_middleware
        def inner(submission: Submission, call_next: Callable[[Submission], Submission]) -> Submission:
            if submission.task == "forbidden":
                raise PermissionError("not today")
            assert submission.headers
            submission.headers["trace"] += " inner"
            return call_next(submission)

        @app.task
        def work() -> None: ...

        @app.task
        def forbidden() -> None: ...

        work.options(headers={"user": "ada"}).enqueue()
        with pytest.raises(PermissionError, match="not today"):
            forbidden.enqueue()

        (job,) = enqueued(app)
        assert job.record.headers == {"user": "ada", "trace": "outer inner", "last": "outer"}

    def test_around_an_attempt_it_sees_and_changes_the_outcome(self, app: Rota) -> None:
        seen: list[str] = []

        @app.middleware
        async def outer(attempt: Attempt, call_next: Callable[[Attempt], Awaitable[Outcome]]) -> Outcome:
            seen.append("outer")
            outcome = await call_next(attempt)
            seen.append(type(outcome).__name__)
            return outcome

        @app.middleware
        async def inner(attempt: Attempt, call_next: Callable[[Attempt], Awaitable[Outcome]]) -> Outcome:
            seen.append("inner")
            outcome = await call_next(attempt)
            if isinstance(outcome, Failed):
                assert isinstance(attempt.error, ValueError)
                return Succeeded(b'"mended"')
            return outcome

        @app.task
        def work() -> str:
            raise ValueError("broken")

        with working(app):
            assert work.enqueue().result(PATIENCE) == "mended"

        assert seen == ["outer", "inner", "Succeeded"]

    def test_a_broken_one_fails_the_attempt_and_nothing_else(self, app: Rota) -> None:
        @app.middleware
        async def broken(attempt: Attempt, call_next: Callable[[Attempt], Awaitable[Outcome]]) -> Outcome:
            if attempt.task.name == "bad":
                raise RuntimeError("in the middle")
            return await call_next(attempt)

        @app.task
        def bad() -> None: ...

        @app.task
        def good() -> str:
            return "good"

        with working(app):
            with pytest.raises(JobFailedError, match="in the middle"):
                bad.enqueue().result(PATIENCE)
            assert good.enqueue().result(PATIENCE) == "good"
