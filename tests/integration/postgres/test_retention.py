"""Days of history are made ahead, dropped whole, and never waited for."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
import pytest_asyncio

from rota.model.events import LogEntry
from rota.model.ids import new_id
from rota.model.job import ClaimRequest
from rota.model.outcome import Settlement, Succeeded
from rota.ports.retention import Retention
from rota.stores.postgres import PostgresStore
from rota.testing.clock import FakeClock
from rota.testing.conformance.scene import FAILED, LEASE, a_job

DAY = timedelta(days=1)
KEEP = Retention(history=7 * DAY, dead=90 * DAY, ticks=90 * DAY)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAYS = "select relname from pg_class where relname ~ '^history_[0-9]+$' order by relname"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest_asyncio.fixture
async def store(postgres_url: str, clock: FakeClock) -> AsyncIterator[PostgresStore]:
    """A store made on 1 March 2026."""
    one = PostgresStore(postgres_url, clock=clock)
    await one.open()
    yield one
    await one.close()


async def finish(store: PostgresStore, outcome: object = None) -> UUID:
    """Submit a job, run it with a line of log and a result, and return its id."""
    (submitted,) = await store.jobs.submit([a_job()])
    request = ClaimRequest(owner=new_id(), queues=("default",), limits={"async": 1}, lease=LEASE)
    (job,) = await store.jobs.claim(request)
    now = await store.insight.now()
    await store.checkpoints.record([LogEntry(job.id, job.token, 1, now, "INFO", "here")], [])
    await store.jobs.settle([Settlement(job.id, job.token, FAILED if outcome else Succeeded(b"1"))])
    return submitted.id


def look(url: str, sql: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute(sql.encode()).fetchall()]


async def test_a_job_lies_in_the_day_on_which_it_finished(store: PostgresStore, clock: FakeClock) -> None:
    for _ in range(3):
        await finish(store)
        clock.advance(DAY)
    where = look(store.url, "select tableoid::regclass::text from rota.history order by finished_at")
    assert where == [f"rota.history_2026030{day}" for day in (1, 2, 3)]


async def test_days_are_made_ahead_and_dropped_whole(store: PostgresStore, clock: FakeClock) -> None:
    job = await finish(store)
    clock.advance(7 * DAY)
    assert (await store.retention.prune(KEEP, 100)).partitions == 0
    assert await store.insight.job(job) is not None
    clock.advance(DAY)
    assert (await store.retention.prune(KEEP, 100)).partitions == 1
    assert await store.insight.job(job) is None
    days = look(store.url, DAYS)
    assert (days[0], days[-1], len(days)) == ("history_20260302", "history_20260317", 16)


async def test_a_job_that_is_dropped_takes_all_of_it_along(store: PostgresStore, clock: FakeClock) -> None:
    job = await finish(store)
    clock.advance(9 * DAY)
    await store.retention.prune(KEEP, 100)
    assert await store.insight.results([job]) == {}
    assert await store.insight.logs(job) == []
    assert look(store.url, "select count(*) from rota.results") == [0]


async def test_a_dead_job_keeps_its_log_longer(store: PostgresStore, clock: FakeClock) -> None:
    job = await finish(store, FAILED)
    clock.advance(89 * DAY)
    await store.retention.prune(KEEP, 100)
    assert len(await store.insight.logs(job)) == 1
    clock.advance(2 * DAY)
    await store.retention.prune(KEEP, 100)
    assert await store.insight.job(job) is None
    assert await store.insight.logs(job) == []


async def test_a_day_that_nobody_made_lands_beside_the_days(store: PostgresStore, clock: FakeClock) -> None:
    clock.advance(30 * DAY)
    job = await finish(store)
    assert look(store.url, "select tableoid::regclass::text from rota.history") == ["rota.history_default"]
    pruned = await store.retention.prune(KEEP, 100)
    assert await store.insight.job(job) is not None
    assert not pruned.more
    clock.advance(8 * DAY)
    await store.retention.prune(KEEP, 100)
    assert await store.insight.job(job) is None


async def test_who_reads_history_is_not_waited_for(store: PostgresStore, clock: FakeClock) -> None:
    job = await finish(store)
    clock.advance(9 * DAY)
    with psycopg.connect(store.url) as reader:
        reader.execute("select count(*) from rota.history")
        pruned = await store.retention.prune(KEEP, 100)
        assert (pruned.partitions, pruned.more) == (0, True)
    assert (await store.retention.prune(KEEP, 100)).partitions == 2
    assert await store.insight.job(job) is None


async def test_counters_of_slots_that_nobody_needs_go(store: PostgresStore) -> None:
    with psycopg.connect(store.url) as connection:
        connection.execute("insert into rota.slots (scope, used, capacity) values ('a', 0, 1), ('b', 1, 1)")
    await store.retention.prune(KEEP, 100)
    assert look(store.url, "select scope from rota.slots") == ["b"]
