"""A scene on each store: the operations read what the store wrote."""

import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from rota.model.clock import Clock, to_micros
from rota.ports.store import Store
from rota.settings import Settings
from rota.testing.clock import FakeClock
from rota.testing.conformance.harness import Harness
from rota.testing.conformance.scene import START, Scene
from rota.wiring import make_store


class Stores(Harness):
    """Stores of one url."""

    def __init__(self, url: str) -> None:
        self.url = url

    def store(self, clock: Clock | None, namespace: str = "one") -> Store:
        return make_store(Settings(url=self.url, schema=namespace), clock)

    def slots_used(self, namespace: str = "one") -> None:
        """Nobody looks here."""


@pytest.fixture(params=["sqlite", "postgres"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Stores that are not opened yet."""
    if request.param == "sqlite":
        return Stores(f"sqlite:///{request.getfixturevalue('tmp_path')}/rota.db")
    return Stores(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def scene(stores: Stores) -> AsyncIterator[Scene]:
    clock = FakeClock(START)
    store = stores.store(clock)
    await store.open()
    yield Scene(stores, store, clock)
    await store.close()


@pytest.fixture
def plant(stores: Stores) -> Callable[[str], None]:
    """Run SQL behind the store's back; {m5} is the moment 5 minutes after the start, {m5s} a second more."""
    sqlite = stores.url.startswith("sqlite")

    def word(name: str) -> str:
        if name.startswith("m"):
            moment = START + timedelta(minutes=int(name[1:].rstrip("s")), seconds=name.endswith("s"))
            return str(to_micros(moment)) if sqlite else f"'{moment.isoformat()}'::timestamptz"
        return name if sqlite else f'"one".{name}'

    def run(sql: str) -> None:
        text = re.sub(r"\{(\w+)\}", lambda match: word(match[1]), sql)
        if sqlite:
            with closing(sqlite3.connect(stores.url.removeprefix("sqlite:///"))) as file, file:
                file.execute(text)
        else:
            with psycopg.connect(stores.url) as connection:
                connection.execute(text.encode())

    return run


@pytest.fixture
def writes(stores: Stores) -> Callable[[], str]:
    """Return what changes when anything is written: the file's own count, or the versions of the rows."""
    if stores.url.startswith("sqlite"):
        file = Path(stores.url.removeprefix("sqlite:///"))
        return lambda: str([one.read_bytes() for one in (file, file.with_name(f"{file.name}-wal"))])

    def versions() -> str:
        with psycopg.connect(stores.url) as connection:
            rows = connection.execute("select id, xmin::text from one.schedules order by id").fetchall()
            kept = connection.execute("select count(*) from one.schedule_versions").fetchall()
            return str((rows, kept))

    return versions
