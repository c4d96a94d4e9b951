"""A caller's SQLAlchemy connection or session: what it is, and how to run a statement in its transaction.

Nothing here imports SQLAlchemy: whoever holds one of its objects has imported it already.
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = [
    "Dialect",
    "async_connection",
    "colour",
    "dialect",
    "fetch",
    "fetch_async",
    "raw",
    "raw_async",
    "sync_connection",
]

_SYNC = {"sqlalchemy": ("Connection",), "sqlalchemy.orm": ("Session", "scoped_session")}
_ASYNC = {"sqlalchemy.ext.asyncio": ("AsyncConnection", "AsyncSession", "async_scoped_session")}


class Dialect(NamedTuple):
    """Which database a connection speaks to ("postgresql", "sqlite") and by which driver ("asyncpg" ...)."""

    name: str
    driver: str


def colour(connection: object) -> Literal["sync", "async"] | None:
    """Say whether this is a synchronous or an asynchronous connection or session; None if it is neither."""
    if _is_any(connection, _ASYNC):
        return "async"
    return "sync" if _is_any(connection, _SYNC) else None


def sync_connection(connection: Any) -> "Connection":
    """Return the connection of a session, in its transaction; a connection is itself."""
    found: Connection = (
        connection if _is_any(connection, {"sqlalchemy": ("Connection",)}) else connection.connection()
    )
    return found


async def async_connection(connection: Any) -> "AsyncConnection":
    """Return the connection of an asynchronous session, in its transaction; a connection is itself."""
    if _is_any(connection, {"sqlalchemy.ext.asyncio": ("AsyncConnection",)}):
        plain: AsyncConnection = connection
        return plain
    found: AsyncConnection = await connection.connection()
    return found


def dialect(connection: "Connection | AsyncConnection") -> Dialect:
    """Return the database and the driver of a connection."""
    return Dialect(connection.dialect.name, connection.dialect.driver)


def raw(connection: "Connection") -> Any:
    """Return the driver's own connection, to tell one from another; statements go through SQLAlchemy.

    Only so does SQLAlchemy know that a transaction has begun: its `commit()` would do nothing otherwise.
    """
    return connection.connection.driver_connection


async def raw_async(connection: "AsyncConnection") -> Any:
    """Return the driver's own connection (see `raw`)."""
    return (await connection.get_raw_connection()).driver_connection


def fetch(connection: "Connection", sql: str, params: Any) -> list[tuple[Any, ...]]:
    """Run one statement, in the style of the driver, and return its rows."""
    result = connection.exec_driver_sql(sql, params)
    return [tuple(row) for row in result] if result.returns_rows else []


async def fetch_async(connection: "AsyncConnection", sql: str, params: Any) -> list[tuple[Any, ...]]:
    """Run one statement, in the style of the driver, and return its rows."""
    result = await connection.exec_driver_sql(sql, params)
    return [tuple(row) for row in result] if result.returns_rows else []


def _is_any(connection: object, names: Mapping[str, tuple[str, ...]]) -> bool:
    kinds = (
        getattr(sys.modules[module], name, None)
        for module, classes in names.items()
        if module in sys.modules
        for name in classes
    )
    return any(kind is not None and isinstance(connection, kind) for kind in kinds)
