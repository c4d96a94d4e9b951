"""What the tests of a user's day share: both stores, and a worker in a thread of this process."""

import asyncio
import itertools
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from rota.app.rota import Rota
from rota.app.serving import run_loop, serve
from rota.model.events import Notice
from rota.settings import Settings, load_settings
from rota.testing import FakeClock, isolated
from tests.servers.postgres import PostgresServer

__all__ = ["Bell", "app", "clock", "settings", "shared_database", "working"]

PATIENCE = 20.0

_schemas = (f"user_{os.getpid()}_{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def shared_database(postgres_server: PostgresServer) -> str:
    """A database in which each test has a schema of its own."""
    return postgres_server.create_database()


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings that name an empty store."""
    if request.param == "sqlite":
        return load_settings({"url": f"sqlite:///{tmp_path}/rota.db"}, environment={}, folder=tmp_path)
    url = request.getfixturevalue("shared_database")
    return load_settings({"url": url, "schema": next(_schemas)}, environment={}, folder=tmp_path)


@pytest.fixture
def app(settings: Settings) -> Iterator[Rota]:
    """An app without tasks on an empty store."""
    app = Rota(settings=settings)
    yield app
    app.close()


@pytest.fixture
def clock(app: Rota) -> Iterator[FakeClock]:
    """The app's clock, which the test moves; the store stays the app's own."""
    with isolated(app, url=app.settings.url) as clock:
        yield clock


class Bell:
    """A part of a process that ends it when another thread rings."""

    def __init__(self) -> None:
        self.stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    def notice(self, notice: Notice) -> None: ...

    async def stop(self) -> None: ...

    async def hurry(self) -> None: ...

    def ring(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.stopped.set)


@contextmanager
def working(app: Rota, roles: Sequence[str] = ("worker",)) -> Iterator[None]:
    """Run parts of an app in a thread, as `rota worker` would in a process; stop gracefully at the end."""
    bell, ready = Bell(), threading.Event()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            run_loop(serve(app, roles, also=[bell], ready=ready.set))
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)
            ready.set()

    thread = threading.Thread(target=run, name="worker")
    thread.start()
    ready.wait(PATIENCE)
    try:
        if not errors:
            yield
    finally:
        bell.ring()
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the worker did not stop"
        if errors:
            raise errors[0]
