"""Several processes on one file."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from rota.stores.sqlite import SqliteStore
from rota.testing.conformance.scene import a_job
from tests.integration.sqlite.processes import run_together

JOBS = 4_000
FAIR = 0.25


async def test_two_share_the_jobs_evenly_and_run_each_once(store: SqliteStore, path: Path) -> None:
    submissions = [a_job() for _ in range(JOBS)]
    await store.jobs.submit(submissions)
    shares: Sequence[list[str]] = run_together("drain", path, 2)
    assert Counter(job for share in shares for job in share) == Counter(str(one.id) for one in submissions)
    assert min(map(len, shares)) >= FAIR * JOBS, [len(share) for share in shares]


async def test_four_open_a_new_file_at_once(path: Path) -> None:
    store_ids = run_together("open_new", path, 4)
    assert len(set(store_ids)) == 1
    store = SqliteStore(path)
    await store.open()
    assert (await store.schema()).store_id == store_ids[0]
    assert [one.count for one in await store.insight.counts()] == [4]
    await store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_fork_leaves_parent_and_child_a_store_each(path: Path) -> None:
    (answer,) = run_together("fork", path, 1)
    assert "not open in this process" in answer["child"]
    assert (answer["exit"], answer["count"]) == (0, 6)
