"""Rota as a user has it: all promises on, default durability, no-op tasks whose results are not kept."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from bench.contenders.contract import (
    GROUP,
    PACE,
    READY,
    Contender,
    Mark,
    Order,
    Timing,
    await_go,
    say,
    tell_lateness,
)
from bench.contenders.crowd import enqueue_together
from bench.contenders.rota_retention import Retaining, retain
from bench.gauges import memory_of
from rota import Rota
from rota.app.serving import run_loop, serve
from rota.engine.announcer import Announcer
from rota.engine.host import Part, host
from rota.model.events import Notice
from rota.model.outcome import Settlement
from rota.ports.jobs import JobStore, Settled
from rota.telemetry import logs
from rota.wiring import make_executors, make_maintenance, make_worker

__all__ = ["contender", "make_app"]

# Seconds without a job after which a worker that has others beside it takes the queue for empty.
SILENCE = 1.0
MARKS = 20
OTHERS = 10  # queues that the worker does not serve
NANOSECONDS = 1_000_000_000


def make_app(url: str) -> Rota:
    """Make an app with a no-op task, and one that tells how late it began."""
    app = Rota(url)

    async def noop() -> None:
        pass

    async def stamp(since: int) -> None:
        tell_lateness(since)

    app.task(result_ttl=0)(noop)
    app.task(result_ttl=0)(stamp)
    return app


class RotaContender(Contender):
    """Rota through its public face; workers are those of `rota worker`."""

    def fill(self, order: Order) -> Timing:
        app = make_app(order.url)
        task = app.tasks["noop"]
        app.connection.store()
        began = time.monotonic()
        for _ in range(0, order.jobs, GROUP):
            task.enqueue_many([()] * GROUP)
        ended = time.monotonic()
        app.close()
        return Timing(order.jobs, began, ended)

    def enqueue(self, order: Order) -> Timing:
        with _connect(order.url) as enqueue:
            enqueue()  # connects
            began = time.monotonic()
            for _ in range(order.jobs):
                enqueue()
            return Timing(order.jobs, began, time.monotonic())

    def crowd(self, order: Order) -> Timing:
        return enqueue_together(partial(_connect, order.url), order.jobs)

    def drain(self, order: Order) -> Timing:
        drain = _Drain(order.jobs)
        run_loop(_work(make_app(order.url), drain))
        return Timing(drain.jobs, drain.began, drain.last, tuple(drain.marks))

    def serve(self, order: Order) -> None:
        run_loop(serve(make_app(order.url), ["worker"], ready=lambda: say(READY)))

    def send(self, order: Order) -> Timing:
        app = make_app(order.url)
        task = app.tasks["stamp"]
        app.connection.store()
        began = time.monotonic()
        for _ in range(order.jobs):
            time.sleep(PACE)  # the pace that the figure is defined with
            task.enqueue(time.time_ns())
        app.close()
        return Timing(order.jobs, began, time.monotonic())

    def send_later(self, order: Order) -> Timing:
        app = make_app(order.url)
        task = app.tasks["stamp"]
        app.connection.store()
        began = time.monotonic()
        first = time.time_ns() + NANOSECONDS
        for number in range(order.jobs):
            due = first + number * int(PACE * NANOSECONDS)
            moment = datetime.fromtimestamp(due // NANOSECONDS, UTC) + timedelta(
                microseconds=due % NANOSECONDS // 1000
            )
            task.options(run_at=moment).enqueue(due)
        app.close()
        return Timing(order.jobs, began, time.monotonic())

    def fill_beside(self, order: Order) -> Timing:
        app = make_app(order.url)
        task = app.tasks["noop"]
        began = time.monotonic()
        tomorrow = task.options(delay=timedelta(days=1))
        for _ in range(0, order.jobs, GROUP):
            tomorrow.enqueue_many([()] * GROUP)
        for number in range(0, order.jobs // 10, GROUP):
            task.options(queue=f"other-{number // GROUP % OTHERS}").enqueue_many([()] * GROUP)
        app.close()
        return Timing(order.jobs + order.jobs // 10, began, time.monotonic())

    def retain(self, order: Order) -> Timing:
        retention = Retaining()
        run_loop(retain(make_app(order.url), retention))
        return Timing(retention.rows, retention.began, retention.ended, longest=retention.longest)


contender = RotaContender()


@contextmanager
def _connect(url: str) -> Iterator[Callable[[], object]]:
    """Give the call that enqueues one job."""
    app = make_app(url)
    yield app.tasks["noop"].enqueue
    app.close()


async def _work(app: Rota, drain: "_Drain") -> None:
    """Do what `rota worker` does; the store is open before the clock runs, as a raw loop's connection is."""
    announcer = Announcer()
    logs.listen(announcer)
    store = app.make_store()
    await store.open()
    drain.watch(store.jobs)
    executors = make_executors(app.registry, app.settings, "")
    parts: list[Part] = [
        make_maintenance(store, announcer, app.settings),
        make_worker(store, app.registry, executors, announcer=announcer, settings=app.settings),
        drain,
    ]
    await_go()
    drain.begin()
    await host(parts, store.wakeup)
    await store.close()


class _Drain:
    """A part of the worker's process that ends it when the jobs are done, or others took the rest.

    The clock stops when the last outcome is stored.
    """

    def __init__(self, wanted: int) -> None:
        self.jobs = 0
        self.began = self.last = 0.0
        self.marks: list[Mark] = []
        self.stopped = asyncio.Event()
        self._wanted = wanted
        self._step = max(1, wanted // MARKS)

    def begin(self) -> None:
        self.began = self.last = time.monotonic()

    def watch(self, jobs: JobStore) -> None:
        """Count what the store has taken."""
        settle = jobs.settle

        async def counted(settlements: Sequence[Settlement]) -> Settled:
            settled = await settle(settlements)
            self._count(len(settlements))
            return settled

        jobs.settle = counted  # type: ignore[method-assign]  # the port is where a job ends, whoever asks

    def _count(self, jobs: int) -> None:
        self.last = time.monotonic()
        self.jobs += jobs
        if self.jobs >= self._step * (len(self.marks) + 1):
            self.marks.append(Mark(self.jobs, self.last, memory_of("self")))
        if self.jobs >= self._wanted:
            self.stopped.set()

    async def start(self) -> None:
        self._watch = asyncio.create_task(self._watch_silence())

    async def _watch_silence(self) -> None:
        while time.monotonic() - self.last < SILENCE:  # noqa: ASYNC110 - silence has no event
            await asyncio.sleep(SILENCE / 10)
        self.stopped.set()

    def notice(self, notice: Notice) -> None:
        """Need none."""

    async def stop(self) -> None:
        self._watch.cancel()

    async def hurry(self) -> None:
        self._watch.cancel()
