"""Enqueue inside the caller's own transaction: the job comes with what it is about, or not at all."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import psycopg
import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from rota import Rota, StoreUnavailableError
from rota.app.task import AppTask
from rota.model.errors import WrongConnectionError
from rota.settings import Settings
from rota.testing import drain, enqueued, enqueued_async, inline

TABLE = "create table orders (number integer)"
INSERT = "insert into orders values (7)"
COUNT = "select count(*) from orders"

Ship = AppTask[[int], str]


class Refused(Exception):  # noqa: N818 - what the user's own code raises to roll back
    pass


@pytest.fixture
def ship(app: Rota, settings: Settings) -> Ship:
    @app.task
    def ship(order: int) -> str:
        return f"order {order} is on its way"

    assert enqueued(app) == []  # which makes Rota's tables
    with connect(settings) as connection:
        connection.execute(TABLE)
    return ship


@contextmanager
def connect(settings: Settings) -> Iterator[Any]:
    """The driver's own connection, in the schema of the test, committed at the end."""
    if settings.url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(file(settings))) as lite, lite:
            yield lite
        return
    with psycopg.connect(settings.url, autocommit=True) as postgres:
        postgres.execute(f"create schema if not exists {settings.schema}_own".encode())
        postgres.execute(f"set search_path to {settings.schema}_own".encode())
        postgres.autocommit = False
        yield postgres


def file(settings: Settings) -> str:
    return settings.url.removeprefix("sqlite:///")


def orders(settings: Settings) -> int:
    with connect(settings) as connection:
        count: int = connection.execute(COUNT).fetchone()[0]
        return count


@contextmanager
def by_sqlalchemy(settings: Settings) -> Iterator[Any]:
    with engine(settings) as made, made.begin() as connection:
        yield connection


@contextmanager
def by_session(settings: Settings) -> Iterator[Any]:
    with engine(settings) as made, Session(made) as session, session.begin():
        yield session


@contextmanager
def engine(settings: Settings) -> Iterator[sqlalchemy.Engine]:
    made = sqlalchemy.create_engine(address(settings, "", "+psycopg"), **search_path(settings))
    try:
        yield made
    finally:
        made.dispose()


def address(settings: Settings, lite: str, postgres: str) -> str:
    """The store as SQLAlchemy names it, with its drivers."""
    return settings.url.replace("sqlite:", f"sqlite{lite}:", 1).replace(
        "postgresql:", f"postgresql{postgres}:", 1
    )


def search_path(settings: Settings) -> dict[str, Any]:
    if settings.url.startswith("sqlite"):
        return {}
    return {"connect_args": {"options": f"-csearch_path={settings.schema}_own"}}


def sql(statement: str, connection: Any) -> Any:
    """The statement as the connection wants it."""
    return sqlalchemy.text(statement) if type(connection).__module__.startswith("sqlalchemy") else statement


SYNC: dict[str, Callable[[Settings], AbstractContextManager[Any]]] = {
    "driver": connect,
    "SQLAlchemy connection": by_sqlalchemy,
    "SQLAlchemy session": by_session,
}


@pytest.mark.parametrize("open_connection", SYNC.values(), ids=SYNC.keys())
class TestSync:
    def test_a_commit_brings_both(
        self, app: Rota, settings: Settings, ship: Ship, open_connection: Any
    ) -> None:
        with open_connection(settings) as connection:
            connection.execute(sql(INSERT, connection))
            job = ship.options(connection=connection).enqueue(7)
            assert enqueued(app) == [], "it is nobody's business before the commit"

        assert orders(settings) == 1
        drain(app)
        assert job.result() == "order 7 is on its way"

    def test_a_rollback_brings_neither(
        self, app: Rota, settings: Settings, ship: Ship, open_connection: Any
    ) -> None:
        with contextlib.suppress(Refused), open_connection(settings) as connection:
            connection.execute(sql(INSERT, connection))
            ship.options(connection=connection).enqueue_many([(7,), (8,)])
            raise Refused

        assert (orders(settings), enqueued(app)) == (0, [])

    def test_a_fault_leaves_the_transaction_whole(
        self, app: Rota, settings: Settings, ship: Ship, open_connection: Any
    ) -> None:
        with open_connection(settings) as connection:
            connection.execute(sql(INSERT, connection))
            with pytest.raises(TypeError):
                ship.options(connection=connection).enqueue("seven")  # type: ignore[arg-type]  # the fault

        assert (orders(settings), enqueued(app)) == (1, [])

    async def test_async_verbs_refuse_it(
        self, app: Rota, settings: Settings, ship: Ship, open_connection: Any
    ) -> None:
        with open_connection(settings) as connection, pytest.raises(WrongConnectionError):
            await ship.options(connection=connection).enqueue_async(7)

        assert await enqueued_async(app) == []


@asynccontextmanager
async def by_driver(settings: Settings) -> AsyncIterator[Any]:
    if settings.url.startswith("sqlite"):
        async with aiosqlite.connect(file(settings)) as lite:
            yield lite
            await lite.commit()
        return
    path = {"search_path": f"{settings.schema}_own"}
    made = asyncpg.create_pool(settings.url, min_size=1, server_settings=path)
    async with made as pool, pool.acquire() as postgres, postgres.transaction():
        yield postgres


@asynccontextmanager
async def by_async_sqlalchemy(settings: Settings) -> AsyncIterator[Any]:
    async with async_engine(settings) as made, made.begin() as connection:
        yield connection


@asynccontextmanager
async def by_async_session(settings: Settings) -> AsyncIterator[Any]:
    async with async_engine(settings) as made, AsyncSession(made) as session, session.begin():
        yield session


@asynccontextmanager
async def async_engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine(address(settings, "+aiosqlite", "+psycopg"), **search_path(settings))
    try:
        yield made
    finally:
        await made.dispose()


ASYNC: dict[str, Callable[[Settings], AbstractAsyncContextManager[Any]]] = {
    "driver": by_driver,
    "SQLAlchemy connection": by_async_sqlalchemy,
    "SQLAlchemy session": by_async_session,
}


@pytest.mark.parametrize("open_connection", ASYNC.values(), ids=ASYNC.keys())
class TestAsync:
    async def test_a_commit_brings_both(
        self, app: Rota, settings: Settings, ship: Ship, open_connection: Any
    ) -> None:
        async with open_connection(settings) as connection:
            await connection.execute(sql(INSERT, connection))
            job = await ship.options(connection=connection).enqueue_async(7)
            assert await enqueued_async(app) == []

        assert orders(settings) == 1
        assert [one.job for one in await enqueued_async(app)] == [job]

    async def test_a_rollback_brings_neither(
        self, app: Rota, settings: Settings, ship: Ship, open_connection: Any
    ) -> None:
        with contextlib.suppress(Refused):
            async with open_connection(settings) as connection:
                await connection.execute(sql(INSERT, connection))
                await ship.options(connection=connection).enqueue_many_async([(7,), (8,)])
                raise Refused

        assert (orders(settings), await enqueued_async(app)) == (0, [])

    async def test_sync_verbs_refuse_it(
        self, app: Rota, settings: Settings, ship: Ship, open_connection: Any
    ) -> None:
        async with open_connection(settings) as connection:
            with pytest.raises(WrongConnectionError, match="enqueue_async"):
                await asyncio.to_thread(ship.options(connection=connection).enqueue, 7)

        assert await enqueued_async(app) == []


def test_a_connection_to_elsewhere_is_refused(app: Rota, ship: Ship, tmp_path: Path) -> None:
    for connection in (sqlite3.connect(tmp_path / "elsewhere.db"), object(), "conn"):
        with pytest.raises(WrongConnectionError):
            ship.options(connection=connection).enqueue(7)
        if isinstance(connection, sqlite3.Connection):
            connection.close()

    assert enqueued(app) == []


def test_in_inline_mode_it_runs_without_the_transaction(app: Rota, settings: Settings, ship: Ship) -> None:
    with inline(app), connect(settings) as connection:
        assert ship.options(connection=connection).enqueue(7).result() == "order 7 is on its way"


def test_on_sqlite_the_tables_have_to_be_there_before(tmp_path: Path) -> None:
    app = Rota(f"sqlite:///{tmp_path}/rota.db")

    @app.task
    def work() -> None: ...

    with contextlib.closing(sqlite3.connect(tmp_path / "rota.db", isolation_level=None)) as connection:
        connection.execute("begin immediate")
        with pytest.raises(StoreUnavailableError, match="run `rota db upgrade` once before"):
            work.options(connection=connection).enqueue()
        connection.execute("rollback")
        assert work.options(connection=connection).enqueue().created
    app.close()
