"""Thousands of jobs while processes of every role are killed: none lost, none twice, all explained."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.judging import Report, judge
from tests.chaos.seeds import drawn_seed
from tests.chaos.torment import Torment
from tests.servers.postgres import PostgresServer

BATCHES = int(os.environ.get("ROTA_CHAOS_BATCHES", "100"))
KILLS = int(os.environ.get("ROTA_CHAOS_KILLS", "100"))
SECONDS = float(os.environ.get("ROTA_CHAOS_SECONDS", "900"))
REPORTS = Path(os.environ.get("ROTA_CHAOS_REPORTS", "docs/reports"))

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("chaos")]
STORES = pytest.mark.parametrize("store", ["sqlite", "postgres"])


@pytest.fixture(scope="module")
def durable_server() -> Iterator[PostgresServer]:
    with PostgresServer(durable=True) as server:
        yield server


@pytest.fixture
def url(store: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that survives what it says it survives."""
    if store == "sqlite":
        return f"sqlite:///{tmp_path}/rota.db"
    server: PostgresServer = request.getfixturevalue("durable_server")
    return server.create_database()


@STORES
@pytest.mark.timeout(600)
def test_kills_in_every_phase(url: str, tmp_path: Path) -> None:
    seed = drawn_seed()
    torment = Torment(url, tmp_path, seed, kills=KILLS, batches=BATCHES)
    report = judged(torment, url, tmp_path, seed)

    for phase in ("claim", "run", "finish", "submit", "tick"):
        assert any(phase in kill for kill in report.kills), f"no kill in {phase}\n{report}"


@pytest.mark.soak
@STORES
def test_kills_for_long(url: str, tmp_path: Path) -> None:
    seed = drawn_seed()
    torment = Torment(url, tmp_path, seed, kills=KILLS, seconds=SECONDS)
    report = judged(torment, url, tmp_path, seed)

    REPORTS.mkdir(parents=True, exist_ok=True)
    (REPORTS / f"chaos-{report.store}.json").write_text(f"{report}\n")


def judged(torment: Torment, url: str, folder: Path, seed: int) -> Report:
    """Run it, and expect nothing wrong."""
    torment.run()
    torment.app.connection.close()
    report = judge(torment, url, folder, seed)
    print(report)  # noqa: T201 - the report, with -s
    assert report.faults == (), f"replay with ROTA_CHAOS_SEED={seed}\n{report}"
    assert sum(report.kills.values()) >= KILLS
    return report
