"""Rota, as a user has it: all promises on, default durability, no-op tasks whose results are not kept."""

import asyncio
import sys
import time
from typing import Any

from rota import Rota
from rota.app.serving import run_loop
from rota.engine.announcer import Announcer
from rota.model.events import AttemptEnded
from rota.wiring import make_executors, make_maintenance, make_store, make_worker

GROUP = 1000


def make_app(url: str) -> Rota:
    """Make an app with a no-op task, and one that says when it began."""
    app = Rota(url)

    @app.task(result_ttl=0)
    async def noop() -> None:
        pass

    @app.task(result_ttl=0)
    async def stamp(sent: int) -> None:
        print(time.monotonic_ns() - sent, flush=True)

    return app


def fill(url: str, count: int) -> dict[str, float]:
    """Store `count` no-op jobs, 1,000 a call; this is the bulk enqueue that is measured."""
    app = make_app(url)
    task = app.tasks["noop"]
    app.connection.store()
    began = time.perf_counter()
    for _ in range(0, count, GROUP):
        task.enqueue_many([()] * GROUP)
    seconds = time.perf_counter() - began
    app.close()
    return {"seconds": seconds, "jobs": count}


def one(url: str, count: int) -> dict[str, float]:
    """Store jobs one at a time from synchronous code."""
    app = make_app(url)
    task = app.tasks["noop"]
    task.enqueue()
    began = time.perf_counter()
    for _ in range(count):
        task.enqueue()
    seconds = time.perf_counter() - began
    app.close()
    return {"seconds": seconds, "jobs": count}


def drain(url: str, count: int) -> dict[str, float]:
    """Run `count` jobs in this one worker process; the clock stops when the last outcome is stored."""
    result: dict[str, float] = {}

    async def work() -> None:
        app = make_app(url)
        announcer = Announcer()
        done = asyncio.Event()
        left = count

        def ended(_: AttemptEnded) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                done.set()

        announcer.subscribe(AttemptEnded, ended)
        store = make_store(app.settings)
        await store.open()
        executors = make_executors(app.registry, app.settings, "")
        worker = make_worker(store, app.registry, executors, announcer=announcer, settings=app.settings)
        maintenance = make_maintenance(store, announcer, app.settings)
        print("ready", file=sys.stderr, flush=True)
        began = time.perf_counter()
        await maintenance.start()
        await worker.start()
        await done.wait()
        await worker.stop()
        result.update(seconds=time.perf_counter() - began, jobs=count, cpu=time.process_time())
        await maintenance.stop()
        await store.close()

    run_loop(work())
    return result


def serve(url: str, _: int) -> dict[str, Any]:
    """Be a worker until SIGTERM; `stamp` prints its latency in nanoseconds."""
    from rota.app.serving import serve as serve_app

    app = make_app(url)
    run_loop(serve_app(app, ["worker"], ready=lambda: print("ready", flush=True)))
    return {}


def send(url: str, count: int) -> dict[str, float]:
    """Send `count` stamped jobs, one every 50 ms, to a worker that runs elsewhere."""
    app = make_app(url)
    task = app.tasks["stamp"]
    app.connection.store()
    for _ in range(count):
        time.sleep(0.05)  # the pace that the figure is defined with
        task.enqueue(time.monotonic_ns())
    app.close()
    return {"jobs": count}


def drain_until_empty(url: str, _: int) -> dict[str, float]:
    """Run jobs beside other processes until none is left; tells when it began and ended."""
    result: dict[str, float] = {}

    async def work() -> None:
        app = make_app(url)
        announcer = Announcer()
        jobs = 0
        last = time.monotonic()

        def ended(_: AttemptEnded) -> None:
            nonlocal jobs, last
            jobs += 1
            last = time.monotonic()

        announcer.subscribe(AttemptEnded, ended)
        store = make_store(app.settings)
        await store.open()
        executors = make_executors(app.registry, app.settings, "")
        worker = make_worker(store, app.registry, executors, announcer=announcer, settings=app.settings)
        began = time.monotonic()
        await worker.start()
        while time.monotonic() - max(last, began) < 1.0:  # noqa: ASYNC110 - silence has no event
            await asyncio.sleep(0.2)
        await worker.stop()
        result.update(jobs=jobs, began=began, ended=last)
        await store.close()

    run_loop(work())
    return result
