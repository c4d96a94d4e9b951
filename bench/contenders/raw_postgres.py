"""The limit: hand-written loops of the same drivers without any feature."""

import asyncio
import sys
import time
from typing import Any
from uuid import uuid4

import asyncpg
import psycopg
import uvloop

BATCH = 100
GROUP = 1000
TABLE = "create table if not exists raw (id uuid primary key, queue text, state int, payload bytea)"
INDEX = "create index if not exists raw_ready on raw (queue, id) where state = 0"
INSERT = "insert into raw select *, 'q', 0, ''::bytea from unnest($1::uuid[])"
CLAIM = """
    update raw set state = 1 where id = any(array(
        select id from raw where queue = 'q' and state = 0 order by id limit 100 for update skip locked))
    returning id"""
DELETE = "delete from raw where id = any($1::uuid[])"
ONE = "insert into raw values (%s, 'q', 0, '')"
CLAIM_ONE = CLAIM.replace("limit 100", "limit 1")


def fill(url: str, count: int) -> dict[str, float]:
    """Insert rows, 1,000 a statement."""

    async def work() -> float:
        connection = await asyncpg.connect(url)
        await connection.execute(TABLE)
        await connection.execute(INDEX)
        began = time.perf_counter()
        for _ in range(0, count, GROUP):
            await connection.execute(INSERT, [uuid4() for _ in range(GROUP)])
        seconds = time.perf_counter() - began
        await connection.close()
        return seconds

    return {"seconds": uvloop.run(work()), "jobs": count}


def one(url: str, count: int) -> dict[str, float]:
    """Insert rows one at a time, each in a transaction of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
        connection.execute(INDEX)
        began = time.perf_counter()
        for _ in range(count):
            connection.execute(ONE, (uuid4(),))
        return {"seconds": time.perf_counter() - began, "jobs": count}


def drain(url: str, count: int) -> dict[str, float]:
    """Claim 100 and delete them, one after the other."""

    async def work() -> float:
        connection = await asyncpg.connect(url)
        print("ready", file=sys.stderr, flush=True)
        began = time.perf_counter()
        left = count
        while left > 0:
            rows = await connection.fetch(CLAIM)
            if not rows:
                break
            await connection.execute(DELETE, [row[0] for row in rows])
            left -= len(rows)
        seconds = time.perf_counter() - began
        await connection.close()
        return seconds

    return {"seconds": uvloop.run(work()), "jobs": count}


def serve(url: str, _: int) -> dict[str, Any]:
    """LISTEN, claim one row per notice, print its latency."""

    async def work() -> None:
        connection = await asyncpg.connect(url)
        listening = await asyncpg.connect(url)
        await connection.execute(TABLE)
        await connection.execute(INDEX)
        notices: asyncio.Queue[str] = asyncio.Queue()
        await listening.add_listener("raw", lambda *args: notices.put_nowait(args[3]))
        print("ready", flush=True)
        while True:
            sent = await notices.get()
            await connection.fetch(CLAIM_ONE)
            print(time.monotonic_ns() - int(sent), flush=True)

    uvloop.run(work())
    return {}


def send(url: str, count: int) -> dict[str, float]:
    """Insert one row with a notice every 50 ms."""
    with psycopg.connect(url) as connection:
        for _ in range(count):
            time.sleep(0.05)  # the pace that the figure is defined with
            sent = time.monotonic_ns()
            connection.execute(ONE, (uuid4(),))
            connection.execute("select pg_notify('raw', %s)", (str(sent),))
            connection.commit()
    return {"jobs": count}
