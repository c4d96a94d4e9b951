"""A user's own connection: of which kind it is, whether it leads to this store, and how to submit on it."""

import re
import weakref
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import asyncpg
import psycopg
from asyncpg.pool import PoolConnectionProxy
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from rota.model.errors import WrongConnectionError
from rota.model.job import Submitted
from rota.ports.jobs import Rows, Statement, SubmitPlan
from rota.stores import sqlalchemy
from rota.stores.plans import drive, drive_async
from rota.stores.postgres.literals import encoded, literals

__all__ = ["Connections"]

_Run = Callable[[Statement], Rows]
_RunAsync = Callable[[Statement], Awaitable[Rows]]

_KINDS = "Use one of psycopg, asyncpg or SQLAlchemy (Connection, Session, AsyncConnection, AsyncSession)"
_PARAMETER = re.compile(r"\$(\d+)")


class Connections:
    """Submits on users' connections, inside their transactions, and leaves them as they came.

    Args:
        sql: the namespace's statements.
    """

    def __init__(self, sql: dict[str, str]) -> None:
        self._sql = sql
        # Which store each connection leads to; asked once.
        self._stores: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()

    def submit(self, connection: Any, store_id: str, plan: SubmitPlan) -> list[Submitted]:
        """Run a plan on a synchronous connection.

        Raises:
            WrongConnectionError: it is of an unknown kind, asynchronous, or leads elsewhere.
        """
        key, run, transaction = _adapt(connection)
        with transaction:
            if key not in self._stores:
                ((there,),) = run(self._statement("schema_there"))
                self._stores[key] = run(self._statement("schema_state"))[0][2] if there else ""
            self._check(key, store_id)
            return drive(plan, run)

    async def submit_async(self, connection: Any, store_id: str, plan: SubmitPlan) -> list[Submitted]:
        """Run a plan on an asynchronous connection.

        Raises:
            WrongConnectionError: it is of an unknown kind, synchronous, or leads elsewhere.
        """
        key, run, transaction = await _adapt_async(connection)
        async with transaction:
            if key not in self._stores:
                ((there,),) = await run(self._statement("schema_there"))
                self._stores[key] = (await run(self._statement("schema_state")))[0][2] if there else ""
            self._check(key, store_id)
            return await drive_async(plan, run)

    def _statement(self, name: str) -> Statement:
        return Statement(name, self._sql[name], ())

    def _check(self, key: Any, store_id: str) -> None:
        if self._stores[key] != store_id:
            raise WrongConnectionError(
                "this connection leads to another database or schema than the app's store: its workers would "
                "never see the jobs. Connect it to the database that ROTA_URL names"
            )


def _adapt(connection: Any) -> tuple[Any, _Run, AbstractContextManager[Any]]:
    """Return what tells a synchronous connection from others, how to run a statement, and its transaction."""
    if isinstance(connection, psycopg.Connection):
        idle = connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE
        return connection, _on_psycopg(connection), connection.transaction() if idle else nullcontext()
    if sqlalchemy.colour(connection) == "sync":
        link = sqlalchemy.sync_connection(connection)
        render = _renderer(sqlalchemy.dialect(link))

        def run(statement: Statement) -> Rows:
            return sqlalchemy.fetch(link, *render(statement))

        return _plain(sqlalchemy.raw(link)), run, nullcontext()
    if _is_async(connection):
        raise WrongConnectionError(
            f"a {_name(connection)} is asynchronous: "
            "use `await task.options(connection=...).enqueue_async(...)`"
        )
    raise WrongConnectionError(f"a {_name(connection)} is no connection that Rota knows. {_KINDS}")


async def _adapt_async(connection: Any) -> tuple[Any, _RunAsync, AbstractAsyncContextManager[Any]]:
    """Return the same for an asynchronous connection (see `_adapt`)."""
    if isinstance(connection, asyncpg.Connection | PoolConnectionProxy):
        alone = not connection.is_in_transaction()

        async def run(statement: Statement) -> Rows:
            return list(await connection.fetch(statement.sql, *statement.params))

        return _plain(connection), run, connection.transaction() if alone else nullcontext()
    if isinstance(connection, psycopg.AsyncConnection):
        idle = connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE
        transaction = connection.transaction() if idle else nullcontext()
        return connection, _on_async_psycopg(connection), transaction
    if sqlalchemy.colour(connection) == "async":
        link = await sqlalchemy.async_connection(connection)
        render = _renderer(sqlalchemy.dialect(link))

        async def run_on(statement: Statement) -> Rows:
            return await sqlalchemy.fetch_async(link, *render(statement))

        return _plain(await sqlalchemy.raw_async(link)), run_on, nullcontext()
    if isinstance(connection, psycopg.Connection) or sqlalchemy.colour(connection) == "sync":
        raise WrongConnectionError(
            f"a {_name(connection)} is synchronous: use `task.options(connection=...).enqueue(...)`"
        )
    raise WrongConnectionError(f"a {_name(connection)} is no connection that Rota knows. {_KINDS}")


def _is_async(connection: Any) -> bool:
    kinds = (asyncpg.Connection, PoolConnectionProxy, psycopg.AsyncConnection)
    return isinstance(connection, kinds) or sqlalchemy.colour(connection) == "async"


def _on_psycopg(connection: "psycopg.Connection[Any]") -> _Run:
    # A cursor of its own kind: the connection's row factory and cursor factory are the user's.
    cursor = psycopg.RawCursor(connection, row_factory=tuple_row)

    def run(statement: Statement) -> Rows:
        cursor.execute(encoded(statement.sql), literals(statement.params) or None)
        if connection.pgconn.pipeline_status:
            # In the user's pipeline answers wait until they are asked for.
            with connection.pipeline() as pipeline:
                pipeline.sync()
        return cursor.fetchall() if cursor.description else []

    return run


def _on_async_psycopg(connection: "psycopg.AsyncConnection[Any]") -> _RunAsync:
    cursor = psycopg.AsyncRawCursor(connection, row_factory=tuple_row)

    async def run(statement: Statement) -> Rows:
        await cursor.execute(encoded(statement.sql), literals(statement.params) or None)
        if connection.pgconn.pipeline_status:
            async with connection.pipeline() as pipeline:
                await pipeline.sync()
        return await cursor.fetchall() if cursor.description else []

    return run


def _renderer(dialect: sqlalchemy.Dialect) -> Callable[[Statement], tuple[str, Any]]:
    """Return what turns a statement into SQL and parameters in the style of SQLAlchemy's driver."""
    if dialect.name == "postgresql":
        if dialect.driver == "asyncpg":
            return lambda statement: (statement.sql, tuple(statement.params))
        if dialect.driver in {"psycopg", "psycopg_async", "psycopg2"}:
            return lambda statement: (_named(statement.sql), _mapping(literals(statement.params)))
    raise WrongConnectionError(
        f"SQLAlchemy speaks {dialect.name} by {dialect.driver} here, and this app's store is PostgreSQL. "
        "Use postgresql+psycopg, postgresql+asyncpg or postgresql+psycopg2"
    )


@cache
def _named(sql: str) -> str:
    """Return SQL with `%(p1)s` for `$1`."""
    return _PARAMETER.sub(r"%(p\1)s", sql.replace("%", "%%"))


def _mapping(params: Any) -> Mapping[str, Any]:
    return {f"p{number}": value for number, value in enumerate(params, 1)}


def _plain(connection: Any) -> Any:
    """Return the connection behind a pool's proxy, which knows it for longer than one use."""
    return getattr(connection, "_con", connection)


def _name(connection: object) -> str:
    kind = type(connection)
    return f"{kind.__module__}.{kind.__qualname__}"
