"""How late ticks are: `python -m bench.schedules [--store sqlite|postgres] [--stored N] …`.

A scheduler process fires; this process looks at the store by a connection of its own. Times are by the
machine's clock, which is the store's too.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from rota import Rota, every
from rota.app.serving import serve
from rota.model.schedule import ScheduleRecord
from rota.ports.store import Store
from rota.triggers.base import Trigger

__all__ = ["main"]

DUE = 1_000
YEARS = timedelta(days=3650)


def make_app(url: str) -> Rota:
    """Make an app whose task does nothing."""
    app = Rota(url, name="bench")

    @app.task
    async def nothing() -> None: ...

    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m bench.schedules", description=__doc__)
    parser.add_argument(
        "what", nargs="?", default="instant", choices=("instant", "steady", "add", "idle", "serve")
    )
    parser.add_argument("--store", default="sqlite", choices=("sqlite", "postgres"))
    parser.add_argument("--stored", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--url", default="")
    chosen = parser.parse_args(arguments)
    if chosen.what == "serve":
        asyncio.run(serve(make_app(chosen.url), ["scheduler"]))
        return
    with store_url(chosen.store) as url:
        figures = MEASURES[chosen.what](url, chosen)
    print(json.dumps({"what": chosen.what, "store": chosen.store, "stored": chosen.stored, **figures}))


@contextmanager
def store_url(kind: str) -> Iterator[str]:
    """Make a store that syncs every commit."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/rota.db"
        return
    from tests.servers.postgres import PostgresServer

    with PostgresServer(durable=True) as server:
        yield server.create_database()


def instant(url: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """1,000 schedules come due at one instant: when does another connection see their last job?"""
    app = make_app(url)
    add(app, [later(number) for number in range(chosen.stored - DUE)], "far")
    late = []
    with scheduler(url) as process:
        for turn in range(chosen.rounds):
            moment = now() + timedelta(seconds=3)
            trigger = every(days=3650, anchor=moment)
            add(app, [trigger] * DUE, f"due{turn}-")
            late.append(asyncio.run(last_seen(url, moment, DUE * (turn + 1))))
        memory = resident(process.pid)
    app.close()
    return {"last_job_ms": [round(one * 1000, 1) for one in late], "scheduler_mb": memory}


def steady(url: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """1,000 ticks a second by schedules of all phases."""
    app = make_app(url)
    count = max(chosen.stored, 10_000)
    period = timedelta(seconds=count / 1000)
    start = now()
    triggers: list[Trigger] = [
        every(seconds=period.total_seconds(), anchor=start + number * period / count)
        for number in range(count)
    ]
    add(app, triggers, "s", overlap="allow")
    with scheduler(url) as process:
        time.sleep(4)  # the first seconds catch up with what came due while they were stored
        spent = cpu(process.pid)
        begin = now()
        time.sleep(chosen.seconds)
        spent = cpu(process.pid) - spent
        memory = resident(process.pid)
        end = now()
    late = app.connection.run("late", lambda store: lateness(store, begin, end))
    app.close()
    return {
        "ticks_per_s": round(len(late) / chosen.seconds),
        "p50_ms": round(median(late) * 1000, 1),
        "p99_ms": round(quantiles(late, n=100)[98] * 1000, 1),
        "max_ms": round(max(late) * 1000, 1),
        "cpu_percent": round(100 * spent / chosen.seconds, 1),
        "scheduler_mb": memory,
    }


def bulk(url: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """How many schedules a second are added."""
    app = make_app(url)
    app.schedules.list()
    triggers = [later(number) for number in range(chosen.stored)]
    seconds = [time.perf_counter()]
    records = [app.schedules.make("nothing", one, id=f"far{place}") for place, one in enumerate(triggers)]
    seconds.append(time.perf_counter())
    app.schedules.add_many(records)
    seconds.append(time.perf_counter())
    app.schedules.add_many(records)
    seconds.append(time.perf_counter())
    app.close()
    rates = [round(chosen.stored / (end - begin)) for begin, end in pairwise(seconds)]
    return dict(zip(("made_per_s", "added_per_s", "unchanged_per_s"), rates, strict=True))


def idle(url: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """What a scheduler costs that has nothing to do."""
    app = make_app(url)
    add(app, [later(number) for number in range(chosen.stored)], "far")
    app.close()
    with scheduler(url) as process:
        time.sleep(3)
        spent = cpu(process.pid)
        time.sleep(chosen.seconds)
        spent = cpu(process.pid) - spent
        return {"cpu_percent": round(100 * spent / chosen.seconds, 2), "scheduler_mb": resident(process.pid)}


MEASURES = {"instant": instant, "steady": steady, "add": bulk, "idle": idle}


def now() -> datetime:
    """Return the moment."""
    return datetime.now(UTC)


def later(number: int) -> Trigger:
    """Return a trigger whose first moment is far away."""
    return every(days=3650, anchor=now() + timedelta(days=1, seconds=number))


def add(app: Rota, triggers: Sequence[Trigger], prefix: str, **policies: Any) -> None:
    """Store schedules."""
    records: list[ScheduleRecord] = [
        app.schedules.make("nothing", trigger, id=f"{prefix}{number}", **policies)
        for number, trigger in enumerate(triggers)
    ]
    app.schedules.add_many(records)


@contextmanager
def scheduler(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a scheduler process."""
    command = [sys.executable, "-m", "bench.schedules", "serve", "--url", url]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    time.sleep(2)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


async def last_seen(url: str, moment: datetime, wanted: int) -> float:
    """Return how long after a moment so many jobs are there for a connection of one's own."""
    app = make_app(url)
    store = app.make_store()
    await store.open()
    try:
        await asyncio.sleep(max(0.0, (moment - now()).total_seconds() - 0.02))
        while sum(one.count for one in await store.insight.counts()) < wanted:
            if now() - moment > timedelta(seconds=30):
                raise RuntimeError("the jobs did not come")
            await asyncio.sleep(0.001)
        return (now() - moment).total_seconds()
    finally:
        await store.close()


async def lateness(store: Store, begin: datetime, end: datetime) -> list[float]:
    """Return how late each tick of a stretch of time was, in seconds."""
    late: list[float] = []
    for schedule in await store.schedules.list():
        ticks = await store.schedules.ticks(schedule.id, limit=100)
        late += [(tick.fired_at - tick.due).total_seconds() for tick in ticks if begin <= tick.due < end]
    return late


def resident(pid: int) -> float:
    """Return a process's memory in megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def cpu(pid: int) -> float:
    """Return the seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
