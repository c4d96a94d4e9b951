"""Submit inside a user's own transaction: what the matrix in tests/acceptance does not ask of each kind."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy import Connection, create_engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy.pool import NullPool

from rota.model.errors import WrongConnectionError
from rota.stores.postgres import PostgresStore
from rota.testing.clock import FakeClock
from rota.testing.conformance.scene import HOUR, a_job

DAY = timedelta(days=1)
ORDERS = "create table orders (number integer)"
ORDER = "insert into orders values (1)"


def dialect(url: str, driver: str) -> str:
    return url.replace("postgresql://", f"postgresql+{driver}://")


def orders_and_jobs(url: str) -> tuple[int, int]:
    """Return how many orders and jobs everyone can see."""
    with psycopg.connect(url) as other:
        row = other.execute(
            "select (select count(*) from orders), (select count(*) from rota.jobs)"
        ).fetchone()
    assert row is not None
    return row[0], row[1]


@pytest.fixture
def url(store: PostgresStore) -> str:
    """A database with a store, and a table of the user's."""
    with psycopg.connect(store.url) as connection:
        connection.execute(ORDERS)
    return store.url


# --- synchronous


@contextmanager
def plain(url: str) -> Iterator[Any]:
    with psycopg.connect(url) as connection:
        yield connection


@contextmanager
def with_factories(url: str) -> Iterator[Any]:
    """A connection that is set up for the user's own ways."""
    with psycopg.connect(url, row_factory=dict_row, cursor_factory=psycopg.ClientCursor) as connection:
        yield connection


@contextmanager
def alchemy(url: str) -> Iterator[Any]:
    with create_engine(dialect(url, "psycopg"), poolclass=NullPool).connect() as connection:
        yield connection


@contextmanager
def alchemy_session(url: str) -> Iterator[Any]:
    with Session(create_engine(dialect(url, "psycopg"), poolclass=NullPool)) as session:
        yield session


@contextmanager
def alchemy_scoped(url: str) -> Iterator[Any]:
    session = scoped_session(sessionmaker(create_engine(dialect(url, "psycopg"), poolclass=NullPool)))
    yield session
    session.remove()


@contextmanager
def alchemy_psycopg2(url: str) -> Iterator[Any]:
    with create_engine(dialect(url, "psycopg2"), poolclass=NullPool).connect() as connection:
        yield connection


SYNC = [plain, with_factories, alchemy, alchemy_session, alchemy_scoped, alchemy_psycopg2]
Connect = Callable[[str], Any]


def run(connection: Any, sql: str) -> None:
    """Run the user's own statement."""
    if isinstance(connection, psycopg.Connection):
        connection.execute(sql.encode())
    else:
        (connection if isinstance(connection, Connection) else connection.connection()).exec_driver_sql(sql)


@pytest.mark.parametrize("connect", SYNC, ids=lambda connect: connect.__name__)
class TestSync:
    async def test_a_rollback_takes_both_back(self, store: PostgresStore, url: str, connect: Connect) -> None:
        with connect(url) as connection:
            store.submit_on(connection, [a_job(unique_key="ada", unique_for=HOUR)])
            run(connection, ORDER)
            connection.rollback()
        assert orders_and_jobs(url) == (0, 0)
        assert (await store.jobs.submit([a_job(unique_key="ada", unique_for=HOUR)]))[0].created

    async def test_every_column_and_conflict(self, store: PostgresStore, url: str, connect: Connect) -> None:
        now = await store.insight.now()
        full = a_job(
            rank=-(2**63), key="k", headers={"a": "ø"}, options={"x": [1, None]}, run_at=now + HOUR, due=now,
            expires_in=2 * HOUR, payload=bytes(range(256)), unique_key="taken", parent=a_job().id, ordinal=3,
        )  # fmt: skip
        with connect(url) as connection:
            first, second = store.submit_on(connection, [full, a_job(unique_key="taken")])
            connection.commit()
        assert (first.created, second.created, second.id) == (True, False, full.id)
        record = await store.insight.job(full.id)
        assert record is not None
        names = ["rank", "key", "headers", "options", "run_at", "due", "payload", "parent", "ordinal"]
        assert {name: getattr(record, name) for name in names} == {
            name: getattr(full, name) for name in names
        }

    async def test_it_is_refused_where_it_would_have_to_be_awaited(
        self, store: PostgresStore, url: str, connect: Connect
    ) -> None:
        expected = pytest.raises(WrongConnectionError, match=r"synchronous: use `task\..*enqueue\(")
        with connect(url) as connection, expected:
            await store.submit_on_async(connection, [a_job()])


class TestPsycopg:
    def test_it_is_left_as_it_came(self, store: PostgresStore, url: str) -> None:
        with with_factories(url) as connection:
            store.submit_on(connection, [a_job()])
            assert connection.row_factory is dict_row
            assert connection.cursor_factory is psycopg.ClientCursor
            assert connection.autocommit is False
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS

    def test_an_autocommit_connection_commits_at_once(self, store: PostgresStore, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            store.submit_on(connection, [a_job()])
            assert orders_and_jobs(url) == (0, 1)
            with pytest.raises(psycopg.Error):
                store.submit_on(connection, [a_job(unique_key="a", unique_for=HOUR), a_job(rank=2**64)])
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            with connection.transaction():
                store.submit_on(connection, [a_job(unique_key="a", unique_for=HOUR)])
        assert orders_and_jobs(url) == (0, 2)

    async def test_a_day_has_24_hours_in_any_zone(self, migrated_url: str) -> None:
        """On 29 March 2026 a day in Amsterdam has 23."""
        store = PostgresStore(migrated_url, clock=FakeClock(datetime(2026, 3, 28, 12, tzinfo=UTC)))
        await store.open()
        one, first, second = (a_job(delay=DAY, expires_in=2 * DAY) for _ in range(3))
        with plain(migrated_url) as connection:
            connection.execute("set timezone = 'Europe/Amsterdam'")
            store.submit_on(connection, [one])
            store.submit_on(connection, [first, second])
            connection.commit()
        for job in (one, first, second):
            record = await store.insight.job(job.id)
            assert record is not None
            assert record.run_at == datetime(2026, 3, 29, 12, tzinfo=UTC)
            assert record.expires_at == datetime(2026, 3, 30, 12, tzinfo=UTC)
        await store.close()

    def test_a_connection_is_asked_once_where_it_leads(self, store: PostgresStore, url: str) -> None:
        with plain(url) as connection:
            store.submit_on(connection, [a_job()])
            assert list(store._connections._stores) == [connection]
            known = len(store._connections._stores)
        del connection
        assert len(store._connections._stores) == known - 1

    def test_another_schema_of_the_database_is_another_store(self, store: PostgresStore, url: str) -> None:
        other = PostgresStore(url, schema="other")
        with plain(url) as connection:
            other.submit_on(connection, [a_job()])
            store.submit_on(connection, [a_job()])
            connection.commit()
        other._blocking.close()
        assert orders_and_jobs(url) == (0, 1)

    @pytest.mark.parametrize(
        "strange", [None, 5, "postgresql://u:secret@h/d", object()], ids=["None", "5", "url", "object"]
    )
    async def test_what_is_no_connection_is_refused(self, store: PostgresStore, strange: object) -> None:
        with pytest.raises(WrongConnectionError, match="no connection that Rota knows") as caught:
            store.submit_on(strange, [a_job()])
        with pytest.raises(WrongConnectionError, match="no connection that Rota knows"):
            await store.submit_on_async(strange, [a_job()])
        assert "secret" not in str(caught.value)

    def test_another_kind_of_database_is_refused(self, store: PostgresStore) -> None:
        expected = pytest.raises(WrongConnectionError, match="sqlite by pysqlite")
        with create_engine("sqlite://").connect() as connection, expected:
            store.submit_on(connection, [a_job()])


# --- asynchronous


@asynccontextmanager
async def plain_asyncpg(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    yield AsyncpgTransaction(connection)
    await connection.close()


@asynccontextmanager
async def pooled_asyncpg(url: str) -> AsyncIterator[Any]:
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool, pool.acquire() as connection:
        yield AsyncpgTransaction(connection)


@asynccontextmanager
async def coded_asyncpg(url: str) -> AsyncIterator[Any]:
    """A connection with codecs of the user's own."""
    connection = await asyncpg.connect(url)
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, encoder=repr, decoder=repr, schema="pg_catalog")
    await connection.set_type_codec("uuid", encoder=str, decoder=str, schema="pg_catalog")
    yield AsyncpgTransaction(connection)
    await connection.close()


@asynccontextmanager
async def plain_psycopg(url: str) -> AsyncIterator[Any]:
    async with await psycopg.AsyncConnection.connect(url, row_factory=dict_row) as connection:
        yield connection


@asynccontextmanager
async def alchemy_on_asyncpg(url: str) -> AsyncIterator[Any]:
    async with create_async_engine(dialect(url, "asyncpg"), poolclass=NullPool).connect() as connection:
        yield connection


@asynccontextmanager
async def alchemy_on_psycopg(url: str) -> AsyncIterator[Any]:
    async with create_async_engine(dialect(url, "psycopg"), poolclass=NullPool).connect() as connection:
        yield connection


@asynccontextmanager
async def session_on_asyncpg(url: str) -> AsyncIterator[Any]:
    engine = create_async_engine(dialect(url, "asyncpg"), poolclass=NullPool)
    async with async_sessionmaker(engine)() as session:
        yield session


class AsyncpgTransaction:
    """An asyncpg connection with the words of the others."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._transaction: Any = None

    async def begin(self) -> None:
        self._transaction = self.connection.transaction()
        await self._transaction.start()

    async def commit(self) -> None:
        await self._transaction.commit()

    async def rollback(self) -> None:
        await self._transaction.rollback()


ASYNC = [
    plain_asyncpg,
    pooled_asyncpg,
    coded_asyncpg,
    plain_psycopg,
    alchemy_on_asyncpg,
    alchemy_on_psycopg,
    session_on_asyncpg,
]


async def begin(transaction: Any) -> Any:
    """Begin, where that has to be said; return what the user passes on."""
    if isinstance(transaction, AsyncpgTransaction):
        await transaction.begin()
        return transaction.connection
    return transaction


async def run_async(connection: Any, sql: str) -> None:
    """Run the user's own statement."""
    if isinstance(connection, AsyncSession):
        connection = await connection.connection()
    if isinstance(connection, AsyncConnection):
        await connection.exec_driver_sql(sql)
    else:
        await connection.execute(sql)


@pytest.mark.parametrize("connect", ASYNC, ids=lambda connect: connect.__name__)
class TestAsync:
    async def test_a_commit_keeps_order_and_job(
        self, store: PostgresStore, url: str, connect: Connect
    ) -> None:
        async with connect(url) as transaction:
            connection = await begin(transaction)
            await run_async(connection, ORDER)
            jobs = [a_job(), a_job(tags={"a": "%"}, options={"a": 1})]
            assert all(one.created for one in await store.submit_on_async(connection, jobs))
            assert orders_and_jobs(url) == (0, 0)
            await transaction.commit()
        assert orders_and_jobs(url) == (1, 2)
        record = await store.insight.job(jobs[1].id)
        assert record is not None
        assert (record.tags, record.options) == ({"a": "%"}, {"a": 1})

    async def test_a_rollback_takes_both_back(self, store: PostgresStore, url: str, connect: Connect) -> None:
        async with connect(url) as transaction:
            connection = await begin(transaction)
            await store.submit_on_async(connection, [a_job(unique_key="ada", unique_for=HOUR)])
            await run_async(connection, ORDER)
            await transaction.rollback()
        assert orders_and_jobs(url) == (0, 0)

    async def test_it_is_refused_by_the_synchronous_verb(
        self, store: PostgresStore, url: str, connect: Connect
    ) -> None:
        async with connect(url) as transaction:
            connection = await begin(transaction)
            with pytest.raises(WrongConnectionError, match=r"asynchronous: use `await .*enqueue_async\("):
                store.submit_on(connection, [a_job()])


class TestAsyncpg:
    @pytest.mark.parametrize("connect", [plain_asyncpg, pooled_asyncpg])
    async def test_without_a_transaction_it_commits_at_once(
        self, store: PostgresStore, url: str, connect: Connect
    ) -> None:
        async with connect(url) as transaction:
            await store.submit_on_async(transaction.connection, [a_job()])
            assert not transaction.connection.is_in_transaction()
        assert orders_and_jobs(url) == (0, 1)

    async def test_a_synchronous_session_inside_an_asynchronous_one(
        self, store: PostgresStore, url: str
    ) -> None:
        async with session_on_asyncpg(url) as session:
            await session.run_sync(lambda inner: store.submit_on(inner, [a_job()]))
            await session.commit()
        assert orders_and_jobs(url) == (0, 1)

    async def test_a_store_that_nobody_opened(self, postgres_url: str) -> None:
        store = PostgresStore(postgres_url)
        connection = await asyncpg.connect(postgres_url)
        (submitted,) = await store.submit_on_async(connection, [a_job()])
        await connection.close()
        assert submitted.created
        await store.close()
