"""A kill before and after the k-th statement of the whole cycle, for every k: nothing lost, nothing twice."""

import asyncio
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rota.model.inspection import JobRow
from rota.operations.verify import verify
from rota.testing.conformance.scene import START
from tests.chaos import counting, cycle
from tests.chaos.judging import all_rows
from tests.chaos.proxy import Proxy
from tests.chaos.seeds import drawn_seed
from tests.chaos.torment import processes
from tests.servers.postgres import PostgresServer

PATIENCE = 30
BUDGET = float(os.environ.get("ROTA_CHAOS_STATEMENT_SECONDS", "12"))
ENDS = Counter(
    {
        ("work", "succeeded"): 7,
        ("work", "expired"): 1,
        ("work", "cancelled"): 1,
        ("flaky", "succeeded"): 1,
        ("doomed", "failed"): 1,
        ("sleepy", "succeeded"): 1,
        ("limited", "succeeded"): 4,
        ("endless", "succeeded"): 1,
    }
)
"""How the jobs end, whatever is killed; beside them stand the ticks of the schedule."""
pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("statements")]
MOMENTS = pytest.mark.parametrize("after", [False, True], ids=["before", "after"])


class Sqlite:
    """A file."""

    must = frozenset({
        "submit", "submit_alike", "submit_windows", "register_tasks", "advance", "write_ticks", "promote",
        "finish", "rescue", "claim", "hold_slots", "park", "beat", "extend", "keep_result", "settle",
        "delete_claims", "bury", "delete_jobs", "put_off", "tell", "free_slots", "release", "give_back",
        "prune_history", "leave", "write_logs", "begin immediate", "commit",
    })  # fmt: skip
    """Statements that have to be among those that are killed."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template"
        self._template.mkdir()
        cycle.prepare(f"sqlite:///{self._template}/rota.db", self._template)

    def live(self, folder: Path, kill_at: int, *, after: bool) -> tuple[int | None, list[str], str]:
        """Run the cycle in a process; returns its exit code, the statements, and the store."""
        shutil.copytree(self._template, folder)
        url = f"sqlite:///{folder}/rota.db"
        process = processes.Process(target=_on_sqlite, args=(url, folder, kill_at, after))
        process.start()
        process.join(PATIENCE)
        return process.exitcode, (folder / "statements").read_text().splitlines(), url

    def forget(self, url: str) -> None:
        """Remove a store."""
        shutil.rmtree(Path(url.removeprefix("sqlite:///")).parent)


class Postgres:
    """A database for each run, made of a template; statements pass a proxy."""

    must = frozenset({
        "submit", "submit_one", "submit_windows", "register", "register_tasks", "fire_lock", "fire",
        "promote", "finish", "rescue", "claim", "acquire", "beat", "settle", "settle_lock",
        "bury", "put_off", "tell", "free_slots", "release", "give_back", "prune_history", "leave",
        "write_logs", "BEGIN;", "COMMIT;",
    })  # fmt: skip

    def __init__(self, folder: Path, server: PostgresServer) -> None:
        self._server = server
        self._template = folder / "template"
        self._template.mkdir()
        self._url = server.create_database()
        cycle.prepare(self._url, self._template)

    def live(self, folder: Path, kill_at: int, *, after: bool) -> tuple[int | None, list[str], str]:
        """Run the cycle in a process behind a proxy (see `Sqlite.live`)."""
        shutil.copytree(self._template, folder)
        url = self._server.create_database(template=self._url.rpartition("/")[2])
        with Proxy(self._server.port, kill_at, after=after) as proxy:
            through = url.replace(f":{self._server.port}/", f":{proxy.port}/") + "?sslmode=disable"
            process = processes.Process(target=_on_postgres, args=(through, folder))
            proxy.victim = lambda: process.pid
            process.start()
            process.join(PATIENCE)
        return process.exitcode, proxy.names, url

    def forget(self, url: str) -> None:
        """Remove a store."""
        self._server.drop_database(url)


def _on_sqlite(url: str, folder: Path, kill_at: int, after: bool) -> None:
    counting.arm(kill_at, after=after, log=folder / "statements")
    cycle.live(url, folder)


def _on_postgres(url: str, folder: Path) -> None:
    cycle.live(url, folder)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Sqlite:
    return Sqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with PostgresServer() as server:
        yield Postgres(tmp_path_factory.mktemp("postgres"), server)


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Sqlite | Postgres:
    """A store with something to do for every service."""
    found: Sqlite | Postgres = request.getfixturevalue(request.param)
    return found


@pytest.mark.timeout(180)
def test_the_cycle_runs_every_statement_that_matters(store: Sqlite | Postgres, tmp_path: Path) -> None:
    code, names, url = store.live(tmp_path / "whole", 0, after=False)

    assert code == 0
    assert store.must - set(names) == set()
    judge(url, tmp_path / "whole")


@pytest.mark.timeout(300)
@MOMENTS
def test_a_kill_at_some_statements(store: Sqlite | Postgres, tmp_path: Path, *, after: bool) -> None:
    """As many as there is time for, others in each run."""
    ends = time.monotonic() + BUDGET
    for kill_at in drawn(store, tmp_path):
        kill(store, tmp_path, kill_at, after=after)
        if time.monotonic() > ends:
            break


@pytest.mark.soak
@MOMENTS
def test_a_kill_at_every_statement(store: Sqlite | Postgres, tmp_path: Path, *, after: bool) -> None:
    for kill_at in drawn(store, tmp_path):
        kill(store, tmp_path, kill_at, after=after)


def drawn(store: Sqlite | Postgres, folder: Path) -> list[int]:
    """Return the numbers of all statements in an order by the seed; or the one that is asked for."""
    if "ROTA_CHAOS_STATEMENT" in os.environ:
        return [int(os.environ["ROTA_CHAOS_STATEMENT"])]
    seed = drawn_seed()
    code, names, url = store.live(folder / "whole", 0, after=False)
    assert code == 0
    store.forget(url)
    numbers = list(range(1, len(names) + 1))
    random.Random(seed).shuffle(numbers)
    return numbers


def kill(store: Sqlite | Postgres, folder: Path, kill_at: int, *, after: bool) -> None:
    """Kill at one statement, and see what becomes of it."""
    here = folder / str(kill_at)
    code, names, url = store.live(here, kill_at, after=after)
    note = f"ROTA_CHAOS_STATEMENT={kill_at}, {'after' if after else 'before'} {names[-1]}"
    # One run may have a statement less than another: two answers came together.
    assert code == -signal.SIGKILL or len(names) < kill_at, f"{note}: exit code {code}"
    try:
        judge(url, here)
    except Exception as error:
        error.add_note(note)
        raise
    store.forget(url)


def judge(url: str, folder: Path) -> None:
    """Let a fresh worker finish, and hold the store against the ledger."""
    cycle.recover(url, folder)
    stage = cycle.Stage(url, folder, cycle.LATER + timedelta(hours=1))
    rows = asyncio.run(_verified(stage))
    assert Counter((row.task, row.state) for row in rows if row.schedule is None) == ENDS
    assert {row.state for row in rows if row.schedule is not None} == {"succeeded"}


async def _verified(stage: cycle.Stage) -> list[JobRow]:
    store = stage.app.make_store()
    await store.open()
    try:
        verdict = await verify(store, keep=cycle.KEEP.history, ledger=stage.ledger.file)
        rows = await all_rows(store)
        ticks = await store.schedules.ticks("hourly", limit=100)
    finally:
        await store.close()
    assert verdict.findings == ()
    assert len([tick for tick in ticks if tick.job]) == len([row for row in rows if row.schedule])
    return [row for row in rows if row.submitted_at > START - cycle.KEEP.history]
