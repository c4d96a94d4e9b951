"""A worker of an app on a real store, inside the test's own event loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from rota import Rota
from rota.engine.announcer import Announcer
from rota.engine.maintenance import Maintenance
from rota.engine.worker import Worker
from rota.model.events import AttemptEnded
from rota.model.job import JobRecord
from rota.model.states import FINISHED
from rota.ports.store import Store
from rota.testing.clock import FakeClock
from rota.wiring import make_executors, make_maintenance, make_store, make_worker

T = TypeVar("T")

QUICK: dict[str, Any] = {"lease": 2.0, "extend_every": 0.2, "grace": 2.0}


class Stage:
    """An app with its open store, and workers to be started on it."""

    def __init__(self, app: Rota, store: Store, clock: FakeClock | None, locator: str = "") -> None:
        self.app = app
        self.store = store
        self.clock = clock
        self._locator = locator
        self.announcer = Announcer()
        self.ended: list[AttemptEnded] = []
        self.announcer.subscribe(AttemptEnded, self.ended.append)

    @asynccontextmanager
    async def worker(self, store: Store | None = None, queues: str = "") -> AsyncIterator[Worker]:
        """Run a worker with promoter, rescuer and pruner until the block ends."""
        worker, maintenance = self.make_worker(store, queues)

        def spread(notice: Any) -> None:
            worker.notice(notice)
            maintenance.notice(notice)

        await self.store.wakeup.start(spread)
        await maintenance.start()
        await worker.start()
        try:
            yield worker
        finally:
            await worker.stop()
            await maintenance.stop()
            await self.store.wakeup.stop()

    def make_worker(self, store: Store | None = None, queues: str = "") -> tuple[Worker, Maintenance]:
        """Make a worker that is not started."""
        used = store or self.store
        executors = make_executors(self.app.registry, self.app.settings, self._locator, self.announcer)
        worker = make_worker(
            used,
            self.app.registry,
            executors,
            announcer=self.announcer,
            settings=self.app.settings,
            queues=queues,
        )
        return worker, make_maintenance(used, self.announcer, self.app.settings)

    async def record(self, job: Any) -> JobRecord:
        """Return what the store knows of a job."""
        record = await self.store.insight.job(job.id)
        assert record is not None
        return record

    async def finished(self, job: Any) -> JobRecord:
        """Wait until a job has finished."""
        return await self.until(lambda: self.record(job), lambda record: record.state in FINISHED)

    @staticmethod
    async def until(look: Callable[[], Awaitable[T]], good: Callable[[T], bool], seconds: float = 20) -> T:
        """Look again and again until what is seen is good."""
        async with asyncio.timeout(seconds):
            while not good(seen := await look()):  # noqa: ASYNC110 - a store tells of no change
                await asyncio.sleep(0.01)  # between looks at a store that other tasks change
        return seen


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    app = Rota(f"sqlite:///{tmp_path}/rota.db", **QUICK)
    store = make_store(app.settings)
    await store.open()
    app.connection.adopt(store)
    yield Stage(app, store, None)
    app.connection.adopt(None)
    await store.close()


@pytest.fixture
async def timeless(tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage whose store has a clock that only the test moves."""
    app = Rota(f"sqlite:///{tmp_path}/rota.db", **QUICK)
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    store = make_store(app.settings, clock)
    await store.open()
    app.connection.adopt(store)
    yield Stage(app, store, clock)
    app.connection.adopt(None)
    await store.close()
