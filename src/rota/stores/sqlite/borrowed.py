"""Submit inside the transaction of a user's own connection: sqlite3, aiosqlite, or SQLAlchemy on either."""

import sqlite3
import sys
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

from rota.model.errors import WrongConnectionError
from rota.ports.jobs import Rows, Statement
from rota.stores import sqlalchemy
from rota.stores.plans import drive, drive_async

__all__ = ["run_on", "run_on_async"]

T = TypeVar("T")
Plan = Generator[Statement, Rows, T]

_SAVEPOINT = "rota_submit"
_LEGACY = -1  # sqlite3.LEGACY_TRANSACTION_CONTROL, since Python 3.12


def run_on(connection: Any, path: Path, sql: str, plan: Plan[T]) -> tuple[T, bool]:
    """Run a plan on a synchronous connection.

    Args:
        connection: of the user.
        path: the file that it must be on.
        sql: the statement that asks which file it is on.
        plan: what to run.

    Returns:
        What the plan returns, and whether it is committed already.

    Raises:
        WrongConnectionError: it is of another kind, asynchronous, or on another file.
    """
    if isinstance(connection, sqlite3.Connection):
        raw, run = connection, _runner(connection)
    elif sqlalchemy.colour(connection) == "sync":
        its = sqlalchemy.sync_connection(connection)
        _check_dialect(sqlalchemy.dialect(its).name)
        raw = sqlalchemy.raw(its)

        def run(statement: Statement) -> Rows:
            return sqlalchemy.fetch(its, statement.sql, statement.params)
    else:
        raise _wrong_kind(connection, wanted="sync")
    result = drive(_guarded(plan, raw, path, sql), run)
    return result, not raw.in_transaction


async def run_on_async(connection: Any, path: Path, sql: str, plan: Plan[T]) -> tuple[T, bool]:
    """Run a plan on an asynchronous connection (see `run_on`)."""
    if _is_aiosqlite(connection):
        raw, run = connection, _async_runner(connection)
    elif sqlalchemy.colour(connection) == "async":
        its = await sqlalchemy.async_connection(connection)
        _check_dialect(sqlalchemy.dialect(its).name)
        raw = await sqlalchemy.raw_async(its)

        async def run(statement: Statement) -> Rows:
            return await sqlalchemy.fetch_async(its, statement.sql, statement.params)
    else:
        raise _wrong_kind(connection, wanted="async")
    result = await drive_async(_guarded(plan, raw, path, sql), run)
    return result, not raw.in_transaction


def _guarded(plan: Plan[T], raw: Any, path: Path, sql: str) -> Plan[T]:
    """Wrap a plan so that it is all or nothing, and part of what the user has begun."""
    rows = yield Statement("main_file", sql, ())
    _check_file(rows[0][0], path)
    if not raw.in_transaction and _begins_by_itself(raw):
        # As Python does before any insert: a savepoint alone would commit at its release.
        yield _plain("begin")
    yield _plain(f"savepoint {_SAVEPOINT}")
    try:
        result = yield from plan
    except Exception:
        yield _plain(f"rollback to {_SAVEPOINT}")
        yield _plain(f"release {_SAVEPOINT}")
        raise
    yield _plain(f"release {_SAVEPOINT}")
    return result


def _plain(sql: str) -> Statement:
    return Statement(sql.split(maxsplit=1)[0], sql, ())


def _begins_by_itself(raw: Any) -> bool:
    """Tell whether Python begins a transaction before the first insert; newer ones can be told otherwise."""
    return raw.isolation_level is not None and getattr(raw, "autocommit", _LEGACY) == _LEGACY


def _runner(connection: sqlite3.Connection) -> Callable[[Statement], Rows]:
    def run(statement: Statement) -> Rows:
        cursor = connection.cursor()
        # The user's factories may turn rows and text into anything.
        cursor.row_factory = None
        text_factory, connection.text_factory = connection.text_factory, str
        try:
            return cursor.execute(statement.sql, statement.params).fetchall()
        finally:
            connection.text_factory = text_factory
            cursor.close()

    return run


def _async_runner(connection: Any) -> Callable[[Statement], Awaitable[Rows]]:
    async def run(statement: Statement) -> Rows:
        async with connection.cursor() as cursor:
            cursor.row_factory = None
            await cursor.execute(statement.sql, statement.params)
            rows: Rows = await cursor.fetchall()
            return rows

    return run


def _is_aiosqlite(connection: Any) -> bool:
    module = sys.modules.get("aiosqlite")
    return module is not None and isinstance(connection, module.Connection)


def _check_dialect(name: str) -> None:
    if name != "sqlite":
        raise WrongConnectionError(
            f"the connection is to {name} and this app's jobs are in SQLite. "
            "Give a connection to the same file, or leave connection= out"
        )


def _check_file(its_file: str, path: Path) -> None:
    try:
        same = path.samefile(its_file)
    except OSError:
        same = False
    if not same:
        raise WrongConnectionError(
            f"the connection is to {its_file or 'a database in memory'} and this app's jobs are in {path}. "
            "Give a connection to the same file, or leave connection= out"
        )


def _wrong_kind(connection: Any, wanted: str) -> WrongConnectionError:
    kind = f"{type(connection).__module__}.{type(connection).__qualname__}"
    asynchronous = _is_aiosqlite(connection) or sqlalchemy.colour(connection) == "async"
    known = (
        asynchronous or isinstance(connection, sqlite3.Connection) or sqlalchemy.colour(connection) == "sync"
    )
    if not known:
        return WrongConnectionError(
            f"{kind} is no connection that can take jobs. Give one of sqlite3, aiosqlite or SQLAlchemy"
        )
    if wanted == "sync":
        return WrongConnectionError(f"{kind} is asynchronous: use `await ….enqueue_async()`")
    return WrongConnectionError(f"{kind} is synchronous: use `.enqueue()`, in a thread without an event loop")
