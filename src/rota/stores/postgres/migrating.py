"""Migrations under a lock that belongs to the namespace, by either driver (see `rota.stores.migrations`)."""

from collections.abc import Generator
from datetime import datetime
from functools import cache
from typing import NamedTuple
from uuid import uuid4

from rota.model.errors import SchemaVersionError
from rota.ports.jobs import Rows, Statement
from rota.ports.store import SchemaState
from rota.stores.migrations import Migration, due, load, names
from rota.stores.postgres.partitions import missing_days, partition_script

__all__ = ["Apart", "Script", "Upgraded", "check", "inspect", "is_due", "migrations", "upgrade"]

Steps = Generator[Statement, Rows, SchemaState]


class Upgraded(NamedTuple):
    """The state after an upgrade, and the names of what it applied."""

    state: SchemaState
    applied: tuple[str, ...]


class Script(Statement):
    """Several statements in one text, without parameters and rows."""


class Apart(Statement):
    """A statement to run on a connection of its own, in no transaction."""


@cache
def migrations() -> tuple[Migration, ...]:
    """Return all migrations in order."""
    return load("rota.stores.postgres.migrations")


def inspect(sql: dict[str, str]) -> Steps:
    """Read the state of a namespace; version 0 when there is none."""
    wanted = migrations()[-1].number
    ((there,),) = yield Statement("schema_there", sql["schema_there"], ())
    if not there:
        return SchemaState(version=0, wanted=wanted, oldest=0, store_id="", pending=names(migrations(), 0))
    ((version, oldest, store_id),) = yield Statement("schema_state", sql["schema_state"], ())
    return SchemaState(
        version=version,
        wanted=wanted,
        oldest=oldest,
        store_id=store_id,
        pending=names(migrations(), version),
    )


def is_due(state: SchemaState, *, post: bool) -> bool:
    """Tell whether `upgrade` has something to do."""
    return bool(due(migrations(), state.version, post=post))


def upgrade(
    sql: dict[str, str], schema: str, now: datetime | None, *, post: bool
) -> Generator[Statement, Rows, Upgraded]:
    """Apply the next pending migration, in the driver's transaction; nobody else does so at the same time.

    Workers that run meanwhile are not locked out: a statement that waits for a lock, and lets others queue up
    behind it, gives up after a moment; the driver tries again.

    Args:
        sql: the namespace's statements.
        schema: its name; it is made if it is not there.
        now: the moment from which on days are made ahead; None: the server's.
        post: whether to apply those too that the previous release cannot run on.
    """
    # No long wait for the lock either: an index that is made apart waits for whoever is in a statement.
    yield Statement("no_long_wait", sql["no_long_wait"], ())
    yield Statement("schema_lock", sql["schema_lock"], ())
    state = yield from inspect(sql)
    check(state)
    pending = due(migrations(), state.version, post=post)
    if not pending:
        return Upgraded(state, ())
    if state.version == 0:
        ((there,),) = yield Statement("schema_room", sql["schema_room"], ())
        if not there:
            yield Statement("schema_make", sql["schema_make"], ())
    yield from _apply(pending[0], schema)
    version, oldest = pending[0].number, max(state.oldest, pending[0].oldest)
    if state.version:
        yield Statement("schema_grown", sql["schema_grown"], (version, oldest))
    else:
        yield Statement("schema_born", sql["schema_born"], (version, oldest, uuid4().hex))
        ((moment,),) = yield Statement("moment", sql["moment"], (now,))
        yield Script("partitions", partition_script(schema, missing_days(moment, ())), ())
    return Upgraded((yield from inspect(sql)), (pending[0].name,))


def _apply(migration: Migration, schema: str) -> Generator[Statement, Rows, None]:
    script = migration.sql.replace("{schema}", f'"{schema}"')
    if not migration.apart:
        yield Script(migration.name, script, ())
        return
    # Drivers leave their last cursor open, with the snapshot of its statement. What comes waits for old
    # snapshots, and this transaction waits for it: for ever. A text without parameters ends the cursor.
    yield Script("let_go", "select 1", ())
    lines = (line for line in script.splitlines() if not line.lstrip().startswith("--"))
    for statement in "\n".join(lines).split(";"):
        if statement.strip():
            yield Apart(migration.name, statement, ())


def check(state: SchemaState) -> None:
    """Refuse a namespace that this code cannot run on.

    Raises:
        SchemaVersionError: it needs newer code.
    """
    if state.oldest > state.wanted:
        raise SchemaVersionError(
            state.version,
            state.wanted,
            f"It can be used from version {state.oldest} on: install a newer Rota",
        )
