"""A Rota worker at a light load whose history is being removed, and how long its claims take meanwhile."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from rota import Rota
from rota.engine.announcer import Announcer
from rota.engine.host import host
from rota.model.events import Notice
from rota.ports.retention import Pruned, Retention
from rota.ports.store import Store
from rota.wiring import make_executors, make_maintenance, make_worker

__all__ = ["Retaining", "retain"]

P = ParamSpec("P")
R = TypeVar("R")

WARM = 5  # claims, the first of which make their statements
LOAD = 20  # jobs that come together
EVERY = 0.05  # seconds


async def retain(app: Rota, retaining: "Retaining") -> None:
    """Run worker and maintenance until no old job is left."""
    announcer = Announcer()
    store = app.make_store()
    await store.open()
    app.connection.adopt(store)
    retaining.watch(app, store)
    executors = make_executors(app.registry, app.settings, "")
    worker = make_worker(store, app.registry, executors, announcer=announcer, settings=app.settings)
    maintenance = make_maintenance(store, announcer, app.settings)
    await host([worker, retaining, maintenance], store.wakeup)
    await store.close()


class Retaining:
    """A part of the worker's process: sends jobs, times claims, and ends it with the last old row."""

    def __init__(self) -> None:
        self.rows = 0
        self.longest = 0.0
        self.began = self.ended = time.monotonic()
        self.stopped = asyncio.Event()
        self._claims = 0
        self._warm = asyncio.Event()

    def watch(self, app: Rota, store: Store) -> None:
        """Stand between the engine and the store's claims and prunes."""
        self._app = app
        prune = store.retention.prune

        async def counted(retention: Retention, limit: int) -> Pruned:
            pruned = await prune(retention, limit)
            self.rows += pruned.rows
            self.ended = time.monotonic()
            if not pruned.more:
                self.stopped.set()
            return pruned

        store.retention.prune = counted  # type: ignore[method-assign]  # the ports are where both can be seen
        store.jobs.claim = self._timed(store.jobs.claim)  # type: ignore[method-assign]

    def _timed(self, call: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        async def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            began = time.monotonic()
            result = await call(*args, **kwargs)
            self._claims += 1
            if self._claims > WARM:
                self._warm.set()
                self.longest = max(self.longest, time.monotonic() - began)
            return result

        return timed

    async def start(self) -> None:
        self._sending = asyncio.create_task(self._send())
        await self._warm.wait()
        self.began = time.monotonic()

    async def _send(self) -> None:
        while True:
            await self._app.tasks["noop"].enqueue_many_async([()] * LOAD)
            await asyncio.sleep(EVERY)  # the load that the figure is defined with

    def notice(self, notice: Notice) -> None:
        """Need none."""

    async def stop(self) -> None:
        self._sending.cancel()

    async def hurry(self) -> None:
        self._sending.cancel()
