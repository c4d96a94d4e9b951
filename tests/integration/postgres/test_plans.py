"""Query plans: hot statements read their own partial index, whatever is in the tables and known of it."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import asyncpg
import psycopg
import pytest
import pytest_asyncio

from rota.model.ids import new_id, new_token
from rota.stores.postgres import PostgresStore
from rota.stores.postgres.database import Link
from rota.testing.conformance.scene import LEASE, a_job
from tests.servers.postgres import PostgresServer

# How many jobs are ready in other queues, are scheduled, and have finished.
CROWDS = {
    "empty": (0, 0, 0),
    "crowded": (100_000, 100_000, 10_000),
    "vast": (100_000, 1_000_000, 1_000_000),
}

FILL = """
insert into rota.jobs (id, queue, executor, task, payload, codec, state, run_at, submitted_at, lease_until)
select gen_random_uuid(), {queue}, 'async', 'work', '', 'json', {state}, {run_at}, now(), {lease_until}
from generate_series(1, {number}) as n
"""
FINISHED = """
insert into rota.history (id, seq, queue, executor, task, payload, codec, state, submitted_at, finished_at)
select gen_random_uuid(), n, 'default', 'async', 'work', '', 'json', 'succeeded', now(), now()
from generate_series(1, {number}) as n
"""

# By which index each hot statement finds its jobs.
INDEXES = {
    "claim": "jobs_ready",
    "promote": "jobs_scheduled",
    "awaken": "jobs_wake_at",
    "expire_lock": "jobs_expires",
    "rescue_lock": "jobs_lease",
    "release": "jobs_held",
    "held_reasons": "jobs_held",
    "settle": "jobs_pkey",
    "settle_lock": "jobs_pkey",
    "locked_elsewhere": "jobs_pkey",
    "finish": "jobs_pkey",
    "bury": "jobs_pkey",
    "put_off": "jobs_pkey",
    "hand_over": "jobs_pkey",
    "acquire": "jobs_pkey",
    "beat": "jobs_pkey",
    "give_back_lock": "jobs_pkey",
    "write_logs": "jobs_pkey",
    "write_progress": "jobs_pkey",
    "suspend": "jobs_parent",
}


@pytest.fixture(
    scope="module",
    params=["empty", "crowded", pytest.param("vast", marks=[pytest.mark.soak, pytest.mark.timeout(600)])],
)
def url(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> Iterator[str]:
    """A database with many jobs that may not run now."""
    others, scheduled, finished = CROWDS[request.param]
    url = postgres_server.create_database()
    store = PostgresStore(url)
    store.submit_now([a_job()])
    fills = (
        ("'other'", "'ready'", "null", "null", others),
        ("'default'", "'scheduled'", "now() + n * interval '1 second'", "null", scheduled),
        ("'default'", "'running'", "null", "now() + interval '30 seconds'", others // 100),
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("alter table rota.jobs set (autovacuum_enabled = off)")
        for queue, state, run_at, lease_until, number in fills:
            connection.execute(
                FILL.format(queue=queue, state=state, run_at=run_at, lease_until=lease_until, number=number)
            )
        connection.execute(FINISHED.format(number=finished))
    store._blocking.close()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(params=["fresh", "analyzed"])
def statistics(url: str, request: pytest.FixtureRequest) -> None:
    """What the planner knows: nothing, as after a bulk submit, or all."""
    with psycopg.connect(url, autocommit=True) as connection:
        if request.param == "analyzed":
            connection.execute("analyze")
        else:
            connection.execute("delete from pg_statistic where starelid = 'rota.jobs'::regclass")
            connection.execute(
                "update pg_class set reltuples = -1, relpages = 0 where oid = 'rota.jobs'::regclass"
            )


@pytest_asyncio.fixture
async def link(url: str, statistics: None) -> AsyncIterator[Link]:  # noqa: ARG001 - first the statistics
    """A connection as the store makes them."""
    store = PostgresStore(url, pool_size=1)
    await store.open()
    async with store._database.link() as one:
        yield one
    await store.close()


async def plan(link: Link, sql: str) -> list[str]:
    """Return the steps of the plan that the store's connections keep."""
    await link.execute(f"prepare hot as {sql}")
    ((number,),) = await link.fetch(
        "select cardinality(parameter_types) from pg_prepared_statements where name = 'hot'"
    )
    values = ", ".join(["null"] * number)
    steps = await link.fetch(f"explain execute hot{f'({values})' if values else ''}")
    await link.execute("deallocate hot")
    return [step[0] for step in steps]


def faults(steps: list[str], index: str) -> list[str]:
    """Return what is wrong in a plan."""
    walks = [step for step in steps if re.search(r"Seq Scan on jobs|(Hash|Merge) (\w+ )?Join", step)]
    return walks if any(index in step for step in steps) else [*walks, f"no {index}"]


@pytest.mark.parametrize(("statement", "index"), INDEXES.items())
async def test_a_hot_statement_reads_its_index(link: Link, statement: str, index: str) -> None:
    steps = await plan(link, PostgresStore("postgresql:///any")._sql[statement])
    assert faults(steps, index) == [], "\n".join(steps)


async def test_the_claim_does_not_sort_its_jobs(link: Link) -> None:
    steps = await plan(link, PostgresStore("postgresql:///any")._sql["claim"])
    assert [step for step in steps if "Sort Key" in step and "place" not in step] == []


@pytest.mark.parametrize("url", ["crowded"], indirect=True)  # of few rows it may well read all
async def test_the_claim_of_a_pooled_connection_reads_its_index_too(url: str, statistics: None) -> None:  # noqa: ARG001
    """Behind a pooler there are no settings: the planner is as it comes, and plans for what is there now."""
    connection = await asyncpg.connect(url, statement_cache_size=0)
    sql = PostgresStore("postgresql:///any", listen=False)._sql
    values = (None, new_token(), new_id(), LEASE, ["default", "mail"], ["async", "thread"], [100, 10])
    steps = [row[0] for row in await connection.fetch(f"explain {sql['claim']}", *values)]
    ids, tokens = [new_id() for _ in range(100)], [1] * 100
    times = [timedelta(0)] * 100
    settle = (None, ids, tokens, [0.1] * 100, [b"1"] * 100, times, False)
    steps += [row[0] for row in await connection.fetch(f"explain {sql['settle']}", *settle)]
    await connection.close()
    assert faults(steps, "jobs_ready") == [], "\n".join(steps)
