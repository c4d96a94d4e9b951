"""Dramatiq on Redis."""

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.contenders.peer import Peer, job_done, store_url

__all__ = ["broker", "contender", "noop"]

broker = RedisBroker(url=store_url())
dramatiq.set_broker(broker)
noop = dramatiq.actor(job_done)


def _enqueue(jobs: int) -> None:
    for _ in range(jobs):
        noop.send()


_COMMAND = ("dramatiq", "bench.contenders.dramatiq")
contender = Peer(_enqueue, {"100": (*_COMMAND, "--processes", "1", "--threads", "100"), "default": _COMMAND})
