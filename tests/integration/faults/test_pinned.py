"""A user's transaction stays open beside a worker."""

from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from rota.model.ids import new_id
from rota.model.job import ClaimRequest
from rota.model.outcome import Settlement, Succeeded
from rota.ports.jobs import Settled
from rota.stores.postgres import PostgresStore
from rota.testing.conformance.scene import a_job
from tests.integration.faults.life import Feed, Process, make_app, until

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]


def test_a_transaction_that_stays_open_holds_nothing_up(postgres_url: str, tmp_path: Path) -> None:
    """An old snapshot keeps dead rows from being cleaned away, and stops nobody."""
    app = make_app(tmp_path, postgres_url)
    feed = Feed(tmp_path, app)
    with Process(tmp_path, postgres_url) as process:
        feed.submit()
        with psycopg.connect(postgres_url) as pinned:
            pinned.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            pinned.execute("select count(*) from rota.jobs")
            with feed.running(every=0.005):
                feed.wait_for(100)
        feed.check()
        assert process.said("goes on trying") == 0, process.log()
    app.close()


def test_a_running_job_that_somebody_keeps_locked_waits_alone(postgres_url: str, tmp_path: Path) -> None:
    """Its outcome is written when the lock is given up; all others meanwhile, and it does not run again."""
    app = make_app(tmp_path, postgres_url)
    feed = Feed(tmp_path, app)
    settings = {"lease": "30", "store_timeout": "2"}
    with Process(tmp_path, postgres_url, settings=settings) as process:
        with psycopg.connect(postgres_url) as rival:
            held = app.job(feed.submit(1.0))
            until(lambda: feed.started()[1], process.log)
            rival.execute("select from rota.jobs where id = %s for update", [held.id])
            with feed.running():
                until(lambda: feed.ended()[1], process.log)
                until(lambda: process.said("keeps its row locked"), process.log)
                others = [app.job(one) for one in [*feed.stored.values()][1:]]
                until(lambda: {one.status() for one in others} == {"succeeded"}, process.log)
            assert held.status() == "running"
        feed.check()
        assert process.said("keeps its row locked") == 1
    app.close()


async def test_outcomes_go_round_what_is_locked(postgres_url: str) -> None:
    """A child whose parent is locked waits as well; after the first wait nobody else does."""
    store = PostgresStore(postgres_url, patience=1.0)
    await store.open()
    parent, free = a_job(), a_job()
    child = a_job(parent=parent.id)
    await store.jobs.submit([parent, child, free])
    request = ClaimRequest(
        owner=new_id(), queues=("default",), limits={"async": 10}, lease=timedelta(seconds=30)
    )
    claimed = await store.jobs.claim(request)
    outcomes = [Settlement(job.id, job.token, Succeeded()) for job in claimed]
    async with await psycopg.AsyncConnection.connect(postgres_url) as rival:
        await rival.execute("select from rota.jobs where id = %s for update", [parent.id])
        for _ in range(2):
            settled = await store.jobs.settle(outcomes)
            assert settled == Settled(busy=frozenset({parent.id, child.id}))
        assert (await store.insight.results([free.id]))[free.id].state == "succeeded"
    assert await store.jobs.settle(outcomes) == Settled()
    found = await store.insight.results([parent.id, child.id])
    assert {one.state for one in found.values()} == {"succeeded"}
    await store.close()
