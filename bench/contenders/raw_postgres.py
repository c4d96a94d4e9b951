"""The limit on PostgreSQL: hand-written loops of the same drivers, without any feature."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from uuid import uuid4

import asyncpg
import psycopg
import uvloop

from bench.contenders.contract import (
    GROUP,
    PACE,
    READY,
    Contender,
    Order,
    Timing,
    await_go,
    say,
    tell_lateness,
)
from bench.contenders.crowd import enqueue_together

__all__ = ["contender"]

TABLE = """
    create table if not exists raw (id uuid primary key, queue text, state int, payload bytea);
    create index if not exists raw_ready on raw (queue, id) where state = 0"""
INSERT = "insert into raw select *, 'q', 0, ''::bytea from unnest($1::uuid[])"
INSERT_ONE = "insert into raw values (%s, 'q', 0, '')"
INSERT_AND_NOTIFY = """
    with one as (insert into raw values (%s, 'q', 0, '') returning id)
    select pg_notify('raw', (extract(epoch from now()) * 1000000000)::bigint::text) from one"""
CLAIM = """
    update raw set state = 1 where id = any(array(
        select id from raw where queue = 'q' and state = 0 order by id limit 100 for update skip locked))
    returning id"""
CLAIM_ONE = CLAIM.replace("limit 100", "limit 1")
DELETE = "delete from raw where id = any($1::uuid[])"


class RawPostgres(Contender):
    """A table, a claim of 100 by SKIP LOCKED, and a delete."""

    def fill(self, order: Order) -> Timing:
        return uvloop.run(_fill(order))

    def enqueue(self, order: Order) -> Timing:
        with _connect(order.url) as insert:
            began = time.monotonic()
            for _ in range(order.jobs):
                insert()
            return Timing(order.jobs, began, time.monotonic())

    def crowd(self, order: Order) -> Timing:
        connect = partial(_connect, order.url, notify=order.setup == "notify")
        return enqueue_together(connect, order.jobs)

    def drain(self, order: Order) -> Timing:
        return uvloop.run(_drain(order))

    def serve(self, order: Order) -> None:
        uvloop.run(_serve(order))

    def send(self, order: Order) -> Timing:
        began = time.monotonic()
        with psycopg.connect(order.url) as connection:
            for _ in range(order.jobs):
                time.sleep(PACE)  # the pace that the figure is defined with
                sent = time.time_ns()
                connection.execute(INSERT_ONE, (uuid4(),))
                connection.execute("select pg_notify('raw', %s)", (str(sent),))
                connection.commit()
        return Timing(order.jobs, began, time.monotonic())


contender = RawPostgres()


@contextmanager
def _connect(url: str, *, notify: bool = False) -> Iterator[Callable[[], object]]:
    """Give the call that inserts one row in a transaction of its own, and tells who listens if it should."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "select pg_advisory_lock(1)"
        )  # two who make one table at once are in one another's way
        connection.execute(TABLE)
        connection.execute("select pg_advisory_unlock(1)")
        insert = INSERT_AND_NOTIFY if notify else INSERT_ONE
        yield lambda: connection.execute(insert, (uuid4(),))


async def _fill(order: Order) -> Timing:
    connection = await asyncpg.connect(order.url)
    await connection.execute(TABLE)
    began = time.monotonic()
    for _ in range(0, order.jobs, GROUP):
        await connection.execute(INSERT, [uuid4() for _ in range(GROUP)])
    ended = time.monotonic()
    await connection.close()
    return Timing(order.jobs, began, ended)


async def _drain(order: Order) -> Timing:
    connection = await asyncpg.connect(order.url)
    await_go()
    began = time.monotonic()
    jobs = 0
    while rows := await connection.fetch(CLAIM):
        await connection.execute(DELETE, [row[0] for row in rows])
        jobs += len(rows)
    ended = time.monotonic()
    await connection.close()
    return Timing(jobs, began, ended)


async def _serve(order: Order) -> None:
    """LISTEN, and claim one row for each notice."""
    connection, listening = await asyncpg.connect(order.url), await asyncpg.connect(order.url)
    await connection.execute(TABLE)
    notices: asyncio.Queue[str] = asyncio.Queue()
    await listening.add_listener("raw", lambda *call: notices.put_nowait(str(call[3])))
    say(READY)
    while True:
        sent = await notices.get()
        await connection.fetch(CLAIM_ONE)
        tell_lateness(int(sent))
