"""The fixtures for pytest, in a run of their own."""

import subprocess
import sys
from pathlib import Path

import pytest

APP = """
from rota import Rota, every

app = Rota()
ran = []

@app.task
def work(name: str) -> str:
    ran.append(name)
    return name

@app.schedule(every(hours=1), id="hourly")
def hourly() -> None:
    ran.append("hourly")
"""

TESTS = """
from main import app, ran, work
from rota.testing import drain, enqueued

def test_the_app_is_isolated(rota_app, rota_clock):
    assert rota_app is app
    work.options(delay=60).enqueue("later")
    assert drain(app) == []
    rota_clock.advance(hours=1)
    assert sorted(one.task for one in drain(app)) == ["hourly", "work"]

def test_each_test_begins_anew(rota_app):
    assert enqueued(app) == []

def test_inline(rota_inline):
    assert work.enqueue("now").result() == "now"
    assert len(enqueued(rota_inline)) == 1

async def test_async(rota_app):
    job = await work.enqueue_async("soon")
    assert await job.status_async() == "ready"
"""


@pytest.mark.parametrize("named", [True, False])
def test_fixtures(tmp_path: Path, named: bool) -> None:
    (tmp_path / "main.py").write_text(APP)
    (tmp_path / "test_app.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["rota.testing.plugin"]\n')
    option = "rota_app = main:app\n" if named else ""
    (tmp_path / "pytest.ini").write_text(f"[pytest]\nasyncio_mode = auto\n{option}")

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    assert not (tmp_path / "rota.db").exists()
