"""From SQLite to PostgreSQL and back: what comes out passes what the suite asks of any store."""

import itertools
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from hypothesis import settings
from hypothesis.stateful import rule, run_state_machine_as_test

from rota.model.states import State
from rota.model.transfer import KINDS
from rota.operations.transfer import restore
from rota.operations.verify import verify
from rota.ports.store import Store
from rota.stores.sqlite import SqliteStore
from rota.testing.clock import FakeClock
from rota.testing.conformance.fixtures import clock
from rota.testing.conformance.harness import Harness
from rota.testing.conformance.machine import JobMachine, profiled
from rota.testing.conformance.scene import HOUR, Scene
from rota.testing.conformance.transferring import TestTransfer, exported, furnish, moved
from tests.conformance.conftest import PostgresDatabase

__all__ = ["TestTransfer", "clock"]

_NUMBERS = itertools.count()


async def a_scene(harness: Harness, clock: FakeClock, namespace: str) -> Scene:
    store = harness.store(clock, namespace)
    await store.open()
    return Scene(harness, store, clock)


@pytest.fixture(params=["to_postgres", "to_sqlite"])
def harnesses(
    request: pytest.FixtureRequest, sqlite_harness: Harness, postgres_harness: Harness
) -> tuple[Harness, Harness]:
    """The store to move from, and the one to move to."""
    both = (sqlite_harness, postgres_harness)
    return both if request.param == "to_postgres" else both[::-1]


@pytest_asyncio.fixture
async def scene(harnesses: tuple[Harness, Harness], clock: FakeClock) -> AsyncIterator[Scene]:
    scene = await a_scene(harnesses[0], clock, "one")
    yield scene
    await scene.store.close()


@pytest_asyncio.fixture
async def neighbour(harnesses: tuple[Harness, Harness], clock: FakeClock) -> AsyncIterator[Scene]:
    """The empty store of the other kind, in place of the suite's of the same."""
    scene = await a_scene(harnesses[1], clock, "two")
    yield scene
    await scene.store.close()


async def test_there_and_back_is_the_same(harnesses: tuple[Harness, Harness], clock: FakeClock) -> None:
    one = await a_scene(harnesses[0], clock, "one")
    two = await a_scene(harnesses[1], clock, "two")
    three = await a_scene(harnesses[0], clock, "three")
    jobs = await furnish(one)
    first, second = await moved(one, two), await moved(two, three)
    assert second[1:] == first[1:]
    assert second[0] != first[0]
    assert await three.state(jobs["failed"]) is State.FAILED
    for each in (two, three):
        assert (await verify(each.store, keep=HOUR)).findings == ()
    for each in (one, two, three):
        await each.store.close()


class MovingMachine(JobMachine):
    """A random life that moves from one kind of store to the other, again and again."""

    def __init__(self, harness: Harness, other: Harness) -> None:
        super().__init__(harness)
        self.other = other

    @rule()
    def move(self) -> None:
        """All of it moves to an empty store of the other kind, where life goes on."""
        self.harness, self.other = self.other, self.harness
        self.namespace = f"moved{next(_NUMBERS)}"
        self.store = self.wait(self._move(self.store))
        for job in self.model.live():
            if job.state is State.RUNNING:
                self.model.leave(job)

    async def _move(self, source: Store) -> Store:
        lines = await exported(source)
        await source.close()
        target = self.harness.store(self.clock, self.namespace)
        await target.open()
        await restore(target, lines, max)
        assert (await exported(target))[1:] == lines[1:]
        return target


@pytest.mark.timeout(240)
def test_any_life_may_move(sqlite_harness: Harness, postgres_harness: Harness) -> None:
    profile = settings()
    run_state_machine_as_test(
        lambda: MovingMachine(sqlite_harness, postgres_harness),  # type: ignore[arg-type]  # as `live`
        settings=profiled(settings(profile, max_examples=profile.max_examples // 20)),
    )


# What no export carries, and why it need not.
LEFT_BEHIND = {
    "place": "the order of records says it",
    "seq": "the order of live jobs says it; finished ones have none",
    "settled_token": "only a worker that stays behind could send its outcome twice",
    "used": "counted from the jobs that came",
    "made_at": "SQLite keeps none: by it, PostgreSQL forgets results whose jobs are gone",
}
TABLES = {
    "scope": ("slots",),
    "queue": ("queues",),
    "task": ("tasks",),
    "schedule": ("schedules",),
    "definition": ("schedule_versions",),
    "tick": ("ticks",),
    "job": ("jobs", "dead", "history"),
    "result": ("results",),
    "window": ("unique_windows",),
    "event": ("events",),
    "log": ("logs",),
    "audit": ("audit",),
    "token": ("tokens",),
}
# Processes; the store itself; figures of the past; answers that a client may ask for again within a day.
NO_DATA = {"workers", "schema_version", "stats", "requests"}
OTHER_NAMES = {("results", "id"): "job", ("results", "expires_at"): "until"}


def sqlite_columns(folder: Path) -> Iterator[tuple[str, str]]:
    SqliteStore(folder / "rota.db").submit_now([])
    with closing(sqlite3.connect(folder / "rota.db")) as connection:
        yield from connection.execute(
            "select m.name, c.name from sqlite_master m, pragma_table_info(m.name) c "
            "where m.type = 'table' and m.name not like 'sqlite_%'"
        ).fetchall()


def postgres_columns(url: str) -> Iterator[tuple[str, str]]:
    with psycopg.connect(url) as connection:
        yield from connection.execute(
            "select table_name, column_name from information_schema.columns "
            "where table_schema = 'one' and table_name not like 'history\\__%'"
        ).fetchall()


def test_every_column_travels(tmp_path: Path, postgres_database: PostgresDatabase) -> None:
    """A new column has to be carried, or to be named here."""
    fields = {table: set(KINDS[kind].__struct_fields__) for kind, names in TABLES.items() for table in names}
    for columns in (sqlite_columns(tmp_path), postgres_columns(postgres_database.url)):
        found = list(columns)
        assert {table for table, _ in found} - NO_DATA == fields.keys()
        left = {
            (table, column)
            for table, column in found
            if table not in NO_DATA and OTHER_NAMES.get((table, column), column) not in fields[table]
        }
        numbered = {("events", "id")}
        assert {place for place in left - numbered if place[1] not in LEFT_BEHIND} == set()
