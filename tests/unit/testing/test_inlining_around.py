"""Inline mode from async code, with resources, and around other contexts."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rota.app.rota import Rota
from rota.model.errors import JobFailedError, WrongThreadError
from rota.model.states import State
from rota.testing import enqueued, inline, isolated


@pytest.fixture
def app() -> Rota:
    return Rota("sqlite:////nowhere/rota.db")


class Client:
    def __init__(self, name: str) -> None:
        self.name = name


class TestAsync:
    async def test_a_coroutine_function_runs_in_this_very_loop(self, app: Rota) -> None:
        loops: list[asyncio.AbstractEventLoop] = []

        @app.task
        async def inner() -> None:
            loops.append(asyncio.get_running_loop())

        @app.task
        async def outer() -> str:
            loops.append(asyncio.get_running_loop())
            await inner.enqueue_async()
            return "done"

        with inline(app):
            job = await outer.enqueue_async()
            assert await job.result_async() == "done"

        assert loops == [asyncio.get_running_loop()] * 2

    async def test_a_plain_function_runs_in_a_thread(self, app: Rota) -> None:
        threads: list[int] = []

        @app.task
        def inner() -> None:
            threads.append(threading.get_ident())

        @app.task
        def outer() -> None:
            threads.append(threading.get_ident())
            inner.enqueue()

        with inline(app):
            await outer.enqueue_async()

        assert threads[0] == threads[1] != threading.get_ident()

    async def test_it_raises_the_very_error_of_the_task(self, app: Rota) -> None:
        error = KeyError("gone")

        @app.task
        async def fail() -> None:
            raise error

        with inline(app), pytest.raises(KeyError) as caught:
            await fail.enqueue_async()
        assert caught.value is error

    async def test_several_at_once(self, app: Rota) -> None:
        @app.task
        async def double(number: int) -> int:
            await asyncio.sleep(0)
            return 2 * number

        with inline(app):
            jobs = await asyncio.gather(*(double.enqueue_async(number) for number in range(10)))
            assert [await job.result_async() for job in jobs] == [2 * number for number in range(10)]

    async def test_a_timeout_strikes(self, app: Rota) -> None:
        @app.task(timeout=0.05)
        async def asleep() -> None:
            await asyncio.Event().wait()

        with inline(app), pytest.raises(JobFailedError, match="TimeoutError"):
            await asleep.enqueue_async()

    async def test_the_sync_verb_is_refused_as_in_production(self, app: Rota) -> None:
        @app.task
        def work() -> None: ...

        with inline(app), pytest.raises(WrongThreadError, match="await enqueue_async"):
            work.enqueue()


class TestResources:
    def test_they_are_opened_and_closed_around_the_job(self, app: Rota) -> None:
        seen: list[str] = []

        @app.resource
        def client() -> Iterator[Client]:
            seen.append("open")
            yield Client("real")
            seen.append("close")

        @app.task
        def inner(client: Client) -> None:
            seen.append(f"inner {client.name}")

        @app.task
        def outer(client: Client) -> None:
            seen.append(f"outer {client.name}")
            inner.options().enqueue()  # type: ignore[call-arg]  # the worker fills it in

        with inline(app):
            outer.enqueue()  # type: ignore[call-arg]  # as above

        assert seen == ["open", "outer real", "inner real", "close"]

    def test_a_test_gives_its_own(self, app: Rota) -> None:
        @app.resource
        def client() -> Client:
            raise AssertionError("a test must not come here")

        @app.task
        def work(client: Client) -> str:
            return client.name

        with inline(app, resources={Client: Client("fake")}):
            assert work.enqueue().result() == "fake"  # type: ignore[call-arg]  # the worker fills it in


class TestContext:
    def test_inside_isolated_the_jobs_stay_there(self, app: Rota) -> None:
        @app.task
        def work() -> None: ...

        with isolated(app):
            with inline(app):
                work.enqueue()
            work.enqueue()
            states = [job.record.state for job in enqueued(work)]

        assert states == [State.SUCCEEDED, State.READY]

    def test_jobs_that_wait_are_left_alone(self, app: Rota) -> None:
        ran: list[str] = []

        @app.task
        def work(name: str) -> None:
            ran.append(name)

        with isolated(app) as clock:
            work.options(delay=10).enqueue("later")
            clock.advance(20)
            with inline(app):
                work.enqueue("now")

        assert ran == ["now"]

    def test_a_transaction_of_the_caller_is_not_asked(self, app: Rota) -> None:
        ran: list[str] = []

        @app.task
        def work() -> None:
            ran.append("work")

        with inline(app):
            work.options(connection=object()).enqueue()

        assert ran == ["work"]

    def test_afterwards_all_is_as_before(self, app: Rota) -> None:
        @contextmanager
        def same() -> Iterator[None]:
            before = app.settings, app.clock, app.connection
            yield
            assert (app.settings, app.clock, app.connection) == before

        with same(), inline(app):
            pass
        with same(), pytest.raises(LookupError), inline(app):
            raise LookupError
