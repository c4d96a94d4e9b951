"""20,000 jobs while workers are killed in every phase: none lost, none finished twice, all explained."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from rota import Rota
from rota.model.job import JobFilter, JobRecord
from rota.model.states import State
from tests.chaos.checker import Finish, check
from tests.chaos.ledger import Ledger
from tests.chaos.victim import make_app
from tests.servers.postgres import PostgresServer

JOBS = int(os.environ.get("ROTA_CHAOS_JOBS", "20000"))
KILLS = int(os.environ.get("ROTA_CHAOS_KILLS", "100"))
WORKERS = 3
DEADLINE = 240
PAGE = 1000

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(DEADLINE + 120), pytest.mark.xdist_group("chaos")]


@pytest.fixture(scope="module")
def durable_server() -> Iterator[PostgresServer]:
    with PostgresServer(durable=True) as server:
        yield server


def test_sqlite(tmp_path: Path) -> None:
    run(f"sqlite:///{tmp_path}/rota.db", tmp_path)


def test_postgres(durable_server: PostgresServer, tmp_path: Path) -> None:
    run(durable_server.create_database(), tmp_path)


def run(url: str, folder: Path) -> None:
    seed = int(os.environ.get("ROTA_CHAOS_SEED", random.SystemRandom().randrange(10**6)))
    print(f"replay with ROTA_CHAOS_SEED={seed}")  # noqa: T201 - shown when the test fails
    app = make_app(url, folder, lambda _phase: None)
    durations = random.Random(seed)
    task = app.tasks["work"]
    jobs = [
        str(job.id)
        for _ in range(JOBS // PAGE)
        for job in task.enqueue_many([(durations.randint(5, 200),) for _ in range(PAGE)])
    ]
    ledger = Ledger(folder)
    torment(app, url, folder, seed, ledger)
    verdict = check(jobs, finished(app), ledger.lines(), ledger.deaths())
    app.close()
    print(verdict)  # noqa: T201 - the report, with -s
    assert verdict.faults == (), f"seed {seed}\n{verdict}"
    assert sum(verdict.deaths.values()) >= KILLS, f"seed {seed}\n{verdict}"
    assert len(verdict.deaths) == 5, f"seed {seed}\n{verdict}"


def torment(app: Rota, url: str, folder: Path, seed: int, ledger: Ledger) -> None:
    """Keep workers running, each doomed, until enough have died; then let undoomed ones finish the rest."""
    ends = time.monotonic() + DEADLINE
    workers: list[subprocess.Popen[bytes]] = []
    started = 0
    try:
        while unfinished(app):
            assert time.monotonic() < ends, (
                f"not done in {DEADLINE} s, seed {seed}, {unfinished(app)} jobs left"
            )
            workers = [worker for worker in workers if worker.poll() is None]
            while len(workers) < WORKERS:
                doomed = started if len(ledger.deaths()) < KILLS + WORKERS else None
                workers.append(start(url, folder, seed, doomed))
                started += 1
            time.sleep(0.05)  # between looks at processes that end by themselves
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        codes = [worker.wait(timeout=20) for worker in workers]
    assert all(code in {0, -signal.SIGKILL} for code in codes), codes


def start(url: str, folder: Path, seed: int, doomed: int | None) -> subprocess.Popen[bytes]:
    arguments = [
        "tests.chaos.victim",
        url,
        str(folder),
        str(seed * 1000 * 5 + doomed if doomed is not None else -1),
    ]
    return subprocess.Popen([sys.executable, "-m", *arguments])


def unfinished(app: Rota) -> int:
    counts = app.connection.run("counts", lambda store: store.insight.counts())
    return JOBS - sum(row.count for row in counts if row.state is State.SUCCEEDED)


def finished(app: Rota) -> dict[str, Finish]:
    found: dict[str, Finish] = {}
    before = None
    while True:
        page = page_of_jobs(app, before)
        if not page:
            return found
        found.update({str(job.id): Finish(str(job.state), job.token or 0) for job in page if job.finished_at})
        before = page[-1].id


def page_of_jobs(app: Rota, before: UUID | None) -> list[JobRecord]:
    return app.connection.run(
        "jobs", lambda store: store.insight.jobs(JobFilter(), limit=PAGE, before=before)
    )
