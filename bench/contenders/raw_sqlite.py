"""The limit on SQLite: hand-written loops in WAL with synchronous FULL, without any feature."""

import sqlite3
import time
from uuid import uuid4

from bench.contenders.contract import GROUP, Contender, Order, Timing, await_go

__all__ = ["contender"]

TABLE = "create table if not exists raw (id blob primary key, queue text, state int, payload blob)"
INDEX = "create index if not exists raw_ready on raw (queue, id) where state = 0"
INSERT = "insert into raw values (?, 'q', 0, x'')"
CLAIM = """
    update raw set state = 1 where id in (
        select id from raw where queue = 'q' and state = 0 order by id limit 100)
    returning id"""
DELETE = "delete from raw where id = ?"


class RawSqlite(Contender):
    """A table, a claim of 100, and a delete, a transaction each."""

    def fill(self, order: Order) -> Timing:
        connection = _connect(order.url)
        began = time.monotonic()
        for _ in range(0, order.jobs, GROUP):
            connection.execute("begin immediate")
            connection.executemany(INSERT, [(uuid4().bytes,) for _ in range(GROUP)])
            connection.execute("commit")
        return _close(connection, order.jobs, began)

    def enqueue(self, order: Order) -> Timing:
        connection = _connect(order.url)
        began = time.monotonic()
        for _ in range(order.jobs):
            connection.execute(INSERT, (uuid4().bytes,))
        return _close(connection, order.jobs, began)

    def drain(self, order: Order) -> Timing:
        connection = _connect(order.url)
        await_go()
        began = time.monotonic()
        jobs = 0
        while rows := connection.execute(CLAIM).fetchall():
            connection.execute("begin immediate")
            connection.executemany(DELETE, rows)
            connection.execute("commit")
            jobs += len(rows)
        return _close(connection, jobs, began)


contender = RawSqlite()


def _connect(url: str) -> sqlite3.Connection:
    """Open the file of a `sqlite:///` url."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute(TABLE)
    connection.execute(INDEX)
    return connection


def _close(connection: sqlite3.Connection, jobs: int, began: float) -> Timing:
    ended = time.monotonic()
    connection.close()
    return Timing(jobs, began, ended)
