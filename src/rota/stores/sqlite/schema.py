"""The schema and its migrations (see `rota.stores.migrations`)."""

import sqlite3
from collections.abc import Iterator
from functools import cache
from uuid import uuid4

from rota.model.errors import SchemaVersionError
from rota.ports.store import SchemaState
from rota.stores.migrations import Migration, due, load, names
from rota.stores.sqlite.connection import begin, rollback

__all__ = ["check", "is_due", "migrations", "read_state", "upgrade"]


@cache
def migrations() -> tuple[Migration, ...]:
    """Return all migrations in order."""
    return load("rota.stores.sqlite.migrations")


def read_state(connection: sqlite3.Connection) -> SchemaState:
    """Return the state of the schema; it is not changed."""
    rows: list[tuple[int, int, str]] = []
    if connection.execute("select 1 from sqlite_master where name = 'schema_version'").fetchone():
        rows = connection.execute("select version, oldest, store_id from schema_version").fetchall()
    version = max((number for number, _, _ in rows), default=0)
    return SchemaState(
        version=version,
        wanted=migrations()[-1].number,
        oldest=max((oldest for _, oldest, _ in rows), default=0),
        store_id=rows[0][2] if rows else "",
        pending=names(migrations(), version),
    )


def check(state: SchemaState) -> None:
    """Refuse a schema that this code cannot run on.

    Raises:
        SchemaVersionError: it was upgraded for newer code.
    """
    if state.oldest > state.wanted:
        raise SchemaVersionError(
            state.version,
            state.wanted,
            f"Upgrade rota: only code for schema {state.oldest} or newer can use it",
        )


def is_due(state: SchemaState) -> bool:
    """Tell whether there is something to apply that old code can live with."""
    return bool(due(migrations(), state.version, post=False))


def upgrade(connection: sqlite3.Connection, patience: float, *, post: bool) -> tuple[str, ...]:
    """Apply pending migrations, all in one transaction, and return their names.

    Whoever comes second waits for the lock and finds nothing left to do.

    Args:
        connection: not in a transaction.
        patience: seconds to wait for the write lock.
        post: also those on which old code cannot run.

    Raises:
        SchemaVersionError: the schema was upgraded for newer code.
    """
    begin(connection, patience)
    try:
        state = read_state(connection)
        check(state)
        store_id = state.store_id or str(uuid4())
        steps = due(migrations(), state.version, post=post)
        for step in steps:
            for statement in _statements(step.sql):
                connection.execute(statement)
            row = (step.number, step.oldest, store_id)
            connection.execute("insert into schema_version (version, oldest, store_id) values (?, ?, ?)", row)
        connection.execute("commit")
    finally:
        rollback(connection)
    return tuple(step.name for step in steps)


def _statements(text: str) -> Iterator[str]:
    """Split a file into statements: `executescript` would commit what is open."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
