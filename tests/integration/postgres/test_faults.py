"""Lost connections, rivals and forks: an error says what is known, and the next call works."""

import asyncio
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from rota.model.errors import StoreError, StoreUnavailableError, SubmitUncertainError
from rota.model.ids import new_id
from rota.model.job import ClaimRequest, JobFilter, Submission
from rota.stores.postgres import PostgresStore
from rota.testing.conformance.scene import LEASE, a_job
from tests.servers.postgres import PostgresServer

END_ALL = """
select pg_terminate_backend(pid, 5000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""


def end_all(url: str) -> None:
    """End every connection to a database, as a restart does."""
    with psycopg.connect(url) as connection:
        connection.execute(END_ALL)


async def count(store: PostgresStore) -> int:
    return len(await store.insight.jobs(JobFilter(), limit=1000))


class TestResting:
    async def test_a_connection_that_was_ended_meanwhile_is_replaced(self, store: PostgresStore) -> None:
        await asyncio.to_thread(store.submit_now, [a_job()])
        end_all(store.url)
        await asyncio.to_thread(store.submit_now, [a_job()])

    async def test_the_pool_recovers(self, store: PostgresStore) -> None:
        await store.jobs.submit([a_job()])
        end_all(store.url)
        for _ in range(20):
            try:
                await store.jobs.submit([a_job()])
            except StoreUnavailableError:
                continue
            break
        else:
            pytest.fail("the store did not come back")

    async def test_a_store_that_is_not_open_says_so(self, postgres_url: str) -> None:
        with pytest.raises(StoreError, match="open"):
            await PostgresStore(postgres_url).jobs.submit([a_job()])


class TestLost:
    """The connection breaks while a statement runs: a row lock holds it up, so that there is time."""

    async def blocked(self, store: PostgresStore, work: Any) -> SubmitUncertainError:
        """Run a submit of the key `ada` into a lock, end its connection and return its error."""
        with psycopg.connect(store.url) as rival:
            rival.execute(
                "insert into rota.jobs (id, queue, executor, task, payload, codec, state, submitted_at, "
                "unique_key) values (gen_random_uuid(), '', '', '', '', '', 'ready', now(), 'ada')"
            )
            task = asyncio.create_task(work)
            await until_someone_waits(store.url)
            end_others(store.url, rival.info.backend_pid)
            with pytest.raises(SubmitUncertainError) as caught:
                await task
            rival.rollback()
        return caught.value

    async def test_a_submit_is_uncertain(self, store: PostgresStore) -> None:
        job = a_job(unique_key="ada")
        error = await self.blocked(store, store.jobs.submit([job]))
        assert error.submissions == (job,)
        (submitted,) = await retry(lambda: store.jobs.submit([job], resend=True))
        assert (submitted.id, await count(store)) == (job.id, 1)

    async def test_a_synchronous_submit_is_uncertain(self, store: PostgresStore) -> None:
        job = a_job(unique_key="ada")
        error = await self.blocked(store, asyncio.to_thread(store.submit_now, [job]))
        assert error.submissions == (job,)
        await asyncio.to_thread(store.submit_now, [job], resend=True)
        assert await retry(lambda: count(store)) == 1


async def retry(work: Any) -> Any:
    while True:
        try:
            return await work()
        except StoreUnavailableError:
            continue


async def until_someone_waits(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as watcher:
        while not watcher.execute("select 1 from pg_locks where not granted").fetchone():  # noqa: ASYNC110
            await asyncio.sleep(0.005)  # whoever waits for a lock tells nobody


def end_others(url: str, *spared: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(f"{END_ALL} and pid <> all(%s)".encode(), (list(spared),))


class TestRivals:
    async def test_a_deadlock_is_tried_again(self, store: PostgresStore) -> None:
        """Two groups with the same keys in other orders lock each other out."""
        with psycopg.connect(store.url) as connection:
            connection.execute(
                f"alter database {connection.info.dbname} set deadlock_timeout = '10ms'".encode()
            )
        others = [PostgresStore(store.url) for _ in range(3)]
        for other in others:
            await other.open()
        keys = [str(number) for number in range(100)]
        for _ in range(5):
            await asyncio.gather(
                *(
                    one.jobs.submit([a_job(unique_key=key) for key in (keys if turn % 2 else keys[::-1])])
                    for turn, one in enumerate(others * 4)
                )
            )
            assert await count(store) == len(keys)
            await store.jobs.cancel(JobFilter())
            with psycopg.connect(store.url) as connection:
                connection.execute("truncate rota.history, rota.events")
        for other in others:
            await other.close()

    async def test_threads_share_the_synchronous_driver(self, store: PostgresStore) -> None:
        def work() -> None:
            for _ in range(20):
                store.submit_now([a_job()])

        threads = [threading.Thread(target=work) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        assert await count(store) == 240
        assert len(store._blocking._resting) <= 8


@pytest.fixture
def quiet_store(migrated_url: str) -> Iterator[PostgresStore]:
    """A store without an event loop, so that one may fork."""
    store = PostgresStore(migrated_url)
    store.submit_now([a_job()])
    yield store
    store._blocking.close()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_process_makes_its_own_connections(quiet_store: PostgresStore) -> None:
    child = os.fork()
    if child == 0:
        try:
            quiet_store.submit_now([a_job()])
            quiet_store._blocking.close()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    quiet_store.submit_now([a_job()])
    with psycopg.connect(quiet_store.url) as connection:
        assert connection.execute("select count(*) from rota.jobs").fetchone() == (3,)


async def test_a_crash_loses_no_job_that_was_acknowledged() -> None:
    """The server is killed under load and comes back: what was said to be stored is there, once."""
    with PostgresServer(durable=True) as server:
        url = server.create_database()
        store = PostgresStore(url)
        await store.open()
        stored: set[UUID] = set()
        uncertain: list[Submission] = []
        request = ClaimRequest(owner=new_id(), queues=("other",), limits={"async": 1}, lease=LEASE)

        async def feed() -> None:
            for _ in range(200):
                job = a_job()
                try:
                    await store.jobs.submit([job])
                except SubmitUncertainError as error:
                    uncertain.extend(error.submissions)
                except StoreUnavailableError:
                    await asyncio.sleep(0.05)  # the server starts again; there is nothing to wait on
                else:
                    stored.add(job.id)

        feeders = [asyncio.create_task(feed()) for _ in range(4)]
        while len(stored) < 50:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # the feeders run
        await asyncio.to_thread(server.restart, "immediate")
        await asyncio.gather(*feeders)
        await retry(lambda: store.jobs.submit(uncertain, resend=True))
        assert await retry(lambda: store.jobs.claim(request)) == []
        found = {job.id for job in await store.insight.jobs(JobFilter(), limit=10_000)}
        await store.close()
    assert found == stored | {job.id for job in uncertain}


async def test_idle_connections_hold_no_transaction(store: PostgresStore) -> None:
    await store.jobs.submit([a_job(delay=timedelta(seconds=1))])
    await store.jobs.cancel(JobFilter())
    await asyncio.to_thread(store.submit_now, [a_job(unique_key="a", unique_for=timedelta(seconds=1))])
    with psycopg.connect(store.url) as connection:
        states = connection.execute(
            "select distinct state from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        ).fetchall()
    assert states == [("idle",)]
