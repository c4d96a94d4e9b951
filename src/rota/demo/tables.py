"""The demo's own tables, in a file of their own beside Rota's."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from rota.demo.summaries import NOW, SUMMARIES
from rota.demo.tzif import Change
from rota.demo.world import Zone

__all__ = ["FILE", "build", "prepare", "replace_changes", "rows"]

FILE = Path("rota-demo.db")

_TABLES = """
CREATE TABLE IF NOT EXISTS country (code TEXT PRIMARY KEY, name TEXT);
CREATE TABLE IF NOT EXISTS zone (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS zone_country (zone TEXT, country TEXT, PRIMARY KEY (zone, country));
CREATE TABLE IF NOT EXISTS change (
    zone TEXT, at INTEGER, before INTEGER, after INTEGER, is_dst INTEGER, abbreviation TEXT,
    PRIMARY KEY (zone, at)
);
"""


def prepare(zones: Iterable[Zone], countries: Mapping[str, str]) -> None:
    """Store which zones and countries there are."""
    zones = list(zones)
    with _transaction() as db:
        for table in ("country", "zone", "zone_country"):
            db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the line above
        db.executemany("INSERT INTO country VALUES (?, ?)", countries.items())
        db.executemany("INSERT INTO zone VALUES (?)", [(zone.name,) for zone in zones])
        pairs = [(zone.name, code) for zone in zones for code in zone.countries]
        db.executemany("INSERT INTO zone_country VALUES (?, ?)", pairs)
        db.execute("DELETE FROM change WHERE zone NOT IN (SELECT name FROM zone)")


def replace_changes(changes: Mapping[str, Iterable[Change]]) -> int:
    """Store the changes of some zones in place of what is there; returns how many."""
    stored = [(zone, *change) for zone, found in changes.items() for change in found]
    with _transaction() as db:
        db.executemany("DELETE FROM change WHERE zone = ?", [(zone,) for zone in changes])
        db.executemany("INSERT INTO change VALUES (?, ?, ?, ?, ?, ?)", stored)
    return len(stored)


def build(summary: str) -> int:
    """Make a summary table anew; returns its number of rows."""
    with _transaction() as db:
        db.execute(f"DROP TABLE IF EXISTS {summary}")
        db.execute(f"CREATE TABLE {summary} AS {SUMMARIES[summary]}", {"now": int(NOW.timestamp())})
        ((number,),) = db.execute(f"SELECT count(*) FROM {summary}")  # noqa: S608 - a name of ours
    return int(number)


def rows(query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with _transaction() as db:
        return db.execute(query).fetchall()


@contextmanager
def _transaction() -> Iterator[sqlite3.Connection]:
    """Everything or nothing: a task that is killed in the middle leaves no half of its work."""
    with closing(sqlite3.connect(FILE, timeout=30, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        with db:
            for statement in filter(str.strip, _TABLES.split(";")):
                db.execute(statement)
            yield db
