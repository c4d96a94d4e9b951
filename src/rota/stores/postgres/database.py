"""The pool of asynchronous connections, and the only way to it: named statements."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from rota.model.clock import Clock
from rota.model.errors import StoreError, StoreUnavailableError
from rota.ports.jobs import Rows, Statement
from rota.ports.store import PoolUse
from rota.stores.postgres.address import asyncpg_url, hosts, session_choice, unavailable
from rota.stores.postgres.faults import is_conflict, is_lost, is_standby, is_uncertain
from rota.stores.postgres.migrating import Script

__all__ = ["CONNECT_TIMEOUT", "LONG", "Database", "Link", "Run", "fetch_statement"]

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]
    _Connection = asyncpg.Connection[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    _Connection = asyncpg.Connection

_T = TypeVar("_T")

Run = Callable[..., Awaitable[list[Any]]]
"""Runs a named statement with its parameters inside a transaction and returns its rows."""

CONNECT_TIMEOUT = 10.0
CLOSE_TIMEOUT = 10.0
LONG = 600.0
"""The patience, in seconds, with statements that may look at everything."""

# How long a connection may take to break off what it does, before it is cut.
_FAREWELL = 2.0
# The server breaks off what waits for a lock; who looks from here cuts the connection only later.
_LOCK_PATIENCE = 5.0
# A day of a lease or a retention has 24 hours. (Poolers know this setting.)
_ZONE = {"timezone": "UTC"}
# Every hot verb looks up few rows by index, and keeps the plan that it got first: planning takes as long as
# claiming. That plan must not follow the statistics: right after a bulk submit the planner knows nothing of
# the table yet and would rather walk it all. What has a filter is planned each time instead (`plan_anew`).
_SETTINGS = _ZONE | {
    "application_name": "rota",
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
_TRIES = 6
_FIRST_PAUSE = 0.01


class Link(_Connection):
    """A connection of the pool. Nothing here changes its session, so that a release needs no round trip."""

    made_at = 0.0

    def get_reset_query(self) -> str:
        """Return nothing to do."""
        return ""


class Database:
    """Named statements on a pool of connections.

    Args:
        url: where the database is.
        statements: SQL by name.
        clock: says what time it is; None leaves that to the server.
        size: the largest number of connections.
        pooled: a pooler in transaction mode stands between: no prepared statements, no settings.
        durable: whether a commit waits for the disk.
        patience: seconds to wait for a connection, and for an answer on it, before it counts as lost.
    """

    def __init__(
        self,
        url: str,
        statements: dict[str, str],
        *,
        clock: Clock | None,
        size: int,
        pooled: bool,
        durable: bool,
        patience: float,
    ) -> None:
        self.url = url
        self.sql = statements
        self.pooled = pooled
        self.durable = durable
        self.patience = patience
        self._clock = clock
        self._size = size
        self._pool: Pool | None = None
        self._broke_at = -1.0

    def now(self) -> datetime | None:
        """Return the injected clock's moment; None: the server's own."""
        return self._clock.now() if self._clock else None

    def pool_use(self) -> PoolUse:
        """Return how many connections are open, and how many are at work."""
        pool = self._pool
        if pool is None:
            return PoolUse(0, 0, self._size)
        return PoolUse(pool.get_size(), pool.get_size() - pool.get_idle_size(), self._size)

    async def open(self) -> None:
        """Make the pool of this event loop.

        Raises:
            StoreUnavailableError: the server does not answer or refuses.
        """
        if self._pool is not None:
            return
        # None is kept open at all times: asyncpg would log a traceback each time that it tries to replace it.
        connect: Any = self.connect
        self._pool = await asyncpg.create_pool(
            self.url, min_size=0, max_size=self._size, connect=connect, connection_class=Link
        )
        try:
            async with self.link():
                pass
        except BaseException:
            await self.close()
            raise

    async def connect(self, _url: str = "", **more: Any) -> "asyncpg.Connection[Any]":
        """Connect; where the url lists several hosts, to the first that answers and takes writes."""
        places: list[dict[str, Any]] = [{}]
        listed = hosts(self.url)
        if len(listed) > 1:
            # Each has a time of its own: asyncpg gives all of them one, which a silent host uses up.
            places = [{"host": host, "port": port} for host, port in listed]
        timeout = min(CONNECT_TIMEOUT, self.patience / len(places))
        for number, where in enumerate(places, 1):
            try:
                link: asyncpg.Connection[Any] = await asyncpg.connect(
                    asyncpg_url(self.url), timeout=timeout, **where, **self.session(), **more
                )
            except Exception as error:
                if number == len(places) or not is_lost(error):
                    raise
            else:
                if type(link) is Link:  # asyncpg's classes call every connection their instance
                    link.made_at = time.monotonic()
                return link
        raise AssertionError  # a url lists one host at least

    def session(self) -> dict[str, Any]:
        """Return how a connection is made: asyncpg's arguments."""
        if self.pooled:
            return {"statement_cache_size": 0, "server_settings": _ZONE, **session_choice(self.url)}
        locks = f"{1000 * min(_LOCK_PATIENCE, 0.8 * self.patience):.0f}ms"
        settings = _SETTINGS | {"lock_timeout": locks}
        if not self.durable:
            settings["synchronous_commit"] = "off"
        return {"server_settings": settings, **session_choice(self.url)}

    async def close(self) -> None:
        """Close every connection; those in use first finish their statement."""
        pool, self._pool = self._pool, None
        if pool is not None:
            # Who still holds one by then has hung; `close` itself would wait for ever.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(pool.close(), CLOSE_TIMEOUT)

    async def aside(self, sql: str) -> None:
        """Run a statement that stands in no transaction, on a connection of its own.

        Raises:
            StoreUnavailableError: there is none, or it was lost.
        """
        try:
            link = await self.connect()
            try:
                await link.execute(sql)
            finally:
                await link.close()
        except Exception as error:
            if not is_lost(error):
                raise
            raise unavailable(self.url, error) from error

    async def fetch(self, name: str, *params: Any) -> list[Any]:
        """Run one statement in a transaction of its own and return its rows."""

        async def once(link: Link) -> list[Any]:
            return await link.fetch(self.sql[name], *params)

        return await self.run(once)

    async def transact(self, work: Callable[[Run], Awaitable[_T]], *, patience: float | None = None) -> _T:
        """Run `work` in a transaction (see `run`)."""

        async def once(link: Link) -> _T:
            async def run(name: str, *params: Any) -> list[Any]:
                return await link.fetch(self.sql[name], *params)

            async with link.transaction():
                return await work(run)

        return await self.run(once, patience=patience)

    async def run(self, work: Callable[[Link], Awaitable[_T]], *, patience: float | None = None) -> _T:
        """Run `work` on a connection, again when it has to give way to another transaction.

        Args:
            work: is given the connection.
            patience: seconds for all of it, instead of the usual ones.

        Raises:
            StoreUnavailableError: there is no connection, or it was lost.
            StoreBusyError: another transaction was in the way for too long.
        """
        for attempt in range(1, _TRIES):
            try:
                async with self.link(patience) as link:
                    return await work(link)
            except asyncpg.PostgresError as error:
                if not is_conflict(error):
                    raise
            await asyncio.sleep(_FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 - keeps rivals apart
        async with self.link(patience) as link:
            return await work(link)

    @contextlib.asynccontextmanager
    async def link(self, patience: float | None = None) -> AsyncIterator[Link]:
        """Borrow a connection; one that gives no answer in time is cut.

        Raises:
            StoreUnavailableError: there is none, or it was lost.
        """
        if self._pool is None:
            raise StoreError("the store is not open: call `await store.open()` first")
        try:
            link = await self._acquire(self._pool)
            try:
                if patience is not None:
                    # Who is going to wait for long asks first whether there is anybody.
                    await link.execute("select 1", timeout=self.patience)
                watch = asyncio.get_running_loop().call_later(patience or self.patience, _cut, link)
                try:
                    yield link  # type: ignore[misc]  # a proxy that has all of its methods
                finally:
                    watch.cancel()
            except Exception as error:
                if is_uncertain(error) or is_standby(error):
                    # Those made before it are no better: forgotten by a firewall, or of a standby by now.
                    self._broke_at = time.monotonic()
                    _cut(link)
                raise
            finally:
                # One that still breaks off a statement is waited for, and then cut by asyncpg.
                with contextlib.suppress(Exception):
                    await self._pool.release(link, timeout=_FAREWELL)
        except StoreUnavailableError:
            raise
        except Exception as error:
            if not is_lost(error):
                raise
            raise unavailable(self.url, error) from error

    async def _acquire(self, pool: Pool) -> "PoolConnectionProxy[Any]":
        while True:
            link = await pool.acquire(timeout=self.patience)
            made_at: float = link.made_at  # type: ignore[attr-defined]  # the proxy has all that a Link has
            if made_at > self._broke_at:
                return link
            _cut(link)
            await pool.release(link)


def _cut(link: "PoolConnectionProxy[Any]") -> None:
    """End a connection without a word, unless it has ended already."""
    with contextlib.suppress(asyncpg.InterfaceError):
        link.terminate()


async def fetch_statement(link: Link, statement: Statement) -> Rows:
    """Run one statement of a plan and return its rows."""
    if isinstance(statement, Script):
        await link.execute(statement.sql)
        return []
    return [tuple(row) for row in await link.fetch(statement.sql, *statement.params)]
