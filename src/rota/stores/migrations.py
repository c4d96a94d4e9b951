"""Migrations: numbered files, of the same names for each store, applied in order.

`0002_more.pre.sql` only adds, so that older code can go on: it is applied on opening. `0003_less.post.sql`
takes away what older code needs: it waits until a person asks for it, or a later *pre* one needs it. A line
`-- oldest: N` names the oldest code (by the number of its newest migration) that can run on it. A line
`-- apart` says that the statements cannot stand in a transaction, as `create index concurrently` cannot; they
have to bear being begun twice. SQLite has no such statements.
"""

import re
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple

__all__ = ["Migration", "due", "load", "names", "parse"]

_NAME = re.compile(r"(?P<number>\d{4})_\w+\.(?P<phase>pre|post)\.sql")
_OLDEST = re.compile(r"^-- oldest: (\d+)$", re.MULTILINE)
_APART = re.compile(r"^-- apart$", re.MULTILINE)


class Migration(NamedTuple):
    """One step of the schema.

    Args:
        number: its place in line.
        name: of its file.
        post: whether it waits to be asked for.
        oldest: the oldest code that can run on it.
        sql: its statements.
        apart: whether they run outside of a transaction.
    """

    number: int
    name: str
    post: bool
    oldest: int
    sql: str
    apart: bool = False


def load(package: str) -> tuple[Migration, ...]:
    """Return all migrations of a package in order."""
    found = [file for file in files(package).iterdir() if file.name.endswith(".sql")]
    return tuple(sorted(parse(file.name, file.read_text(encoding="utf-8")) for file in found))


def parse(name: str, sql: str) -> Migration:
    """Return a migration from a file's name and text.

    Raises:
        ValueError: it is misnamed, or does not say which code can run on it.
    """
    match, oldest = _NAME.fullmatch(name), _OLDEST.search(sql)
    if match is None or oldest is None:
        raise ValueError(f"migration {name} is misnamed or lacks its line `-- oldest: N`")
    post, apart = match["phase"] == "post", _APART.search(sql) is not None
    return Migration(int(match["number"]), name, post, int(oldest[1]), sql, apart)


def due(migrations: Sequence[Migration], version: int, *, post: bool) -> list[Migration]:
    """Return what to apply now: up to the last *pre* one, whatever stands before it; all if asked."""
    pending = [one for one in migrations if one.number > version]
    while pending and pending[-1].post and not post:
        pending.pop()
    return pending


def names(migrations: Sequence[Migration], version: int) -> tuple[str, ...]:
    """Return the names of what a schema lacks."""
    return tuple(one.name for one in migrations if one.number > version)
