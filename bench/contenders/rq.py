"""RQ on Redis. Its workers run one job at a time; the setup "100" is the one that does not fork for each."""

from redis import Redis
from rq import Queue

from bench.contenders.peer import Peer, job_done, store_url

__all__ = ["contender", "noop"]


def noop() -> None:
    """Do nothing; RQ finds the task by its module and name."""
    job_done()


def _enqueue(jobs: int) -> None:
    queue = Queue(connection=Redis.from_url(store_url()))
    for _ in range(jobs):
        queue.enqueue(noop, result_ttl=0)


# As its configuration the worker loads this module once, so that not every forked process has to.
_COMMAND = ("rq.cli", "worker", "--quiet", "--config", "bench.contenders.rq", "--url", store_url())
contender = Peer(_enqueue, {"100": (*_COMMAND, "-w", "rq.worker.SimpleWorker"), "default": _COMMAND})
