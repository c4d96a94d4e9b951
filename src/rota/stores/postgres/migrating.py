"""Migrations: numbered files, applied under a lock that belongs to the namespace, by either driver.

`0002_more.pre.sql` adds and leaves running workers in peace, so that it is applied on opening;
`0003_less.post.sql` takes away what the previous release needs, so that a person asks for it. A line
`-- oldest: 2` in a file names the oldest code (by the number of its newest migration) that can run on it.
"""

import re
from collections.abc import Generator
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import NamedTuple
from uuid import uuid4

from rota.model.errors import SchemaVersionError
from rota.ports.jobs import Rows, Statement
from rota.ports.store import SchemaState
from rota.stores.postgres.partitions import missing_days, partition_script

__all__ = ["Migration", "Script", "check", "due", "inspect", "migrations", "upgrade"]

_NAME = re.compile(r"(?P<number>\d{4})_(?P<what>\w+)\.(?P<stage>pre|post)\.sql")
_OLDEST = re.compile(r"^-- oldest: (\d+)$", re.MULTILINE)

Steps = Generator[Statement, Rows, SchemaState]


class Script(Statement):
    """Several statements in one text, without parameters and rows."""


class Migration(NamedTuple):
    """One file: its place in line, whether it waits to be asked for, the oldest code that can run on it."""

    number: int
    name: str
    post: bool
    oldest: int
    sql: str


@cache
def migrations() -> tuple[Migration, ...]:
    """Return all migrations in order."""
    found = []
    for file in files("rota.stores.postgres.migrations").iterdir():
        if match := _NAME.fullmatch(file.name):
            sql = file.read_text(encoding="utf-8")
            oldest = _OLDEST.search(sql)
            name = file.name.removesuffix(".sql")
            post = match["stage"] == "post"
            found.append(Migration(int(match["number"]), name, post, int(oldest[1]) if oldest else 1, sql))
    return tuple(sorted(found))


def inspect(sql: dict[str, str]) -> Steps:
    """Read the state of a namespace; version 0 when there is none."""
    wanted = migrations()[-1].number
    ((there,),) = yield Statement("schema_there", sql["schema_there"], ())
    if not there:
        return SchemaState(version=0, wanted=wanted, oldest=0, store_id="", pending=_names(0))
    ((version, oldest, store_id),) = yield Statement("schema_state", sql["schema_state"], ())
    return SchemaState(
        version=version, wanted=wanted, oldest=oldest, store_id=store_id, pending=_names(version)
    )


def upgrade(sql: dict[str, str], schema: str, now: datetime | None, *, post: bool) -> Steps:
    """Apply pending migrations, in the driver's transaction; nobody else does so at the same time.

    Args:
        sql: the namespace's statements.
        schema: its name; it is made if it is not there.
        now: the moment from which on days are made ahead; None: the server's.
        post: whether to apply those too that the previous release cannot run on.
    """
    yield Statement("schema_lock", sql["schema_lock"], ())
    state = yield from inspect(sql)
    check(state)
    pending = due(state.version, post=post)
    if state.version == 0:
        ((there,),) = yield Statement("schema_room", sql["schema_room"], ())
        if not there:
            yield Statement("schema_make", sql["schema_make"], ())
    for migration in pending:
        yield Script(migration.name, migration.sql.replace("{schema}", f'"{schema}"'), ())
    if pending:
        version, oldest = pending[-1].number, max(state.oldest, *(one.oldest for one in pending))
        if state.version:
            yield Statement("schema_grown", sql["schema_grown"], (version, oldest))
        else:
            yield Statement("schema_born", sql["schema_born"], (version, oldest, uuid4().hex))
            ((moment,),) = yield Statement("moment", sql["moment"], (now,))
            yield Script("partitions", partition_script(schema, missing_days(moment, ())), ())
    return (yield from inspect(sql))


def due(version: int, *, post: bool) -> tuple[Migration, ...]:
    """Return what to apply now: up to the last *pre* migration, whatever stands before it; all if asked."""
    pending = [migration for migration in migrations() if migration.number > version]
    while pending and pending[-1].post and not post:
        pending.pop()
    return tuple(pending)


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


def _names(version: int) -> tuple[str, ...]:
    return tuple(migration.name for migration in migrations() if migration.number > version)
