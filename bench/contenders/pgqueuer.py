"""PgQueuer, the fastest of the Python queues on PostgreSQL, at batch 100."""

import sys
import time

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

BATCH = 100
GROUP = 1000


def fill(url: str, count: int) -> dict[str, float]:
    """Enqueue jobs, 1,000 a call."""

    async def work() -> float:
        connection = await asyncpg.connect(url)
        queries = Queries(AsyncpgDriver(connection))
        if not await queries.has_table("pgqueuer"):
            await queries.install()
        began = time.perf_counter()
        for _ in range(0, count, GROUP):
            await queries.enqueue(["noop"] * GROUP, [None] * GROUP, [0] * GROUP)
        seconds = time.perf_counter() - began
        await connection.close()
        return seconds

    return {"seconds": uvloop.run(work()), "jobs": count}


def one(url: str, count: int) -> dict[str, float]:
    """Enqueue jobs one at a time."""

    async def work() -> float:
        connection = await asyncpg.connect(url)
        queries = Queries(AsyncpgDriver(connection))
        if not await queries.has_table("pgqueuer"):
            await queries.install()
        began = time.perf_counter()
        for _ in range(count):
            await queries.enqueue("noop", None)
        seconds = time.perf_counter() - began
        await connection.close()
        return seconds

    return {"seconds": uvloop.run(work()), "jobs": count}


def drain(url: str, count: int) -> dict[str, float]:
    """Run all jobs in this one process."""

    async def work() -> float:
        connection = await asyncpg.connect(url)
        queue = PgQueuer(AsyncpgDriver(connection))

        @queue.entrypoint("noop")
        async def noop(_: Job) -> None:
            pass

        print("ready", file=sys.stderr, flush=True)
        began = time.perf_counter()
        await queue.run(batch_size=BATCH, mode=QueueExecutionMode.drain)
        seconds = time.perf_counter() - began
        await connection.close()
        return seconds

    return {"seconds": uvloop.run(work()), "jobs": count}
