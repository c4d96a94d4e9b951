"""`rota db export` and `rota db import`, as a person types them."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.cli.commands import ROTA, UserFolder
from tests.tooling.terminal import in_terminal

APP = """
from rota import Rota

app = Rota()

@app.task
def work(number: int) -> int:
    return number

if __name__ == "__main__":
    app.cli()
"""


@pytest.fixture
def filled(folder: UserFolder) -> UserFolder:
    folder.write(APP)
    folder.code("from main import work; work.enqueue_many([(n,) for n in range(1500)])")
    return folder


def test_from_sqlite_to_postgresql_and_back(filled: UserFolder, postgres_url: str) -> None:
    done = filled.rota("db", "export", "all.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "exported 1,500 records (1,500 job)\n"
    assert (filled.path / "all.jsonl").stat().st_mode & 0o777 == 0o600
    assert filled.json("db", "import", "all.jsonl", "--url", postgres_url) == {"imported": {"job": 1500}}
    back = f"sqlite:///{filled.path}/back.db"
    pipe = f"{ROTA} db export - --url {postgres_url} | {ROTA} db import - --url {back}"
    piped = subprocess.run(
        ["/bin/sh", "-c", pipe],
        cwd=filled.path,
        env=filled.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert piped.stdout == "imported 1,500 records (1,500 job)\n"
    assert filled.json("db", "export", "back.jsonl", "--url", back) == {"exported": {"job": 1500}}
    assert lines(filled.path / "back.jsonl") == lines(filled.path / "all.jsonl")
    assert lines(filled.path / "all.jsonl")[0].startswith('{"job":{')


def lines(file: Path) -> list[str]:
    """Return all lines but the title."""
    title, *records = file.read_text().splitlines()
    assert json.loads(title)["rota"] == "export"
    return records


def test_a_store_that_is_not_empty_is_refused(filled: UserFolder) -> None:
    assert filled.rota("db", "export", "all.jsonl").returncode == 0
    done = filled.rota("db", "import", "all.jsonl")
    assert done.returncode == 1
    assert "the store is not empty: it holds records of kind job" in done.stderr


def test_a_damaged_file_is_refused_by_its_line(filled: UserFolder) -> None:
    assert filled.rota("db", "export", "all.jsonl").returncode == 0
    whole = (filled.path / "all.jsonl").read_bytes()
    (filled.path / "cut.jsonl").write_bytes(whole[:-100])
    done = filled.rota("db", "import", "cut.jsonl", "--url", "sqlite:///other.db")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: line 1501: the record is damaged")
    assert filled.json("jobs", "list", "--url", "sqlite:///other.db")["jobs"] == []
    done = filled.rota("db", "import", "main.py", "--url", "sqlite:///other.db")
    assert "line 1: this is no export of Rota" in done.stderr


def test_what_cannot_be_read_or_written_is_named(filled: UserFolder) -> None:
    done = filled.rota("db", "import", "nowhere.jsonl", "--url", "sqlite:///new.db")
    assert (done.returncode, done.stderr) == (
        1,
        "Error: nowhere.jsonl cannot be read: No such file or directory\n",
    )
    assert not (filled.path / "new.db").exists()
    done = filled.rota("db", "export", "nowhere/all.jsonl")
    assert done.returncode == 1
    assert "nowhere/all.jsonl cannot be written" in done.stderr
    done = filled.rota("db", "export", "all.jsonl", "--url", "sqlite:///mistyped.db")
    assert done.returncode == 1
    assert "holds no Rota yet" in done.stderr


def test_an_export_that_fails_leaves_the_last_one(filled: UserFolder) -> None:
    (filled.path / "all.jsonl").write_text("yesterday's")
    limit = f"ulimit -f 100; exec {ROTA} db export all.jsonl"
    done = subprocess.run(
        ["/bin/sh", "-c", limit], cwd=filled.path, env=filled.environment, capture_output=True, check=False
    )
    assert done.returncode != 0
    assert b"all.jsonl cannot be written: File too large" in done.stderr
    assert (filled.path / "all.jsonl").read_text() == "yesterday's"
    assert not (filled.path / "all.jsonl.part").exists()


CLAIM = """
from datetime import timedelta
from main import app
from rota.model.ids import new_id
from rota.model.job import ClaimRequest

request = ClaimRequest(owner=new_id(), queues=("default",), limits={"thread": 2}, lease=timedelta(hours=1))
app.connection.run("claim", lambda store: store.jobs.claim(request))
app.close()
"""


def test_running_jobs_are_told(filled: UserFolder) -> None:
    filled.code(CLAIM)
    done = filled.rota("db", "export", "-")
    assert done.returncode == 0
    assert "Warning: 2 jobs were running. Wherever this is imported they run (again)" in done.stderr
    assert "exported 1,500 records" in done.stderr
    assert len(done.stdout.splitlines()) == 1501


def test_a_person_sees_a_bar(filled: UserFolder) -> None:
    """And no file on the terminal."""
    done = in_terminal([ROTA, "db", "export", "all.jsonl"], word="never", keys="", folder=filled.path)
    assert done.returncode == 0
    assert "1500/1500" in done.stdout
    assert "exported 1,500 records" in done.stdout
    refused = in_terminal([ROTA, "db", "export", "-"], word="never", keys="", folder=filled.path)
    assert refused.returncode == 2
    assert "give a FILE, or a pipe" in refused.stdout
