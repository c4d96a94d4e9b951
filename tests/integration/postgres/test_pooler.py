"""Behind a pooler in transaction mode every transaction may run on another connection."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
import pytest_asyncio

from rota.model.errors import StoreUnavailableError
from rota.model.events import LogEntry
from rota.model.ids import new_id
from rota.model.job import ClaimRequest, JobFilter
from rota.model.outcome import Settlement, Succeeded
from rota.model.states import State
from rota.model.worker import Beat
from rota.ports.limits import SlotRequest
from rota.stores.postgres import PostgresStore
from rota.testing.conformance.scene import FAILED, HOUR, LEASE, a_job, a_worker
from tests.servers.pgbouncer import PgBouncer

REQUEST = ClaimRequest(owner=new_id(), queues=("default",), limits={"async": 10}, lease=LEASE)


@pytest.fixture
def pooler(migrated_url: str, pgbouncer: type[PgBouncer]) -> Iterator[PgBouncer]:
    with pgbouncer(migrated_url) as one:
        yield one


@pytest_asyncio.fixture
async def pooled(pooler: PgBouncer) -> AsyncIterator[PostgresStore]:
    """A store that knows that a pooler stands between."""
    store = PostgresStore(pooler.url, listen=False)
    await store.open()
    yield store
    await store.close()


async def test_the_pooler_does_change_connections(pooler: PgBouncer) -> None:
    """Else nothing here would prove anything."""
    connection = await asyncpg.connect(pooler.url, statement_cache_size=0)
    others = [await asyncpg.connect(pooler.url, statement_cache_size=0) for _ in range(2)]
    transactions = [other.transaction() for other in others]
    seen = set()
    for transaction, other in zip(transactions, others, strict=True):
        seen.add(await connection.fetchval("select pg_backend_pid()"))
        # Another client takes the connection that this one has just used.
        await transaction.start()
        await other.fetchval("select 1")
    seen.add(await connection.fetchval("select pg_backend_pid()"))
    assert len(seen) > 1
    for one in (connection, *others):
        one.terminate()


async def test_without_being_told_the_store_cannot_connect(pooler: PgBouncer) -> None:
    with pytest.raises(StoreUnavailableError, match=r"unsupported startup parameter.*ROTA_LISTEN"):
        await PostgresStore(pooler.url).open()


async def test_jobs_live_their_lives(pooled: PostgresStore, pooler: PgBouncer) -> None:
    await pooled.workers.register(a_worker(id=REQUEST.owner))
    for _ in range(5):
        await asyncio.gather(*(pooled.jobs.submit([a_job(), a_job()]) for _ in range(3)))
        await asyncio.to_thread(pooled.submit_now, [a_job(unique_key="a", unique_for=HOUR), a_job()])
        jobs = await pooled.jobs.claim(REQUEST)
        claims = tuple(job.claim for job in jobs)
        await pooled.limits.acquire(
            [SlotRequest(claim, (("task:work", 3), ("queue:default", 2))) for claim in claims]
        )
        beat = Beat(owner=REQUEST.owner, lease=LEASE, started=claims[:2], held=())
        assert not (await pooled.workers.beat(beat)).lost
        log = LogEntry(claims[0].id, claims[0].token, 1, await pooled.insight.now(), "INFO", "here")
        await pooled.checkpoints.record([log], [])
        outcomes = [Settlement(claims[0].id, claims[0].token, Succeeded(b"1"), limited=True)]
        outcomes.append(Settlement(claims[1].id, claims[1].token, FAILED, limited=True))
        assert not (await pooled.jobs.settle(outcomes)).refused
        await pooled.jobs.promote(10)
        await pooled.jobs.redrive(JobFilter(states=frozenset({State.FAILED})))
        await pooled.jobs.cancel(JobFilter())
    assert await asyncio.to_thread(pooler.transactions) > 50


async def test_the_same_statement_runs_often_enough_to_be_prepared(pooled: PostgresStore) -> None:
    for _ in range(30):
        await asyncio.to_thread(pooled.submit_now, [a_job()])
        await pooled.jobs.submit([a_job()])
    assert len(await pooled.insight.jobs(JobFilter(), limit=100)) == 60


async def test_a_users_own_transaction(pooled: PostgresStore, pooler: PgBouncer) -> None:
    connection = await asyncpg.connect(pooler.url, statement_cache_size=0)
    for _ in range(5):
        async with connection.transaction():
            await pooled.submit_on_async(connection, [a_job()])
    await connection.close()
    assert len(await pooled.insight.jobs(JobFilter(), limit=100)) == 5


async def test_it_leaves_nothing_behind_on_the_servers_connections(
    pooled: PostgresStore, pooler: PgBouncer
) -> None:
    await test_jobs_live_their_lives(pooled, pooler)
    connection = await asyncpg.connect(pooler.url, statement_cache_size=0)
    for _ in range(3):
        assert await connection.fetchval("select count(*) from pg_prepared_statements") == 0
        assert await connection.fetchval("show plan_cache_mode") == "auto"
    await connection.close()
