"""Processes that fork, and tasks that run in processes, as a user's own program has them."""

import subprocess
import sys
from pathlib import Path

import pytest

from rota.settings import Settings

MAIN = """
import os, sys, time
from rota import Rota, current

app = Rota({url!r}, schema={schema!r})


@app.task
def note(who: str) -> str:
    return f"{{who}} in {{os.getpid()}}"


@app.task(executor="process", timeout=3)
def busy(seconds: float) -> str:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        pass
    current().log.info("still here")
    return f"done in {{os.getpid()}}"


if __name__ == "__main__":
    app.cli()
"""

FORKING = """
import os, sys
from main import app, note

first = note.enqueue("parent")
child = os.fork()
if child == 0:
    job = note.enqueue("child")
    os._exit(0 if job.created and job.status() == "ready" and first.status() == "ready" else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
note.enqueue("parent again")

from rota.testing import drain
print(len(drain(app)))
"""

BUSY = """
import os
from main import app, busy, note
from rota import JobFailedError

job = busy.enqueue(0.01)
parent = note.enqueue("x").result(timeout=20).split()[-1]
assert job.result(timeout=20).startswith("done in")
assert job.result().split()[-1] != parent
try:
    busy.enqueue(60).result(timeout=20)
except JobFailedError as error:
    print(error.kind)
assert busy.enqueue(0.01).result(timeout=20)
"""


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    (tmp_path / "main.py").write_text(MAIN.format(url=settings.url, schema=settings.schema))
    return tmp_path


def python(folder: Path, program: str) -> str:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_app_that_was_used_before_a_fork_works_on_both_sides(folder: Path) -> None:
    assert python(folder, FORKING) == "3\n"


def test_a_task_in_a_process_is_killed_at_its_timeout(folder: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "main.py", "worker"], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    try:
        assert python(folder, BUSY) == "TimeoutError\n"
    finally:
        worker.terminate()
        _, errors = worker.communicate(timeout=20)
    assert worker.returncode == 0, errors
