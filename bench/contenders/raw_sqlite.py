"""The limit on SQLite: hand-written loops in WAL with synchronous FULL, without any feature."""

import sqlite3
import sys
import time
from uuid import uuid4

GROUP = 1000
TABLE = "create table if not exists raw (id blob primary key, queue text, state int, payload blob)"
INDEX = "create index if not exists raw_ready on raw (queue, id) where state = 0"
INSERT = "insert into raw values (?, 'q', 0, x'')"
CLAIM = """
    update raw set state = 1 where id in (
        select id from raw where queue = 'q' and state = 0 order by id limit 100)
    returning id"""


def connect(url: str) -> sqlite3.Connection:
    """Open the file of a `sqlite:///` url."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute(TABLE)
    connection.execute(INDEX)
    return connection


def fill(url: str, count: int) -> dict[str, float]:
    """Insert rows, 1,000 a transaction."""
    connection = connect(url)
    began = time.perf_counter()
    for _ in range(0, count, GROUP):
        connection.execute("begin immediate")
        connection.executemany(INSERT, [(uuid4().bytes,) for _ in range(GROUP)])
        connection.execute("commit")
    seconds = time.perf_counter() - began
    connection.close()
    return {"seconds": seconds, "jobs": count}


def one(url: str, count: int) -> dict[str, float]:
    """Insert rows one at a time, each in a transaction of its own."""
    connection = connect(url)
    began = time.perf_counter()
    for _ in range(count):
        connection.execute(INSERT, (uuid4().bytes,))
    seconds = time.perf_counter() - began
    connection.close()
    return {"seconds": seconds, "jobs": count}


def drain(url: str, count: int) -> dict[str, float]:
    """Claim 100 and delete them, each in a transaction."""
    connection = connect(url)
    print("ready", file=sys.stderr, flush=True)
    began = time.perf_counter()
    left = count
    while left > 0:
        rows = connection.execute(CLAIM).fetchall()
        if not rows:
            break
        connection.execute("begin immediate")
        connection.executemany("delete from raw where id = ?", rows)
        connection.execute("commit")
        left -= len(rows)
    seconds = time.perf_counter() - began
    connection.close()
    return {"seconds": seconds, "jobs": count}
