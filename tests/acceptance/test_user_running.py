"""What a user sees while jobs run: a real worker in a thread of this process, on both stores."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

import rota
from rota import (
    Attempt,
    AttemptStoppedError,
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
    every,
)
from rota.model.errors import NoAttemptError
from rota.model.job import ClaimedJob, Submission
from rota.settings import Settings
from rota.testing import drain, enqueued
from tests.acceptance.users import working

PATIENCE = 10


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)  # what a worker writes is seen by looking


class Client:
    def __init__(self, name: str) -> None:
        self.name = name


class Pool(Client): ...


def test_plain_functions_run_in_threads_and_coroutine_functions_in_one_loop(app: Rota) -> None:
    @app.task
    def plain() -> int:
        return threading.get_ident()

    @app.task
    async def coroutine() -> int:
        await asyncio.sleep(0)
        return threading.get_ident()

    with working(app):
        threads = [job.result(PATIENCE) for job in plain.enqueue_many([()] * 20)]
        loops = [job.result(PATIENCE) for job in coroutine.enqueue_many([()] * 20)]

    assert threading.get_ident() not in threads + loops
    assert len(set(loops)) == 1
    assert set(loops).isdisjoint(threads)


def test_a_task_left_in_the_loop_of_a_plain_function_ends_first(app: Rota) -> None:
    done: list[str] = []

    @app.task
    def work() -> list[str]:
        async def later() -> None:
            await asyncio.sleep(0.05)  # so that the function is long over
            done.append("later")

        _ = asyncio.get_event_loop().create_task(later())
        return done

    with working(app):
        work.enqueue().result(PATIENCE)

    assert done == ["later"]


def test_progress_and_logs_are_seen_while_it_runs(app: Rota) -> None:
    seen = threading.Event()

    @app.task
    def work() -> None:
        attempt = rota.current()
        attempt.log.info("step %d of %d", 1, 2, name="Ada")
        attempt.progress(1, 2)
        seen.wait(PATIENCE)
        attempt.log.warning("done")
        attempt.progress(2, 2)

    with working(app):
        job = work.enqueue()
        wait_for(lambda: job.record().progress_done == 1 and bool(job.logs()))
        assert job.status() is State.RUNNING
        (line,) = job.logs()
        assert (line.level, line.message, line.fields, line.attempt) == (
            "info",
            "step 1 of 2",
            {"name": "Ada"},
            1,
        )
        seen.set()
        job.result(PATIENCE)

    assert [line.message for line in job.logs()] == ["step 1 of 2", "done"]
    assert (job.record().progress_done, job.record().progress_total) == (2, 2)


def test_the_attempt_knows_its_job(app: Rota) -> None:
    @app.task
    def child() -> None: ...

    @app.task
    async def work() -> list[object]:
        attempt = rota.current()
        await child.enqueue_async()
        return [str(attempt.job_id), attempt.attempt, dict(attempt.headers), attempt.cancelled]

    with pytest.raises(NoAttemptError, match=r"rota\.current\(\) works only inside a task"):
        rota.current()
    with working(app):
        job = work.options(headers={"user": "ada"}).enqueue()
        assert job.result(PATIENCE) == [str(job.id), 1, {"user": "ada"}, False]
        (inner,) = enqueued(child)
        inner.job.result(PATIENCE)

    assert (inner.record.parent, inner.record.root) == (job.id, job.id)


class TestCancel:
    def test_a_coroutine_ends_where_it_waits(self, app: Rota) -> None:
        begun, cleaned = threading.Event(), threading.Event()

        @app.task
        async def work() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                cleaned.set()

        with working(app):
            job = work.enqueue()
            assert begun.wait(PATIENCE)
            assert job.cancel()
            with pytest.raises(JobCancelledError):
                job.result(PATIENCE)
            assert cleaned.wait(PATIENCE)
        assert job.status() is State.CANCELLED

    def test_a_plain_function_ends_where_it_asks(self, app: Rota) -> None:
        begun = threading.Event()
        reasons: list[str] = []

        @app.task
        def work() -> None:
            begun.set()
            try:
                while True:
                    rota.current().heartbeat()
            except AttemptStoppedError as error:
                reasons.append(error.reason)
                raise

        with working(app):
            job = work.enqueue()
            assert begun.wait(PATIENCE)
            job.cancel()
            with pytest.raises(JobCancelledError):
                job.result(PATIENCE)
        assert reasons == ["cancelled"]

    def test_a_task_that_goes_on_to_its_end_has_succeeded(self, app: Rota) -> None:
        begun = threading.Event()

        @app.task
        async def work() -> str:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return "done all the same"
            return ""

        with working(app):
            job = work.enqueue()
            assert begun.wait(PATIENCE)
            job.cancel()
            assert job.result(PATIENCE) == "done all the same"


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


class TestUnknownTask:
    def test_its_job_goes_back_uncounted_and_not_before_five_seconds(
        self, app: Rota, settings: Settings
    ) -> None:
        newer = Rota(settings=settings)

        @newer.task
        def strange() -> str:
            return "known"

        with working(app):
            job = strange.enqueue()
            wait_for(lambda: job.status() is State.SCHEDULED)
            record = job.record()

        assert record.attempt == 0
        assert record.run_at is not None
        assert record.run_at - record.submitted_at >= timedelta(seconds=5)
        newer.close()


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


class TestLimits:
    @pytest.mark.parametrize("scope", ["task", "queue", "key"])
    def test_no_more_run_at_once(self, app: Rota, scope: str) -> None:
        lock, running, most = threading.Lock(), 0, 0

        def work() -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)  # long enough for another to begin, if it may
            with lock:
                running -= 1

        choices: dict[str, dict[str, Any]] = {
            "task": {"limit": 2},
            "queue": {"queue": "narrow"},
            "key": {"key_limit": 2},
        }
        task = app.task(**choices[scope])(work)
        if scope == "queue":
            app.queue("narrow", limit=2)

        with working(app), working(app):
            jobs = task.options(key="tenant" if scope == "key" else None).enqueue_many([()] * 12)
            for job in jobs:
                job.result(PATIENCE)

        assert most == 2

    def test_another_key_is_not_held_up(self, app: Rota) -> None:
        release = threading.Event()

        @app.task(key_limit=1)
        def work(wait: bool) -> None:
            if wait:
                release.wait(PATIENCE)

        with working(app):
            held = [work.options(key="a").enqueue(True) for _ in range(3)]  # noqa: FBT003 - as above
            work.options(key="b").enqueue(False).result(PATIENCE)  # noqa: FBT003 - as above
            release.set()
            for job in held:
                job.result(PATIENCE)


def test_a_schedule_ticks_in_real_time(app: Rota) -> None:
    ticked = threading.Event()

    @app.schedule(every(seconds=1), id="often")
    def often() -> None:
        ticked.set()

    with working(app, ("worker", "scheduler")):
        assert ticked.wait(PATIENCE)

    (first, *_) = enqueued(often)
    assert first.record.schedule == "often"
    assert first.record.due is not None


def test_what_runs_ends_in_peace_and_what_waits_stays(app: Rota) -> None:
    begun, leave = threading.Event(), threading.Event()

    @app.task
    async def work() -> str:
        begun.set()
        await asyncio.to_thread(leave.wait, PATIENCE)
        return "ended in peace"

    with working(app):
        job = work.enqueue()
        assert begun.wait(PATIENCE)
        threading.Timer(0.2, leave.set).start()
    later = work.enqueue()

    assert job.result(timeout=0) == "ended in peace"
    assert later.status() is State.READY


def test_several_workers_share_and_nothing_runs_twice(app: Rota) -> None:
    seen: list[int] = []

    @app.task
    async def work(number: int) -> int:
        seen.append(number)
        return number

    with working(app), working(app), working(app):
        jobs = work.enqueue_many([(number,) for number in range(300)])
        assert [job.result(PATIENCE) for job in jobs] == list(range(300))

    assert sorted(seen) == list(range(300))
