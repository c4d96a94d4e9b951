"""How the suites of `rota.testing.conformance` make each store."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    closing,
    contextmanager,
)
from pathlib import Path
from typing import Any

import aiosqlite
import psycopg
import pytest
from psycopg import sql

from rota.model.clock import Clock
from rota.ports.store import Store
from rota.stores.postgres import PostgresStore
from rota.stores.sqlite import SqliteStore
from rota.testing.clock import FakeClock
from rota.testing.conformance.harness import Harness
from rota.testing.conformance.scene import START
from tests.servers.postgres import PostgresServer


class SqliteHarness(Harness):
    """A file for each namespace."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _file(self, namespace: str) -> Path:
        return self._folder / f"{namespace}.db"

    def store(self, clock: Clock | None, namespace: str = "one") -> Store:
        return SqliteStore(self._file(namespace), clock=clock)

    def slots_used(self, namespace: str = "one") -> dict[str, int]:
        with closing(sqlite3.connect(self._file(namespace))) as connection:
            return dict(connection.execute("select scope, used from slots"))

    def connect(self) -> AbstractContextManager[Any]:
        return closing(sqlite3.connect(self._file("one")))

    def connect_async(self) -> AbstractAsyncContextManager[Any]:
        return aiosqlite.connect(self._file("one"))


class PostgresHarness(Harness):
    """A schema for each namespace, all in one database."""

    def __init__(self, url: str, *, listen: bool) -> None:
        self._url, self._listen = url, listen
        self._looking: psycopg.Connection[Any] | None = None

    def store(self, clock: Clock | None, namespace: str = "one") -> Store:
        return PostgresStore(self._url, schema=namespace, clock=clock, listen=self._listen)

    def slots_used(self, namespace: str = "one") -> dict[str, int]:
        query = sql.SQL("select scope, used from {}").format(sql.Identifier(namespace, "slots"))
        if self._looking is None:
            self._looking = psycopg.connect(self._url, autocommit=True)
        return dict(self._looking.execute(query).fetchall())

    def close(self) -> None:
        if self._looking is not None:
            self._looking.close()

    def connect(self) -> AbstractContextManager[Any]:
        return psycopg.connect(self._url)

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Any]:
        async with await psycopg.AsyncConnection.connect(self._url) as connection:
            yield connection

    def connect_async(self) -> AbstractAsyncContextManager[Any]:
        return self._connect()


@pytest.fixture
def sqlite_harness(tmp_path: Path) -> Harness:
    """SQLite in an empty folder."""
    return SqliteHarness(tmp_path)


class PostgresDatabase:
    """One database for all tests: emptied between them, since to make one takes a hundred times longer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._migrate()
        with psycopg.connect(url) as connection:
            self._pristine = self._relations(connection)

    def _migrate(self) -> None:
        async def migrate() -> None:
            store = PostgresStore(self.url, schema="one", clock=FakeClock(START))
            await store.open()
            await store.close()

        with ThreadPoolExecutor(1) as thread:  # where no event loop of pytest's is in the way
            thread.submit(asyncio.run, migrate()).result()

    @staticmethod
    def _relations(connection: psycopg.Connection[Any]) -> list[str]:
        query = (
            "select relname from pg_class where relnamespace = to_regnamespace('one') "
            "and relkind in ('r', 'p') and relname <> 'schema_version' order by 1"
        )
        return [name for (name,) in connection.execute(query)]

    def clean(self) -> None:
        """Take away all that a test left behind, its open transactions too."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
            schemas = connection.execute(
                "select nspname from pg_namespace where nspname !~ '^pg_|^inf|^public'"
            )
            self._drop(connection, {name for (name,) in schemas} - {"one"})
            if self._relations(connection) == self._pristine:
                tables = (sql.Identifier("one", name) for name in self._pristine)
                connection.execute(
                    sql.SQL(";").join(sql.SQL("delete from {}").format(table) for table in tables)
                )
            else:  # time went by, and other days of history are there
                self._drop(connection, {"one"})
                self._migrate()

    @staticmethod
    def _drop(connection: psycopg.Connection[Any], schemas: set[str]) -> None:
        for name in schemas:
            connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def postgres_database(postgres_server: PostgresServer) -> PostgresDatabase:
    """The database that the suite's tests share, one after another."""
    return PostgresDatabase(postgres_server.create_database())


@pytest.fixture
def postgres_harness(postgres_database: PostgresDatabase) -> Iterator[Harness]:
    """PostgreSQL with an empty database."""
    with _emptied(postgres_database, listen=True) as harness:
        yield harness


@pytest.fixture
def pooled_harness(postgres_database: PostgresDatabase) -> Iterator[Harness]:
    """The same, as behind a pooler in transaction mode."""
    with _emptied(postgres_database, listen=False) as harness:
        yield harness


@contextmanager
def _emptied(database: PostgresDatabase, *, listen: bool) -> Iterator[Harness]:
    harness = PostgresHarness(database.url, listen=listen)
    yield harness
    harness.close()
    database.clean()
