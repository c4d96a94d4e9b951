"""Promise 8: an idle worker costs next to nothing, by the database's counters and the system's."""

import os
import time
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.cli.commands import UserFolder

pytestmark = pytest.mark.timeout(180)

APP = """
from rota import Rota

app = Rota()


@app.task
async def send(to: str) -> str:
    return to


if __name__ == "__main__":
    app.cli()
"""
MEGABYTE = 1024 * 1024
TICKS = os.sysconf("SC_CLK_TCK")
# A session of PostgreSQL that falls idle reports its counters up to 10 s late; before that comes the start.
REST = 14


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid: int) -> int:
    """Bytes of memory that a process holds (proc(5))."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(params=["postgres", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/rota.db"
    address: str = request.getfixturevalue("postgres_url")
    return address


def transactions(url: str) -> int:
    """Transactions of a database so far, by its own counters; asked from another database, to count none."""
    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        row = connection.execute(
            "select xact_commit + xact_rollback from pg_stat_database where datname = %s", [name]
        ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("span", [20, pytest.param(60, marks=pytest.mark.soak)])
def test_an_idle_worker_costs_next_to_nothing(tmp_path: Path, url: str, span: int) -> None:
    folder = UserFolder(tmp_path, url)
    folder.write(APP)
    with folder.started("worker") as worker:
        worker.wait_for(" serves ")
        time.sleep(REST)  # until the start is counted
        counts = url.startswith("postgresql")
        before, busy = transactions(url) if counts else 0, cpu_seconds(worker.pid)
        time.sleep(span)  # idle
        made = (transactions(url) if counts else 0) - before
        assert made <= span, f"{made} transactions in {span} s"
        assert made > 0 or not counts
        assert (cpu_seconds(worker.pid) - busy) / span < 0.01
        assert resident(worker.pid) < 60 * MEGABYTE
        assert worker.stop() == 0
