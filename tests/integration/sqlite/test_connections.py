"""Submit inside a user's own transaction: every kind of connection, left as it came."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from rota.model.errors import WrongConnectionError
from rota.model.job import JobFilter
from rota.stores.sqlite import SqliteStore
from rota.stores.sqlite.connection import begin
from rota.testing.conformance.scene import HOUR, a_job

ORDERS = "create table if not exists orders (number integer)"
ORDER = "insert into orders values (1)"


async def orders_and_jobs(store: SqliteStore, path: Path) -> tuple[int, int]:
    """Return how many orders and jobs everyone can see."""
    with closing(sqlite3.connect(path)) as other:
        (orders,) = other.execute("select count(*) from orders").fetchone()
    return orders, len(await store.insight.jobs(JobFilter(), limit=100))


def make_orders(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(ORDERS)


@pytest.fixture
def store(store: SqliteStore, path: Path) -> SqliteStore:
    """A store in a file that has a table of the user's, too."""
    make_orders(path)
    return store


# --- synchronous


@contextmanager
def plain(path: Path, **options: Any) -> Iterator[Any]:
    with closing(sqlite3.connect(path, **options)) as connection:
        yield connection


@contextmanager
def by_hand(path: Path) -> Iterator[Any]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("begin")
        yield connection


@contextmanager
def with_factories(path: Path) -> Iterator[Any]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = lambda cursor, row: {
            column[0]: value for column, value in zip(cursor.description, row, strict=True)
        }
        connection.text_factory = bytes
        yield connection


def engine_of(path: Path) -> Engine:
    return create_engine(f"sqlite:///{path}", poolclass=NullPool)


@contextmanager
def alchemy(path: Path) -> Iterator[Any]:
    with engine_of(path).connect() as connection:
        yield connection


@contextmanager
def alchemy_session(path: Path) -> Iterator[Any]:
    with Session(engine_of(path)) as session:
        yield session


@contextmanager
def alchemy_that_begins(path: Path) -> Iterator[Any]:
    """Connect as SQLAlchemy's documentation says for real savepoints."""
    engine = engine_of(path)

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _(connection: Any) -> None:
        connection.exec_driver_sql("begin")

    with engine.connect() as connection:
        yield connection


SYNC: list[Callable[[Path], Any]] = [
    plain,
    lambda path: plain(path, isolation_level="IMMEDIATE"),
    by_hand,
    with_factories,
    alchemy,
    alchemy_session,
    alchemy_that_begins,
]
NAMES = [
    "sqlite3",
    "sqlite3 immediate",
    "sqlite3 by hand",
    "sqlite3 factories",
    "Connection",
    "Session",
    "begins",
]


def run(connection: Any, sql: str) -> None:
    """Run the user's own statement."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute(sql)
    elif isinstance(connection, Session):
        connection.connection().exec_driver_sql(sql)
    else:
        connection.exec_driver_sql(sql)


@pytest.mark.parametrize("connect", SYNC, ids=NAMES)
class TestSync:
    async def test_a_commit_keeps_order_and_job(
        self, store: SqliteStore, path: Path, connect: Callable[[Path], Any]
    ) -> None:
        with connect(path) as connection:
            run(connection, ORDER)
            assert all(one.created for one in store.submit_on(connection, [a_job(), a_job()]))
            assert await orders_and_jobs(store, path) == (0, 0)
            connection.commit()
        assert await orders_and_jobs(store, path) == (1, 2)

    async def test_a_rollback_takes_both_back(
        self, store: SqliteStore, path: Path, connect: Callable[[Path], Any]
    ) -> None:
        with connect(path) as connection:
            store.submit_on(connection, [a_job(unique_key="ada", unique_for=HOUR)])
            run(connection, ORDER)
            connection.rollback()
        assert await orders_and_jobs(store, path) == (0, 0)
        assert (await store.jobs.submit([a_job(unique_key="ada", unique_for=HOUR)]))[0].created

    async def test_a_submit_that_fails_leaves_the_rest(
        self, store: SqliteStore, path: Path, connect: Callable[[Path], Any]
    ) -> None:
        with connect(path) as connection:
            run(connection, ORDER)
            store.submit_on(connection, [a_job()])
            with pytest.raises(OverflowError):
                store.submit_on(connection, [a_job(), a_job(rank=2**64)])
            connection.commit()
        assert await orders_and_jobs(store, path) == (1, 1)


class TestSqlite3:
    async def test_a_savepoint_of_the_user_takes_a_job_back(self, store: SqliteStore, path: Path) -> None:
        with by_hand(path) as connection:
            store.submit_on(connection, [a_job()])
            connection.execute("savepoint mine")
            store.submit_on(connection, [a_job()])
            connection.execute("rollback to mine")
            connection.execute("commit")
        assert await orders_and_jobs(store, path) == (0, 1)

    async def test_an_autocommit_connection_commits_at_once(self, store: SqliteStore, path: Path) -> None:
        with plain(path, isolation_level=None) as connection:
            store.submit_on(connection, [a_job(), a_job()])
            assert not connection.in_transaction
            assert await orders_and_jobs(store, path) == (0, 2)
            with pytest.raises(OverflowError):
                store.submit_on(connection, [a_job(), a_job(rank=2**64)])
            assert not connection.in_transaction
        assert await orders_and_jobs(store, path) == (0, 2)

    @pytest.mark.parametrize("isolation_level", ["", "IMMEDIATE", None])
    def test_it_is_left_as_it_came(self, store: SqliteStore, path: Path, isolation_level: str | None) -> None:
        with plain(path, isolation_level=isolation_level) as connection:
            connection.row_factory, connection.text_factory = sqlite3.Row, bytes
            store.submit_on(connection, [a_job()])
            assert connection.row_factory is sqlite3.Row
            assert connection.text_factory is bytes
            assert connection.isolation_level == isolation_level
            # As after any insert.
            assert connection.in_transaction is (isolation_level is not None)
            connection.rollback()


# --- asynchronous


@asynccontextmanager
async def async_plain(path: Path) -> AsyncIterator[Any]:
    async with aiosqlite.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


@asynccontextmanager
async def async_alchemy(path: Path) -> AsyncIterator[Any]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", poolclass=NullPool)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


@asynccontextmanager
async def async_alchemy_session(path: Path) -> AsyncIterator[Any]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", poolclass=NullPool)
    async with AsyncSession(engine) as session:
        yield session
    await engine.dispose()


async def run_async(connection: Any, sql: str) -> None:
    """Run the user's own statement."""
    if isinstance(connection, aiosqlite.Connection):
        await connection.execute(sql)
    elif isinstance(connection, AsyncSession):
        await (await connection.connection()).exec_driver_sql(sql)
    else:
        await connection.exec_driver_sql(sql)


@pytest.mark.parametrize(
    "connect",
    [async_plain, async_alchemy, async_alchemy_session],
    ids=["aiosqlite", "AsyncConnection", "AsyncSession"],
)
class TestAsync:
    async def test_a_commit_keeps_order_and_job(
        self, store: SqliteStore, path: Path, connect: Callable[[Path], Any]
    ) -> None:
        async with connect(path) as connection:
            await run_async(connection, ORDER)
            made = await store.submit_on_async(connection, [a_job(), a_job()])
            assert all(one.created for one in made)
            assert await orders_and_jobs(store, path) == (0, 0)
            await connection.commit()
        assert await orders_and_jobs(store, path) == (1, 2)

    async def test_a_rollback_takes_both_back(
        self, store: SqliteStore, path: Path, connect: Callable[[Path], Any]
    ) -> None:
        async with connect(path) as connection:
            await store.submit_on_async(connection, [a_job(unique_key="ada", unique_for=HOUR)])
            await run_async(connection, ORDER)
            await connection.rollback()
        assert await orders_and_jobs(store, path) == (0, 0)

    async def test_a_submit_that_fails_leaves_the_rest(
        self, store: SqliteStore, path: Path, connect: Callable[[Path], Any]
    ) -> None:
        async with connect(path) as connection:
            await run_async(connection, ORDER)
            await store.submit_on_async(connection, [a_job()])
            with pytest.raises(OverflowError):
                await store.submit_on_async(connection, [a_job(), a_job(rank=2**64)])
            await connection.commit()
        assert await orders_and_jobs(store, path) == (1, 1)


# --- refused


class TestRefused:
    def test_another_file(self, store: SqliteStore, tmp_path: Path) -> None:
        with plain(tmp_path / "other.db") as connection:
            with pytest.raises(WrongConnectionError, match=r"other\.db.*rota\.db"):
                store.submit_on(connection, [a_job()])
            assert not connection.in_transaction

    def test_a_copy_of_the_file(self, store: SqliteStore, path: Path, tmp_path: Path) -> None:
        with plain(path) as connection, plain(tmp_path / "copy.db") as copy:
            connection.backup(copy)
            with pytest.raises(WrongConnectionError, match=r"copy\.db"):
                store.submit_on(copy, [a_job()])

    def test_a_database_in_memory(self, store: SqliteStore) -> None:
        with (
            closing(sqlite3.connect(":memory:")) as connection,
            pytest.raises(WrongConnectionError, match="in memory"),
        ):
            store.submit_on(connection, [a_job()])

    def test_the_same_file_by_another_name(self, store: SqliteStore, path: Path, tmp_path: Path) -> None:
        (tmp_path / "link.db").symlink_to(path)
        with plain(tmp_path / "link.db") as connection:
            assert store.submit_on(connection, [a_job()])[0].created

    async def test_the_wrong_colour(self, store: SqliteStore, path: Path) -> None:
        for connect in (async_plain, async_alchemy, async_alchemy_session):
            async with connect(path) as connection:
                with pytest.raises(WrongConnectionError, match="enqueue_async"):
                    store.submit_on(connection, [a_job()])
        for sync in (plain, alchemy, alchemy_session):
            with sync(path) as connection, pytest.raises(WrongConnectionError, match="synchronous"):
                await store.submit_on_async(connection, [a_job()])

    async def test_something_else(self, store: SqliteStore) -> None:
        with pytest.raises(WrongConnectionError, match=r"builtins\.int .*sqlite3, aiosqlite or SQLAlchemy"):
            store.submit_on(7, [a_job()])
        with pytest.raises(WrongConnectionError, match=r"builtins\.str"):
            await store.submit_on_async("sqlite://", [a_job()])

    async def test_nothing_was_stored(self, store: SqliteStore, path: Path) -> None:
        with pytest.raises(WrongConnectionError):
            store.submit_on(None, [a_job()])
        assert await orders_and_jobs(store, path) == (0, 0)


class TestBesideTheWriter:
    async def test_a_transaction_that_holds_the_lock_can_still_submit(
        self, store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waits = threading.Event()

        def begin_and_tell(connection: sqlite3.Connection, patience: float) -> None:
            waits.set()
            begin(connection, patience)

        monkeypatch.setattr("rota.stores.sqlite.writer.begin", begin_and_tell)
        with plain(path) as connection:
            connection.execute(ORDER)
            waiting = asyncio.ensure_future(store.jobs.submit([a_job()]))
            await asyncio.to_thread(waits.wait)
            # The writer waits for this transaction: it must not wait for the writer.
            store.submit_on(connection, [a_job()])
            connection.commit()
            assert (await waiting)[0].created
        assert await orders_and_jobs(store, path) == (1, 2)
