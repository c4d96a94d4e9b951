"""`verify` on real stores: what is planted into their tables is found and named, and nothing else."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rota.model.errors import ConfigurationError
from rota.model.schedule import ScheduleChange, ScheduleRecord, Tick
from rota.operations.verify import Verdict, read_ledger, verify
from rota.testing.conformance.scene import FAILED, HOUR, START, Scene, a_job
from tests.integration.operations.conftest import Stores

KEEP = timedelta(days=7)
COLUMNS = (
    "id, queue, executor, task, payload, codec, rank, share, attempt, crashes, cancel_requested, submitted_at"
)


@pytest.fixture
def execute(stores: Stores, scene: Scene) -> Callable[[str], None]:
    """Change the tables behind Rota's back. COLUMNS stands for those that all tables of jobs have."""
    assert scene.store.url == stores.url

    def run(statement: str) -> None:
        if stores.url.startswith("sqlite"):
            with closing(sqlite3.connect(stores.url.removeprefix("sqlite:///"))) as connection, connection:
                connection.execute(statement.replace("one.", "").replace("COLUMNS", COLUMNS))
        else:
            with psycopg.connect(stores.url, autocommit=True) as server:
                server.execute(statement.replace("COLUMNS", f"seq, {COLUMNS}").encode())

    return run


@pytest.fixture
async def town(scene: Scene) -> Scene:
    """A store with something of everything, and nothing wrong."""
    await scene.finish(FAILED)
    await scene.finish()
    await scene.submit(delay=HOUR)
    limited = await scene.run(task="limited", queue="limited")
    await scene.acquire([limited], 2)
    plain: dict[str, Any] = {
        "task": "work",
        "queue": "ticks",
        "executor": "async",
        "options": {},
        "source": "code",
    }
    record = ScheduleRecord(id="nightly", trigger={}, payload=b"{}", next_at=START, **plain)
    assert await scene.store.schedules.put([ScheduleChange(new=record)])
    job = a_job(schedule="nightly", due=START, queue="ticks")
    moments: dict[str, Any] = {"due": START, "at": START, "next_at": None}
    tick = Tick(schedule="nightly", version=1, state="fired", submission=job, **moments)
    assert await scene.store.schedules.fire([tick]) == {"nightly"}
    await scene.submit(queue="free", unique_key="work:ada")
    assert (await verify(scene.store, keep=KEEP)).ok
    return scene


def counts(verdict: Verdict) -> dict[str, int]:
    return dict(verdict.counts)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        pytest.param(
            "insert into one.dead (COLUMNS, state, token, finished_at) "
            "select COLUMNS, 'failed', token, finished_at from one.history",
            {"finished twice": 1},
            id="finished-twice",
        ),
        pytest.param(
            "insert into one.history (COLUMNS, state, token, finished_at) "
            "select COLUMNS, 'succeeded', 7, submitted_at from one.jobs where queue = 'free'",
            {"two places": 1},
            id="two-places",
        ),
        pytest.param(
            "update one.jobs set state = 'succeeded' where queue = 'free'",
            {"state": 1},
            id="state-of-elsewhere",
        ),
        pytest.param("update one.jobs set token = null where state = 'running'", {"claim": 1}, id="no-token"),
        pytest.param("update one.jobs set token = 7 where queue = 'free'", {"claim": 1}, id="token-left"),
        pytest.param("update one.slots set used = used + 1", {"slots": 1}, id="slot-leak"),
        pytest.param("delete from one.slots", {"slots": 1}, id="slot-uncounted"),
        pytest.param(
            "update one.jobs set attempt = 3 where state = 'running'", {"attempts": 1}, id="attempts"
        ),
        pytest.param("update one.history set token = null", {"claim": 1}, id="finish-without-claim"),
        pytest.param("delete from one.jobs where queue = 'ticks'", {"tick": 1}, id="tick-without-job"),
        pytest.param("update one.ticks set job = null", {"tick": 2}, id="tick-that-names-nobody"),
        pytest.param("delete from one.ticks", {"tick": 1}, id="job-without-tick"),
        pytest.param(
            "update one.jobs set run_at = null where state = 'scheduled'", {"state": 1}, id="never-due"
        ),
        pytest.param(
            "update one.jobs set children = 2 where queue = 'free'", {"children": 1}, id="no-children"
        ),
    ],
)
async def test_a_planted_fault_is_found(
    town: Scene, execute: Callable[[str], None], statement: str, found: dict[str, int]
) -> None:
    execute(statement)

    assert counts(await verify(town.store, keep=KEEP)) == found


async def test_twins_behind_the_back_of_a_broken_index(town: Scene, execute: Callable[[str], None]) -> None:
    await town.submit(queue="free")
    execute("drop index one.jobs_unique")
    execute("update one.jobs set unique_key = 'work:ada' where queue = 'free'")

    assert counts(await verify(town.store, keep=KEEP)) == {"unique key": 1}


async def test_what_nobody_works_on_is_a_warning(town: Scene) -> None:
    town.clock.advance(HOUR + HOUR)
    verdict = await verify(town.store, keep=KEEP)

    assert verdict.ok
    assert [warning.kind for warning in verdict.warnings] == ["stuck", "stuck"]


async def test_a_ledger_beside_it(town: Scene, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    job = await town.submit(queue="mine")
    at = START.timestamp()
    ledger.write_text(
        f'{{"what": "submit", "at": {at}, "id": "{job}"}}\n'
        f'{{"what": "submit", "at": {at}, "id": "00000000-0000-7000-8000-000000000001"}}\n'
        '{"what": "start", "at'  # a line that is being written
    )
    verdict = await verify(town.store, keep=KEEP, ledger=ledger)

    assert counts(verdict) == {"lost job": 1}
    assert verdict.looked["ledger lines"] == 2


def test_a_ledger_that_cannot_be_read_names_its_line(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    with pytest.raises(ConfigurationError, match=r"ledger\.jsonl: No such file"):
        list(read_ledger(ledger))
    ledger.write_text('{"what": "submit", "at": 1}\n{"what": "begin", "at": 1}\n')
    with pytest.raises(ConfigurationError, match=r"line 2: Invalid enum value 'begin'.*A line is like"):
        list(read_ledger(ledger))
