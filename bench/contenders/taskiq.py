"""TaskIQ on Redis streams, which it acknowledges."""

import asyncio

from taskiq_redis import RedisStreamBroker

from bench.contenders.peer import Peer, job_done, store_url

__all__ = ["broker", "contender", "noop"]

broker = RedisStreamBroker(store_url())


async def noop_task() -> None:
    """Do nothing."""
    job_done()


noop = broker.task(noop_task)


def _enqueue(jobs: int) -> None:
    async def work() -> None:
        await broker.startup()
        for _ in range(jobs):
            await noop.kiq()
        await broker.shutdown()

    asyncio.run(work())


_COMMAND = ("taskiq", "worker", "bench.contenders.taskiq:broker", "--log-level", "WARNING")
contender = Peer(
    _enqueue, {"100": (*_COMMAND, "--workers", "1", "--max-async-tasks", "100"), "default": _COMMAND}
)
