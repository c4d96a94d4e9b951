"""Query plans: hot statements read their own partial index, whatever else is in the tables."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rota.stores.sqlite import SqliteStore
from rota.stores.sqlite.columns import statements
from rota.stores.sqlite.connection import connect
from rota.testing.conformance.scene import HOUR, a_job

MANY = 20_000

# By which index each statement finds its jobs.
INDEXES = {
    "claim": "jobs_ready",
    "promote": "jobs_scheduled",
    "awaken": "jobs_wake_at",
    "overdue": "jobs_expires",
    "lapsed": "jobs_lease",
    "release": "jobs_held",
    "held_reasons": "jobs_held",
    "resume_by_key": "jobs_wake_key",
    "count_children": "jobs_parent",
}
# These look at all live jobs, since that is what is asked: by people, not on the way of a job.
LOOKS_AT_ALL = {
    *("counts", "queues", "live_jobs", "live"),
    *("stray_jobs", "inspect_slots", "inspect_twins", "count_slots", "export_live"),  # by hand, of everything
}


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with many jobs that may not run now, and some that may."""
    path = tmp_path_factory.mktemp("plans") / "rota.db"
    store = SqliteStore(path)
    store.submit_now([a_job(delay=HOUR) for _ in range(MANY)])
    store.submit_now([a_job(queue="other") for _ in range(MANY)])
    store.submit_now([a_job() for _ in range(100)])
    store._synchronous.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        columns = "queue, executor, task, rank, share, codec, payload, submitted_at"
        connection.execute(
            f"insert into history (id, {columns}, state, attempt, crashes, cancel_requested, finished_at) "  # noqa: S608
            f"select randomblob(16), {columns}, 'succeeded', 1, 0, 0, 0 from jobs"
        )
    return path


@pytest.fixture(params=[False, True], ids=["fresh", "analyzed"])
def connection(crowded: Path, request: pytest.FixtureRequest) -> Iterator[sqlite3.Connection]:
    with closing(connect(crowded, "full")) as one:
        if request.param:
            one.execute("analyze")
        yield one


def plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    sql = statements()[statement].replace("{where}", "true")
    return [row[3] for row in connection.execute(f"explain query plan {sql}", Anything())]


class Anything(dict[str, object]):
    """Parameters by any name: a plan does not depend on them."""

    def __missing__(self, name: str) -> object:
        return None


def named(names: list[str]) -> list[str]:
    """Return those statements whose parameters are named, as all but those of plans are."""
    return [name for name in names if "?1" not in statements()[name] and not name.startswith("where_")]


@pytest.mark.parametrize(("statement", "index"), INDEXES.items())
def test_a_hot_statement_reads_its_index_in_order(
    connection: sqlite3.Connection, statement: str, index: str
) -> None:
    steps = plan(connection, statement)
    assert any(f"INDEX {index}" in step for step in steps), steps
    assert not [step for step in steps if "TEMP B-TREE" in step]


@pytest.mark.parametrize("statement", sorted(set(named(list(statements()))) - LOOKS_AT_ALL))
def test_no_statement_walks_the_live_jobs(connection: sqlite3.Connection, statement: str) -> None:
    walks = ("SCAN jobs", "SCAN history", "SCAN dead")
    steps = plan(connection, statement)
    found = [step for step in steps if step in walks]
    # Oldest first, up to a limit, is no walk.
    if statement not in {
        "old_history",
        "old_dead",
        "redrive_dead",
        "redrive_history",
        "dead",
        "history",
        "faults",
    }:
        assert found == [], steps


def test_the_claim_probes_as_often_as_it_takes(connection: sqlite3.Connection) -> None:
    """What may not run is not looked at: the work of a claim is that of its rows."""
    steps: list[int] = []
    connection.set_progress_handler(lambda: steps.append(1), 10)  # None: go on
    values = dict.fromkeys(("token", "lease_until", "now"), 0) | {"owner": b"", "limit": 10}
    values |= {"queue": "default", "executor": "async"}
    connection.execute("begin")
    assert len(connection.execute(statements()["claim"], values).fetchall()) == 10
    connection.execute("rollback")
    assert len(steps) < 500
