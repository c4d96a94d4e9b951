"""Four schedulers over one store, killed with -9 and restarted at random: every moment runs, once."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cronsim import CronSim

from rota import Rota
from rota.model.schedule import ScheduleRecord
from rota.model.states import LIVE
from rota.operations import history
from tests.chaos.ticker import LINES, Fired, definitions, make_app, read
from tests.servers.postgres import PostgresServer

SCHEDULERS = 4
PATIENCE = 90
SCHEDULES = int(os.environ.get("ROTA_TICK_SCHEDULES", "200"))
SECONDS = float(os.environ.get("ROTA_TICK_SECONDS", "8"))

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300), pytest.mark.xdist_group("chaos")]


@pytest.fixture(scope="module")
def durable_server() -> Iterator[PostgresServer]:
    with PostgresServer(durable=True) as server:
        yield server


def test_sqlite(tmp_path: Path) -> None:
    run(f"sqlite:///{tmp_path}/rota.db", tmp_path, SCHEDULES, SECONDS)


def test_postgres(durable_server: PostgresServer, tmp_path: Path) -> None:
    run(durable_server.create_database(), tmp_path, SCHEDULES, SECONDS)


@pytest.mark.soak
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_long(store: str, durable_server: PostgresServer, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/rota.db" if store == "sqlite" else durable_server.create_database()
    run(url, tmp_path, 1000, 60.0)


def run(url: str, folder: Path, number: int, seconds: float) -> None:
    seed = int(os.environ.get("ROTA_CHAOS_SEED", random.SystemRandom().randrange(10**6)))
    print(f"replay with ROTA_CHAOS_SEED={seed}")  # noqa: T201 - shown when the test fails
    app = make_app(url, folder)
    app.schedules.add_many(definitions(app, number))
    first = {one.id: one.next_at for one in app.schedules.list()}
    wanted = int(number * seconds / 10)
    kills = torment(app, folder, seconds, wanted, random.Random(seed))
    # All have stopped: what is due by now is not fired, what has been fired is in the ledger.
    handled = app.schedules.list()
    fired = settled(app, url, folder)
    faults = compare(fired, handled, first)
    since = datetime.now(UTC) - timedelta(hours=1)
    found = [one for each in handled for one in verify(app, each.id, since)]
    app.close()
    print(f"{len(fired)} ticks, {kills} kills")  # noqa: T201 - the report, with -s
    assert faults == [], f"seed {seed}"
    assert found == [], f"seed {seed}"
    assert kills >= seconds / 2, f"seed {seed}"
    assert len(fired) >= wanted, f"seed {seed}"


def torment(app: Rota, folder: Path, seconds: float, wanted: int, draw: random.Random) -> int:
    """Keep schedulers running, and kill one after a while, again and again; returns how many were killed.

    It goes on until enough has been fired: on a busy machine a scheduler may be killed before it has started.
    """
    ends = time.monotonic() + seconds
    running: list[subprocess.Popen[bytes]] = []
    kills = 0
    try:
        while time.monotonic() < ends or unfinished(app) < wanted:
            assert time.monotonic() < ends + PATIENCE, "hardly anything is fired"
            running += [
                start(app.settings.url, folder, "scheduler") for _ in range(SCHEDULERS - len(running))
            ]
            time.sleep(draw.uniform(0.3, 1.3))  # the moment of a kill: anywhere in a scheduler's cycle
            victim = running.pop(draw.randrange(SCHEDULERS))
            assert victim.poll() is None, "a scheduler ended by itself"
            victim.kill()
            victim.wait(10)
            kills += 1
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(20) for process in running]
    # One that was told to stop while it was starting has no handler yet.
    assert all(code in {0, -signal.SIGTERM} for code in codes), codes
    return kills


def start(url: str, folder: Path, role: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.chaos.ticker", url, str(folder), role])


def settled(app: Rota, url: str, folder: Path) -> list[Fired]:
    """Let a worker run every job; returns what it wrote down."""
    worker = start(url, folder, "worker")
    try:
        ends = time.monotonic() + 120
        while unfinished(app):
            assert time.monotonic() < ends
            time.sleep(0.1)  # between looks at another process's work
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(20)
    return read(folder)


def unfinished(app: Rota) -> int:
    counts = app.connection.run("counts", lambda store: store.insight.counts())
    return sum(row.count for row in counts if row.state in LIVE)


def compare(
    fired: list[Fired], schedules: Sequence[ScheduleRecord], first: dict[str, datetime | None]
) -> list[str]:
    """Hold what ran against the moments that libraries, not Rota, compute."""
    ran: dict[str, Counter[datetime]] = {one.id: Counter() for one in schedules}
    for one in fired:
        ran[one.schedule][one.due] += 1
    faults = []
    for schedule in schedules:
        begin, end = first[schedule.id], schedule.next_at
        assert begin is not None
        assert end is not None
        wanted, had = Counter(moments(schedule, begin, end)), ran[schedule.id]
        faults += [f"{schedule.id} lost {moment}" for moment in wanted - had]
        faults += [f"{schedule.id} twice or wrong {moment}" for moment in had - wanted]
    return faults


def moments(schedule: ScheduleRecord, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the moments from `begin` on, before `end`."""
    place = int(schedule.id[1:])
    if place % 2:
        for moment in CronSim(LINES[place // 2 % len(LINES)], begin - timedelta(seconds=1)):
            if moment >= end:
                return
            yield moment
        return
    period = timedelta(milliseconds=1500 + place) if place % 4 else timedelta(seconds=3)
    moment = begin
    while moment < end:
        yield moment
        moment += period


def verify(app: Rota, schedule: str, since: datetime) -> list[history.Finding]:
    return app.connection.run("verify", lambda store: history.verify(store, schedule, since))
