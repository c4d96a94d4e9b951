"""The app of the chaos tests: a task of every kind, each of which writes the ledger."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from rota import Retry, Rota, current, every
from rota.model.outcome import Snooze
from tests.chaos.ledger import Ledger

__all__ = ["BEAT", "KEY_LIMIT", "LEASE", "SOLO_LIMIT", "define"]

LEASE = 2.0
BEAT = 0.25
KEY_LIMIT = 2
SOLO_LIMIT = 3
NARROW_LIMIT = 5
RETRY = Retry(20, delay=0.05, backoff="constant")


def settings() -> dict[str, Any]:
    """Return how the app is set up. Its deaths come from outside: no job is to blame and has to run alone."""
    return {"max_crashes": 0, "lease": LEASE, "extend_every": 0.5, "grace": 1.0, "processes": 1}


def define(app: Rota, folder: Path, passes: Callable[[str], None]) -> None:
    """Give an app its tasks; `passes` is called in those that run in the worker's own process."""
    ledger = Ledger(folder)
    _define_plain(app, ledger, passes)
    _define_troubled(app, ledger, passes)
    _define_limited(app, ledger, passes)


def _define_plain(app: Rota, ledger: Ledger, passes: Callable[[str], None]) -> None:
    @app.task(result_ttl=0)
    async def work(milliseconds: int) -> None:
        with ledger.attempt():
            passes("run")
            await asyncio.sleep(milliseconds / 1000)  # the work itself: jobs of 5 to 200 ms

    @app.task
    def block(milliseconds: int) -> int:
        with ledger.attempt():
            passes("run")
            time.sleep(milliseconds / 1000)  # the work itself
            return milliseconds

    @app.task(executor="process", retry=RETRY)
    def crunch(milliseconds: int, *, dies: bool) -> None:
        with ledger.attempt():
            time.sleep(milliseconds / 1000)  # the work itself
            if dies and current().attempt == 1:
                ledger.die("child", "child run")
                os.kill(os.getpid(), signal.SIGKILL)

    @app.schedule(every(seconds=BEAT), id="beat")
    async def tick() -> None:
        with ledger.attempt():
            passes("run")


def _define_troubled(app: Rota, ledger: Ledger, passes: Callable[[str], None]) -> None:
    @app.task(retry=RETRY)
    async def flaky(milliseconds: int) -> None:
        with ledger.attempt():
            passes("run")
            await asyncio.sleep(milliseconds / 1000)  # the work itself
            if current().attempt <= milliseconds % 4:
                raise ConnectionError("not yet")

    @app.task(retry=Retry(1, delay=0.05))
    async def doomed(milliseconds: int) -> None:
        with ledger.attempt():
            await asyncio.sleep(milliseconds / 1000)  # the work itself
            raise ValueError("never")

    @app.task
    async def sleepy(milliseconds: int) -> Snooze | None:
        with ledger.attempt():
            passes("run")
            again = random.Random(current().job.token).random() < 0.5
            return Snooze(timedelta(milliseconds=milliseconds)) if again else None


def _define_limited(app: Rota, ledger: Ledger, passes: Callable[[str], None]) -> None:
    app.queue("narrow", limit=NARROW_LIMIT)

    @app.task(queue="narrow", key_limit=KEY_LIMIT)
    async def limited(milliseconds: int) -> None:
        limits = {f"key:limited:{current().job.key}": KEY_LIMIT, "queue:narrow": NARROW_LIMIT}
        with ledger.attempt(limits):
            passes("run")
            await asyncio.sleep(milliseconds / 1000)  # the work itself

    @app.task(limit=SOLO_LIMIT)
    def solo(milliseconds: int) -> None:
        with ledger.attempt({"task:solo": SOLO_LIMIT}):
            time.sleep(milliseconds / 1000)  # the work itself
