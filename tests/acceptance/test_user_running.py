"""What a user sees while jobs run: a real worker in a thread of this process, on both stores."""

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import rota
from rota import (
    AttemptStoppedError,
    JobCancelledError,
    Rota,
    State,
    every,
)
from rota.model.errors import NoAttemptError
from rota.settings import Settings
from rota.testing import enqueued
from tests.acceptance.users import working

PATIENCE = 10


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)  # what a worker writes is seen by looking


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
