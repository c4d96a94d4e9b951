"""Every kind of connection that a user may enqueue on, in the words of one: what the matrix is made of."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    closing,
    contextmanager,
)
from typing import Any, NamedTuple

import aiosqlite
import asyncpg
import psycopg
import sqlalchemy
from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

__all__ = ["KINDS", "Kind", "Link"]


class Link:
    """A user's connection in use: statements of its own, and jobs on it."""

    def __init__(self, raw: Any, wait: Callable[[Any], Any]) -> None:
        self.raw = raw
        self._wait = wait
        self._transaction: Any = None
        autocommit, level = getattr(raw, "autocommit", False), getattr(raw, "isolation_level", "")
        self._by_hand = autocommit is True or (level is None and isinstance(raw, sqlite3.Connection))

    def begin(self) -> None:
        """Begin a transaction, where that has to be said."""
        if isinstance(self.raw, asyncpg.Connection | asyncpg.pool.PoolConnectionProxy):
            self._transaction = self.raw.transaction()
            self._wait(self._transaction.start())
        elif self._by_hand:
            self.execute("begin")

    def execute(self, sql: str) -> list[Any]:
        """Run a statement; returns the values of its first row."""
        is_alchemy = type(self.raw).__module__.startswith("sqlalchemy")
        found = self._wait(
            self.raw.fetch(sql)
            if isinstance(self.raw, asyncpg.Connection | asyncpg.pool.PoolConnectionProxy)
            else self.raw.execute(sqlalchemy.text(sql) if is_alchemy else sql)
        )
        if isinstance(found, list):
            rows: Any = found
        elif is_alchemy:
            rows = found.fetchall() if found.returns_rows else []
        else:
            self._sync()
            rows = self._wait(found.fetchall()) if found.description else []
        if not rows:
            return []
        return list(rows[0].values()) if isinstance(rows[0], dict) else list(rows[0])

    def _sync(self) -> None:
        """In a pipeline, wait for what was sent."""
        if isinstance(self.raw, psycopg.Connection) and self.raw.pgconn.pipeline_status:
            with self.raw.pipeline() as pipeline:
                pipeline.sync()
        elif isinstance(self.raw, psycopg.AsyncConnection) and self.raw.pgconn.pipeline_status:
            self._wait(self._sync_async())

    async def _sync_async(self) -> None:
        async with self.raw.pipeline() as pipeline:
            await pipeline.sync()

    def end(self, how: str) -> None:
        """Commit or roll back."""
        if self._transaction is not None:
            transaction, self._transaction = self._transaction, None
            self._wait(getattr(transaction, how)())
        elif self._by_hand:
            self.execute(how)
        else:
            self._wait(getattr(self.raw, how)())
            self._sync()

    def enqueue(self, task: Any, *args: Any, **options: Any) -> Any:
        """Enqueue by the verb that fits this connection."""
        submitter = task.options(connection=self.raw, **options)
        if self._wait is _at_once:
            return submitter.enqueue(*args)
        return self._wait(submitter.enqueue_async(*args))

    def enqueue_many(self, task: Any, arguments: list[tuple[Any, ...]]) -> Any:
        """Enqueue several jobs (see `enqueue`)."""
        submitter = task.options(connection=self.raw)
        if self._wait is _at_once:
            return submitter.enqueue_many(arguments)
        return self._wait(submitter.enqueue_many_async(arguments))

    def state(self) -> dict[str, Any]:
        """Return all that Rota has to leave as it is, as far as the driver tells."""
        names = "autocommit isolation_level row_factory text_factory cursor_factory prepare_threshold"
        state = {name: getattr(self.raw, name, None) for name in names.split()}
        info = getattr(self.raw, "info", None)
        if isinstance(info, psycopg.ConnectionInfo):
            state["status"] = info.transaction_status
        for name in ("in_transaction", "is_in_transaction"):
            value = getattr(self.raw, name, None)
            state[name] = value() if callable(value) else value
        return state


def _at_once(value: Any) -> Any:
    return value


class Kind(NamedTuple):
    """A kind of connection: the store it is for, and how to open one to a url."""

    store: str
    name: str
    connect: Callable[[str], Any]
    colour: str = "sync"

    def __str__(self) -> str:
        return self.name

    @contextmanager
    def open(self, url: str) -> Iterator[Link]:
        """Open a connection as a user would, in a transaction."""
        if self.colour == "sync":
            with self.connect(url) as raw:
                yield Link(raw, _at_once)
            return
        with asyncio.Runner() as runner:

            def wait(work: Any) -> Any:
                async def awaited() -> Any:
                    return await work

                return runner.run(awaited()) if isinstance(work, Awaitable) else work

            manager: AbstractAsyncContextManager[Any] = self.connect(url)
            raw = wait(manager.__aenter__())
            try:
                yield Link(raw, wait)
            finally:
                wait(manager.__aexit__(None, None, None))


def _by(url: str, driver: str) -> str:
    return url.replace("://", f"+{driver}://", 1)


def _psycopg(**options: Any) -> Callable[[str], AbstractContextManager[Any]]:
    return lambda url: closing(psycopg.connect(url, **options))


@contextmanager
def _pipeline(url: str) -> Iterator[Any]:
    with closing(psycopg.connect(url)) as connection, connection.pipeline():
        yield connection


@contextmanager
def _with_cursor(url: str) -> Iterator[Any]:
    """One that reads by a cursor of the server meanwhile."""
    with closing(psycopg.connect(url)) as connection, connection.cursor("reads", withhold=True) as cursor:
        cursor.execute("select generate_series(1, 100)")
        connection.commit()
        assert cursor.fetchone() == (1,)
        yield connection
        assert cursor.fetchone() == (2,)


def _engine(driver: str) -> Callable[[str], Any]:
    return lambda url: sqlalchemy.create_engine(_by(url, driver), poolclass=NullPool).connect()


def _session(driver: str) -> Callable[[str], Any]:
    return lambda url: Session(sqlalchemy.create_engine(_by(url, driver), poolclass=NullPool))


def _async_engine(driver: str) -> Callable[[str], Any]:
    return lambda url: create_async_engine(_by(url, driver), poolclass=NullPool).connect()


def _async_session(driver: str) -> Callable[[str], Any]:
    return lambda url: AsyncSession(create_async_engine(_by(url, driver), poolclass=NullPool))


class _Opened:
    """What a coroutine opens, closed at the end."""

    def __init__(self, opening: Awaitable[Any]) -> None:
        self._opening = opening

    async def __aenter__(self) -> Any:
        self._raw = await self._opening
        return self._raw

    async def __aexit__(self, *_: object) -> None:
        await self._raw.close()


class _Pooled:
    """A connection out of asyncpg's pool."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Any:
        self._pool = await asyncpg.create_pool(self._url, min_size=1, max_size=1)
        self._raw = await self._pool.acquire()
        return self._raw

    async def __aexit__(self, *_: object) -> None:
        await self._pool.release(self._raw)
        await self._pool.close()


class _AsyncPipeline:
    """A pipeline of psycopg's asynchronous connection."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Any:
        self._raw = await psycopg.AsyncConnection.connect(self._url)
        self._pipeline = self._raw.pipeline()
        await self._pipeline.__aenter__()
        return self._raw

    async def __aexit__(self, *_: object) -> None:
        await self._pipeline.__aexit__(None, None, None)
        await self._raw.close()


async def _coded(url: str) -> Any:
    """One with codecs of the user's own."""
    connection = await asyncpg.connect(url)
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, encoder=repr, decoder=repr, schema="pg_catalog")
    await connection.set_type_codec("uuid", encoder=str, decoder=str, schema="pg_catalog")
    return connection


def _file(url: str) -> str:
    return url.removeprefix("sqlite:///")


def _sqlite3(**options: Any) -> Callable[[str], Any]:
    return lambda url: closing(sqlite3.connect(_file(url), timeout=0.2, **options))


@contextmanager
def _strange_rows(url: str) -> Iterator[Any]:
    with closing(sqlite3.connect(_file(url), timeout=0.2)) as connection:
        connection.row_factory = lambda cursor, row: dict(
            zip((column[0] for column in cursor.description), row, strict=True)
        )
        connection.text_factory = bytes
        yield connection


P, S = "PostgreSQL", "SQLite"
KINDS = [
    Kind(P, "psycopg", _psycopg()),
    Kind(P, "psycopg, autocommit", _psycopg(autocommit=True)),
    Kind(P, "psycopg, rows as dicts", _psycopg(row_factory=dict_row, cursor_factory=psycopg.ClientCursor)),
    Kind(P, "psycopg, prepares at once", _psycopg(prepare_threshold=0)),
    Kind(P, "psycopg, never prepares", _psycopg(prepare_threshold=None)),
    Kind(P, "psycopg, in a pipeline", _pipeline),
    Kind(P, "psycopg, beside a server cursor", _with_cursor),
    Kind(P, "SQLAlchemy Connection on psycopg", _engine("psycopg")),
    Kind(P, "SQLAlchemy Session on psycopg", _session("psycopg")),
    Kind(P, "SQLAlchemy Connection on psycopg2", _engine("psycopg2")),
    Kind(P, "SQLAlchemy Session on psycopg2", _session("psycopg2")),
    Kind(P, "asyncpg", lambda url: _Opened(asyncpg.connect(url)), "async"),
    Kind(P, "asyncpg, from a pool", _Pooled, "async"),
    Kind(P, "asyncpg, own codecs", lambda url: _Opened(_coded(url)), "async"),
    Kind(P, "psycopg async", lambda url: _Opened(psycopg.AsyncConnection.connect(url)), "async"),
    Kind(P, "psycopg async, in a pipeline", _AsyncPipeline, "async"),
    Kind(
        P,
        "psycopg async, rows as dicts",
        lambda url: _Opened(psycopg.AsyncConnection.connect(url, row_factory=dict_row)),
        "async",
    ),
    Kind(P, "SQLAlchemy AsyncConnection on asyncpg", _async_engine("asyncpg"), "async"),
    Kind(P, "SQLAlchemy AsyncSession on asyncpg", _async_session("asyncpg"), "async"),
    Kind(P, "SQLAlchemy AsyncConnection on psycopg", _async_engine("psycopg"), "async"),
    Kind(P, "SQLAlchemy AsyncSession on psycopg", _async_session("psycopg"), "async"),
    Kind(S, "sqlite3", _sqlite3()),
    Kind(S, "sqlite3, immediate", _sqlite3(isolation_level="IMMEDIATE")),
    Kind(S, "sqlite3, transactions by hand", _sqlite3(isolation_level=None)),
    Kind(S, "sqlite3, rows as dicts, text as bytes", _strange_rows),
    Kind(S, "SQLAlchemy Connection on sqlite3", _engine("pysqlite")),
    Kind(S, "SQLAlchemy Session on sqlite3", _session("pysqlite")),
    Kind(S, "aiosqlite", lambda url: aiosqlite.connect(_file(url), timeout=0.2), "async"),
    Kind(S, "SQLAlchemy AsyncConnection on aiosqlite", _async_engine("aiosqlite"), "async"),
    Kind(S, "SQLAlchemy AsyncSession on aiosqlite", _async_session("aiosqlite"), "async"),
]
