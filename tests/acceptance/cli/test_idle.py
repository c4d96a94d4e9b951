"""Promise 8: an idle worker costs next to nothing, by the database's counters and the system's."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.cli.commands import UserFolder
from tests.servers.postgres import PostgresServer

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
A_MINUTE = 60


def family(pid: int) -> list[int]:
    """A process and those that it started: a worker's parent waits beside it, to start it again."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of processes so far (proc(5))."""
    stats = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids)
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / TICKS


def memory(pids: list[int]) -> int:
    """Bytes that processes hold; of what several share, each counts its part (proc(5), `Pss`)."""
    rolled = (Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids)
    return sum(int(re.findall(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)[0]) * 1024 for text in rolled)


@pytest.fixture(params=["postgres", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path, span: int) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/rota.db"
        return
    # Once a minute the server looks after a database by a dozen transactions: too many for a short span.
    with PostgresServer(options={"autovacuum": "off"} if span < A_MINUTE else {}) as server:
        yield server.create_database()


def transactions(url: str) -> int:
    """Transactions of a database so far, by its own counters; asked from another database, to count none."""
    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        row = connection.execute(
            "select xact_commit + xact_rollback from pg_stat_database where datname = %s", [name]
        ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("span", [20, pytest.param(A_MINUTE, marks=pytest.mark.soak)])
def test_an_idle_worker_costs_next_to_nothing(tmp_path: Path, url: str, span: int) -> None:
    folder = UserFolder(tmp_path, url)
    folder.write(APP)
    with folder.started("worker") as worker:
        worker.wait_for(" serves ")
        time.sleep(REST)  # until the start is counted
        counts = url.startswith("postgresql")
        pids = family(worker.pid)
        before, busy = transactions(url) if counts else 0, cpu_seconds(pids)
        time.sleep(span)  # idle
        made = (transactions(url) if counts else 0) - before
        assert made <= span, f"{made} transactions in {span} s"
        assert made > 0 or not counts
        assert (cpu_seconds(pids) - busy) / span < 0.01
        assert memory(pids) < 60 * MEGABYTE
        assert worker.stop() == 0
