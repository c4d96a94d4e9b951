"""Upgrades while an old worker runs: it goes on, loses nothing and repeats nothing."""

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rota.stores.sqlite.schema import migrations
from tests.acceptance.cli.commands import UserFolder

RELEASE = str(Path(__file__).with_name("next_release.py"))
NEWEST = migrations()[-1].number

APP = """
import os
import time
from rota import Rota

app = Rota()
ledger = os.open("ledger", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

@app.task
def work(number: int) -> None:
    os.write(ledger, f"{number}\\n".encode())
    if number % 50 == 0:
        print("at", number, "of", os.getpid(), flush=True)
    time.sleep(0.002)  # the work itself

if __name__ == "__main__":
    app.cli()
"""

# What a next release might bring, for each store.
MORE = {
    f"{NEWEST + 1:04}_notes.pre.sql": """-- oldest: 1
alter table {schema}jobs add column note text not null default 'none';
create table {schema}notes (job {id} primary key, note text not null);
""",
    f"{NEWEST + 2:04}_find_notes.pre.sql": """-- oldest: 1
{apart}create index {concurrently}jobs_note on {schema}jobs (note);
""",
    f"{NEWEST + 3:04}_no_notes.post.sql": """-- oldest: LAST
drop table {schema}notes;
""".replace("LAST", str(NEWEST + 3)),
}
PRE, POST = list(MORE)[:2], list(MORE)[2:]


@pytest.fixture(params=["sqlite", "postgres"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> UserFolder:
    """An app with a queue of work, on the schema of this release, and the migrations of the next."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    folder = UserFolder(tmp_path, url)
    folder.write(APP)
    for store, words in {
        "sqlite": {"{schema}": "", "{id}": "blob", "{apart}": "", "{concurrently}": ""},
        "postgres": {
            "{schema}": "{schema}.",
            "{id}": "uuid",
            "{apart}": "-- apart\n",
            "{concurrently}": "concurrently ",
        },
    }.items():
        (tmp_path / "next" / store).mkdir(parents=True)
        for name, sql in MORE.items():
            text = sql
            for word, value in words.items():
                text = text.replace(word, value)
            (tmp_path / "next" / store / name).write_text(text)
    return folder


def begin_upgrade(folder: UserFolder, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, RELEASE, "next", "db", "upgrade", "--json", *words],
        cwd=folder.path, env=folder.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def applied(process: subprocess.Popen[str]) -> list[str]:
    out, error = process.communicate(timeout=40)
    assert process.returncode == 0, error
    names: list[str] = json.loads(out)["applied"]
    return names


def upgrade(folder: UserFolder, *words: str) -> list[str]:
    return applied(begin_upgrade(folder, *words))


def enqueue(folder: UserFolder, start: int, end: int) -> None:
    folder.code(f"from main import work; work.enqueue_many([(n,) for n in range({start}, {end})])")


def notes(folder: UserFolder) -> Counter[Any]:
    """Return the new column of all live jobs."""
    url = folder.environment.get("ROTA_URL")
    if url is None:
        with closing(sqlite3.connect(folder.path / "rota.db")) as lite:
            return Counter(lite.execute("select note from jobs").fetchall())
    with psycopg.connect(url) as connection:
        return Counter(connection.execute("select note from rota.jobs").fetchall())


@pytest.mark.timeout(120)
def test_an_old_worker_goes_on_through_an_upgrade(folder: UserFolder) -> None:
    enqueue(folder, 0, 400)
    with folder.started("worker") as old:
        old.wait_for("at 50 ")
        two = [begin_upgrade(folder), begin_upgrade(folder)]
        assert sorted(name for one in two for name in applied(one)) == PRE
        assert upgrade(folder) == []
        done = (folder.path / "ledger").read_text().count("\n")
        enqueue(folder, 400, 551)  # by old code, on the new schema
        old.wait_for("at 550")
        assert old.stop() == 0
    enqueue(folder, 551, 553)
    assert notes(folder) == {("none",): 2}
    assert done < 551, "the worker had nothing left to do: the upgrade proves nothing"
    ledger = Counter(map(int, (folder.path / "ledger").read_text().split()))
    assert ledger == Counter(range(551))
    states = {(row["state"], row["count"]) for row in folder.json("jobs", "stats")["counts"]}
    assert states == {("succeeded", 551), ("ready", 2)}


def test_what_takes_away_is_asked_for_and_then_old_code_is_refused(folder: UserFolder) -> None:
    enqueue(folder, 0, 1)
    assert upgrade(folder) == PRE
    assert folder.rota("jobs", "list").returncode == 0
    assert upgrade(folder, "--post") == POST
    for words in (("db", "upgrade"), ("worker", "main:app")):
        done = folder.rota(*words)
        assert done.returncode == 1
        assert f"the store has schema version {NEWEST + 3} and this Rota needs {NEWEST}" in done.stderr
        assert "newer" in done.stderr
    assert "upgrade rota" in folder.rota("db", "check").stdout


def test_two_make_a_fresh_store_at_once(folder: UserFolder) -> None:
    two = [begin_upgrade(folder, "--post"), begin_upgrade(folder, "--post")]
    names = [name for one in two for name in applied(one)]
    assert sorted(names) == [one.name for one in migrations()] + PRE + POST
    assert upgrade(folder, "--post") == []
