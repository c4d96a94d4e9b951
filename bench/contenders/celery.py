"""Celery on Redis."""

from celery import Celery

from bench.contenders.peer import Peer, job_done, store_url

__all__ = ["app", "contender", "noop"]

app = Celery("bench", broker=store_url())
app.conf.task_ignore_result = True
noop = app.task(job_done, name="noop")


def _enqueue(jobs: int) -> None:
    for _ in range(jobs):
        noop.delay()


_COMMAND = ("celery", "--app", "bench.contenders.celery", "--quiet", "worker", "--loglevel", "WARNING")
contender = Peer(
    _enqueue, {"100": (*_COMMAND, "--pool", "threads", "--concurrency", "100"), "default": _COMMAND}
)
