"""Huey, on Redis and on SQLite."""

from huey import RedisHuey, SqliteHuey

from bench.contenders.peer import Peer, job_done, store_url

__all__ = ["contender", "huey", "noop"]

_sqlite = store_url().startswith("sqlite")
huey = (
    SqliteHuey(filename=store_url().removeprefix("sqlite:///"), results=False)
    if _sqlite
    else RedisHuey(url=store_url(), results=False)
)
noop = huey.task()(job_done)


def _enqueue(jobs: int) -> None:
    for _ in range(jobs):
        noop()


_COMMAND = ("huey.bin.huey_consumer", "bench.contenders.huey.huey", "--quiet")
contender = Peer(
    _enqueue,
    {"100": (*_COMMAND, "-w", "100", "-k", "thread"), "default": _COMMAND},
)
