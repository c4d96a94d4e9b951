"""The demo as a newcomer starts it: by one command in an empty directory."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.tooling.terminal import CTRL_C, in_terminal

ROTA = [str(Path(sys.executable).with_name("rota"))]
ONCE = [*ROTA, "demo", "--once"]
PATIENCE = 60


@pytest.fixture(autouse=True)
def stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ROTA_")]:
        monkeypatch.delenv(name)


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command or ONCE, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.005)  # another process works: its files are all that can be watched


def finished_jobs(folder: Path) -> int:
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(folder / "rota.db")) as db:
        count: int = db.execute("SELECT count(*) FROM history").fetchone()[0]
        return count
    return 0


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    done = run(tmp_path_factory.mktemp("expected"))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.timeout(120)
def test_it_says_the_same_each_time(tmp_path: Path, expected: str) -> None:
    for _ in range(2):
        done = run(tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")
    assert expected.endswith("\ndemo finished\n")


@pytest.mark.timeout(120)
def test_a_killed_one_goes_on_and_says_the_same(tmp_path: Path, expected: str) -> None:
    for jobs in (3, 29):  # while it reads, and while it builds tables
        with subprocess.Popen(ONCE, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as victim:
            wait_for(lambda jobs=jobs: finished_jobs(tmp_path) >= jobs)  # type: ignore[misc]  # a bound default
            victim.send_signal(signal.SIGKILL)
            assert "demo finished" not in victim.communicate()[0]

    done = run(tmp_path)

    assert (done.returncode, done.stdout) == (0, expected)


def test_run_without_an_app_shows_it_and_serves_on(tmp_path: Path, expected: str) -> None:
    output = tmp_path / "output"
    with output.open("w") as out, subprocess.Popen([*ROTA, "run"], cwd=tmp_path, stdout=out) as server:
        wait_for(lambda: "demo finished" in output.read_text())
        assert server.poll() is None
        assert "demo-summer-time" in run(tmp_path, *ROTA, "schedules", "list").stdout
        server.send_signal(signal.SIGINT)
        assert server.wait(PATIENCE) == 0

    assert expected in output.read_text()


def test_on_a_terminal_it_shows_bars_until_ctrl_c(tmp_path: Path) -> None:
    done = in_terminal([*ROTA, "run"], word="demo finished", keys=CTRL_C, folder=tmp_path, timeout=PATIENCE)

    assert done.returncode == 0
    assert "reading zones" in done.stdout
    assert "━" in done.stdout
    assert "█" in done.stdout


def test_on_postgresql_it_says_the_same(tmp_path: Path, expected: str, postgres_url: str) -> None:
    done = run(tmp_path, *ONCE, "--url", postgres_url)

    assert (done.returncode, done.stdout) == (0, expected)
    assert not (tmp_path / "rota.db").exists()


def test_two_at_once_in_one_folder_say_the_same(tmp_path: Path, expected: str) -> None:
    both = [subprocess.Popen(ONCE, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    assert [(one.communicate(timeout=PATIENCE)[0], one.returncode) for one in both] == [(expected, 0)] * 2


def test_a_report_that_was_interrupted_is_no_success(tmp_path: Path) -> None:
    with subprocess.Popen(ONCE, cwd=tmp_path, stdout=subprocess.DEVNULL) as victim:
        wait_for(lambda: finished_jobs(tmp_path) > 0)
        victim.send_signal(signal.SIGINT)
        assert victim.wait(PATIENCE) == 1


def test_a_demo_that_cannot_write_says_why_and_ends(tmp_path: Path) -> None:
    (tmp_path / "rota-demo.db").write_text("something else, and long enough to be taken for a database" * 20)

    done = run(tmp_path)

    assert done.returncode == 1
    assert "file is not a database" in done.stdout


def test_afterwards_its_jobs_can_be_looked_at_and_nothing_ticks(tmp_path: Path) -> None:
    assert run(tmp_path).returncode == 0

    jobs = run(tmp_path, *ROTA, "jobs", "list", "--limit", "100")
    schedules = run(tmp_path, *ROTA, "schedules", "list", "--json")

    assert jobs.stdout.count("read_zones") == 26
    assert json.loads(schedules.stdout) == {"schedules": []}
