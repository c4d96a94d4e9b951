"""Draining: what is due by the clock, and from async code."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from rota.app.rota import Rota
from rota.definitions.attempt import current
from rota.model.outcome import Outcome, Retried, Snooze, Succeeded
from rota.model.states import State
from rota.policy.retrying import Retry
from rota.testing import FakeClock, drain, drain_async, enqueued_async, isolated
from rota.triggers.cron import cron
from rota.triggers.interval import every


@pytest.fixture
def app() -> Rota:
    return Rota("sqlite:////nowhere/rota.db")


@pytest.fixture
def clock(app: Rota) -> Iterator[FakeClock]:
    with isolated(app) as clock:
        yield clock


pytestmark = pytest.mark.usefixtures("clock")


def names(app: Rota) -> list[str]:
    return [ran.task for ran in drain(app)]


class TestDue:
    def test_a_delayed_job_runs_when_its_moment_has_come(self, app: Rota, clock: FakeClock) -> None:
        @app.task
        def work() -> None: ...

        work.options(delay=timedelta(hours=1)).enqueue()

        assert names(app) == []
        clock.advance(minutes=59, seconds=59)
        assert names(app) == []
        clock.advance(1)
        assert names(app) == ["work"]

    def test_a_schedule_ticks(self, app: Rota, clock: FakeClock) -> None:
        @app.schedule(every(hours=1), id="hourly")
        def hourly() -> None: ...

        drain(app)
        for hours, expected in ((0.5, []), (0.5, ["hourly"]), (0.5, []), (3, ["hourly"])):
            clock.advance(hours=hours)
            assert names(app) == expected

    def test_a_schedule_known_before_ticks_from_the_beginning(self, app: Rota) -> None:
        @app.schedule(cron("0 8 * * 1"), id="monday")
        def monday() -> None: ...

        with isolated(app) as clock:
            clock.advance(days=7)
            assert names(app) == ["monday"]

    def test_a_schedule_added_by_hand_ticks(self, app: Rota, clock: FakeClock) -> None:
        @app.task
        def ping(host: str) -> str:
            return host

        app.schedules.add(ping, every(minutes=5), id="ping", args=("example.org",))
        clock.advance(minutes=5)
        (ran,) = drain(app)

        assert ran.job.result() == "example.org"

    def test_retries_wait_for_the_clock(self, app: Rota, clock: FakeClock) -> None:
        @app.task(retry=Retry(2, delay=60, jitter=0))
        def flaky() -> str:
            if current().attempt < 3:
                raise ConnectionError("away")
            return "back"

        job = flaky.enqueue()
        outcomes: list[type[Outcome]] = []
        for seconds in (0, 60, 120):
            clock.advance(seconds)
            outcomes += [type(ran.outcome) for ran in drain(app, raise_errors=False)]

        assert outcomes == [Retried, Retried, Succeeded]
        assert job.result() == "back"

    def test_a_snooze_waits_for_the_clock(self, app: Rota, clock: FakeClock) -> None:
        @app.task
        def work() -> Snooze | str:
            return Snooze(timedelta(minutes=1)) if not clock.now().minute else "done"

        job = work.enqueue()
        assert [type(ran.outcome) for ran in drain(app)] == [Snooze]
        clock.advance(minutes=1)
        drain(app)
        assert (job.result(), job.record().attempt) == ("done", 1)

    def test_a_job_may_expire(self, app: Rota, clock: FakeClock) -> None:
        @app.task(expires=timedelta(minutes=1))
        def work() -> None: ...

        job = work.enqueue()
        clock.advance(minutes=2)
        assert names(app) == []
        assert job.status() is State.EXPIRED


class TestAsync:
    async def test_coroutine_functions_run_in_this_loop_and_plain_ones_in_threads(self, app: Rota) -> None:
        @app.task
        async def loop() -> bool:
            await plain.enqueue_async()
            return asyncio.get_running_loop() is here

        @app.task
        def plain() -> bool:
            return threading.get_ident() != thread

        here, thread = asyncio.get_running_loop(), threading.get_ident()
        await loop.enqueue_async()

        ran = await drain_async(app)

        assert [(one.task, await one.job.result_async()) for one in ran] == [("loop", True), ("plain", True)]

    async def test_resources_are_opened_in_this_loop(self, app: Rota) -> None:
        class Loop:
            def __init__(self) -> None:
                self.loop = asyncio.get_running_loop()

        @app.resource
        async def client() -> Loop:
            return Loop()

        @app.task
        async def work(client: Loop) -> bool:
            return client.loop is asyncio.get_running_loop() is here

        here = asyncio.get_running_loop()
        await work.enqueue_async()  # type: ignore[call-arg]  # the worker fills it in
        (ran,) = await drain_async(app)

        assert await ran.job.result_async() is True

    async def test_errors_are_raised_or_collected(self, app: Rota) -> None:
        @app.task
        async def fail() -> None:
            raise ValueError("boom")

        for _ in range(2):
            await fail.enqueue_async()

        with pytest.raises(ValueError, match="boom"):
            await drain_async(app)
        await fail.enqueue_async()
        (ran,) = await drain_async(app, raise_errors=False)
        assert isinstance(ran.error, ValueError)

    async def test_time_passes(self, app: Rota, clock: FakeClock) -> None:
        @app.schedule(every(hours=1), id="hourly")
        async def hourly() -> None: ...

        await drain_async(app)
        clock.advance(hours=1)
        assert [ran.task for ran in await drain_async(app)] == ["hourly"]
        assert [job.record.schedule for job in await enqueued_async(hourly)] == ["hourly"]

    async def test_a_cancelled_drain_leaves_no_task_running(self, app: Rota) -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        @app.task
        async def endless() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        await endless.enqueue_async()
        draining = asyncio.create_task(drain_async(app))
        await begun.wait()
        draining.cancel()
        with pytest.raises(asyncio.CancelledError):
            await draining
        async with asyncio.timeout(5):
            await ended.wait()
