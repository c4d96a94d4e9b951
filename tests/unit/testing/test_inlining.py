"""Inline mode: to enqueue is to run, here."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rota.app.rota import Rota
from rota.definitions.attempt import Attempt, current
from rota.model.errors import ArgumentsError, JobFailedError, RotaError
from rota.model.job import ClaimedJob
from rota.model.outcome import Outcome
from rota.model.states import State
from rota.policy.retrying import Retry
from rota.testing import enqueued, inline


@pytest.fixture
def app() -> Rota:
    return Rota("sqlite:////nowhere/rota.db")


@pytest.fixture
def at_once(app: Rota) -> Iterator[None]:
    with inline(app):
        yield


@pytest.mark.usefixtures("at_once")
class TestSync:
    def test_a_plain_function_runs_in_this_very_thread(self, app: Rota) -> None:
        threads: list[int] = []

        @app.task
        def note() -> str:
            threads.append(threading.get_ident())
            return "noted"

        job = note.enqueue()

        assert threads == [threading.get_ident()]
        assert (job.status(), job.result()) == (State.SUCCEEDED, "noted")

    def test_a_coroutine_function_runs_too(self, app: Rota) -> None:
        @app.task
        async def double(number: int) -> int:
            await asyncio.sleep(0)
            return 2 * number

        assert double.enqueue(4).result() == 8

    def test_arguments_travel_as_json(self, app: Rota) -> None:
        seen: list[object] = []

        @app.task
        def take(when: datetime, numbers: tuple[int, ...], anything: list) -> None:  # type: ignore[type-arg]  # as users write
            seen.extend([when, numbers, anything])

        given = [1, [2]]
        take.enqueue(datetime(2026, 1, 1, tzinfo=UTC), (1, 2), given)

        assert seen == [datetime(2026, 1, 1, tzinfo=UTC), (1, 2), given]
        assert seen[2] is not given

    def test_what_would_not_travel_fails_and_runs_nothing(self, app: Rota) -> None:
        seen: list[object] = []

        @app.task
        def take(anything) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - an argument without annotation
            seen.append(anything)

        with pytest.raises(ArgumentsError, match="a tuple is not one of JSON's own types"):
            take.enqueue((1, 2))
        assert seen == []
        assert enqueued(app) == []

    def test_it_raises_the_very_error_of_the_task(self, app: Rota) -> None:
        error = KeyError("gone")

        @app.task(retry=Retry(5))
        def fail() -> None:
            raise error

        with pytest.raises(KeyError, match="gone") as caught:
            fail.enqueue()
        assert caught.value is error
        assert "task 'fail'" in caught.value.__notes__[0]

    def test_a_task_that_enqueues_runs_the_other_one_first(self, app: Rota) -> None:
        order: list[str] = []

        @app.task
        def inner() -> None:
            order.append("inner")

        @app.task
        def outer() -> None:
            order.append("outer begins")
            inner.enqueue()
            order.append("outer ends")

        outer.enqueue()

        assert order == ["outer begins", "inner", "outer ends"]

    def test_an_error_inside_surfaces_where_it_was_enqueued(self, app: Rota) -> None:
        @app.task
        def inner() -> None:
            raise LookupError("inside")

        @app.task
        def outer() -> str:
            try:
                inner.enqueue()
            except LookupError:
                return "caught"
            return "missed"

        assert outer.enqueue().result() == "caught"

    def test_a_task_left_in_the_event_loop_ends_before_the_attempt(self, app: Rota) -> None:
        done: list[str] = []

        async def later(what: str) -> None:
            await asyncio.sleep(0)
            done.append(what)

        @app.task
        def inner() -> None:
            _ = asyncio.get_event_loop().create_task(later("inner"))

        @app.task
        def outer() -> None:
            inner.enqueue()
            done.append("between")
            _ = asyncio.get_event_loop().create_task(later("outer"))

        outer.enqueue()

        assert done == ["inner", "between", "outer"]

    def test_a_delay_is_not_waited_for(self, app: Rota) -> None:
        @app.task
        def work() -> str:
            return "done"

        assert work.options(delay=timedelta(days=1)).enqueue().result() == "done"
        assert work.options(run_at=datetime(2099, 1, 1, tzinfo=UTC)).enqueue().result() == "done"

    def test_many_run_in_order(self, app: Rota) -> None:
        seen: list[int] = []

        @app.task
        def note(number: int) -> None:
            seen.append(number)

        note.enqueue_many([(1,), {"number": 2}, (3,)])

        assert seen == [1, 2, 3]

    def test_the_attempt_is_there_with_its_log(self, app: Rota) -> None:
        @app.task
        def work() -> int:
            current().log.info("step %d", 1)
            current().progress(1, 2)
            return current().attempt

        job = work.enqueue()

        assert job.result() == 1
        assert [line.message for line in job.logs()] == ["step 1"]
        assert job.record().progress_total == 2

    def test_middleware_and_hooks_take_part(self, app: Rota) -> None:
        seen: list[str] = []

        @app.middleware
        async def around(attempt: Attempt, call_next: Callable[[Attempt], Awaitable[Outcome]]) -> Outcome:
            seen.append(f"before {attempt.task.name}")
            outcome = await call_next(attempt)
            seen.append("after")
            return outcome

        def succeeded(job: ClaimedJob, _outcome: Outcome) -> None:
            seen.append(f"hook of {job.task}")

        @app.task(on_success=succeeded)
        def work() -> None:
            seen.append("work")

        work.enqueue()

        assert seen == ["before work", "work", "after", "hook of work"]

    def test_a_hook_that_fails_is_told(self, app: Rota) -> None:
        def broken(_job: ClaimedJob, _outcome: Outcome) -> None:
            raise OSError("no mail today")

        @app.task(on_success=broken)
        def work() -> None: ...

        with pytest.raises(RotaError, match=r"hook of 'work' raised OSError\('no mail today'\)"):
            work.enqueue()

    def test_a_timeout_strikes(self, app: Rota) -> None:
        @app.task(timeout=0.05)
        def endless() -> None:
            while True:
                pass

        @app.task(timeout=0.05)
        async def asleep() -> None:
            await asyncio.Event().wait()

        for task in (endless, asleep):
            with pytest.raises(JobFailedError, match=r"TimeoutError: ran longer than its timeout of 0\.05 s"):
                task.enqueue()

    def test_a_result_that_cannot_be_kept_fails(self, app: Rota) -> None:
        @app.task
        def work() -> object:
            return object()

        with pytest.raises(JobFailedError, match="cannot be kept"):
            work.enqueue()

    def test_a_test_that_fails_inside_a_task_fails(self, app: Rota) -> None:
        @app.task
        def work() -> None:
            pytest.fail("seen in the task")

        with pytest.raises(pytest.fail.Exception, match="seen in the task"):
            work.enqueue()

    def test_a_limit_of_one_is_no_obstacle(self, app: Rota) -> None:
        @app.task(limit=1)
        def work(depth: int) -> None:
            if depth:
                work.enqueue(depth - 1)

        work.enqueue(1)

        # The second one had to wait for the first: it ran when the first had ended.
        assert [job.record.state for job in enqueued(work)] == [State.SUCCEEDED] * 2
