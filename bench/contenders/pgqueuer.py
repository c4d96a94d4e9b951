"""PgQueuer, the fastest of the Python queues on PostgreSQL."""

import time
from collections.abc import Awaitable, Callable

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

from bench.contenders.contract import GROUP, Contender, Order, Timing, await_go

__all__ = ["contender"]

BATCHES = {"100": 100, "default": 10}


class PgQueuerContender(Contender):
    """PgQueuer by its own API; the setup is its batch size."""

    def fill(self, order: Order) -> Timing:
        async def group(queries: Queries) -> None:
            await queries.enqueue(["noop"] * GROUP, [None] * GROUP, [0] * GROUP)

        return uvloop.run(_store(order, order.jobs // GROUP, group))

    def enqueue(self, order: Order) -> Timing:
        async def one(queries: Queries) -> None:
            await queries.enqueue("noop", None)

        return uvloop.run(_store(order, order.jobs, one))

    def drain(self, order: Order) -> Timing:
        return uvloop.run(_drain(order))


contender = PgQueuerContender()


async def _store(order: Order, calls: int, call: Callable[[Queries], Awaitable[None]]) -> Timing:
    connection = await asyncpg.connect(order.url)
    queries = Queries(AsyncpgDriver(connection))
    if not await queries.has_table("pgqueuer"):
        await queries.install()
    began = time.monotonic()
    for _ in range(calls):
        await call(queries)
    ended = time.monotonic()
    await connection.close()
    return Timing(order.jobs, began, ended)


async def _drain(order: Order) -> Timing:
    connection = await asyncpg.connect(order.url)
    queue = PgQueuer(AsyncpgDriver(connection))
    jobs = 0

    async def noop(_: Job) -> None:
        nonlocal jobs
        jobs += 1

    queue.entrypoint("noop")(noop)
    await_go()
    began = time.monotonic()
    await queue.run(batch_size=BATCHES[order.setup], mode=QueueExecutionMode.drain)
    ended = time.monotonic()
    await connection.close()
    return Timing(jobs, began, ended)
