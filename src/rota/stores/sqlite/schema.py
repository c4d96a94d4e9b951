"""The schema and its migrations: plain numbered files, `pre` (old code runs on it) or `post`."""

import re
import sqlite3
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple
from uuid import uuid4

from rota.model.errors import SchemaVersionError
from rota.ports.store import SchemaState
from rota.stores.sqlite.connection import begin, rollback

__all__ = ["check", "is_pre", "read_state", "upgrade"]

_FOLDER = "rota.stores.sqlite.migrations"
_NAME = re.compile(r"(?P<number>\d{4})_\w+\.(?P<phase>pre|post)\.sql")
_OLDEST = re.compile(r"^-- oldest: (\d+)$", re.MULTILINE)


class Migration(NamedTuple):
    """One step of the schema; `oldest` is the oldest schema version that code may want to run on it."""

    number: int
    name: str
    post: bool
    oldest: int
    sql: str


@cache
def migrations() -> tuple[Migration, ...]:
    """Return all migrations in order.

    Raises:
        ValueError: a file is misnamed, or does not say which code can run on it.
    """
    found = []
    for file in files(_FOLDER).iterdir():
        if not file.name.endswith(".sql"):
            continue
        name, text = _NAME.fullmatch(file.name), file.read_text(encoding="utf-8")
        oldest = _OLDEST.search(text)
        if name is None or oldest is None:
            raise ValueError(f"migration {file.name} is misnamed or lacks its line `-- oldest: N`")
        found.append(Migration(int(name["number"]), file.name, name["phase"] == "post", int(oldest[1]), text))
    return tuple(sorted(found))


def read_state(connection: sqlite3.Connection) -> SchemaState:
    """Return the state of the schema; it is not changed."""
    rows: list[tuple[int, int, str]] = []
    if connection.execute("select 1 from sqlite_master where name = 'schema_version'").fetchone():
        rows = connection.execute("select version, oldest, store_id from schema_version").fetchall()
    applied = {version for version, _, _ in rows}
    return SchemaState(
        version=max(applied, default=0),
        wanted=migrations()[-1].number,
        oldest=max((oldest for _, oldest, _ in rows), default=0),
        store_id=rows[0][2] if rows else "",
        pending=tuple(step.name for step in migrations() if step.number not in applied),
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


def is_pre(name: str) -> bool:
    """Tell whether a migration, by its name, is one that old code can run on."""
    return any(step.name == name and not step.post for step in migrations())


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
        steps = [step for step in migrations() if step.name in state.pending and (post or not step.post)]
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
