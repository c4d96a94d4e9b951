"""Settings and moments that mean no good."""

import asyncio
import time
from pathlib import Path

import psycopg
import pytest

from rota import current
from rota.model.errors import StoreBusyError, StoreUnavailableError
from rota.stores.postgres import PostgresStore
from rota.testing import drain
from rota.testing.conformance.scene import a_job
from tests.integration.faults.life import Feed, Process, make_app, until
from tests.servers.proxy import Proxy

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]

TAKE_THE_KEY = """
insert into rota.jobs (id, queue, executor, task, payload, codec, state, submitted_at, unique_key)
values (gen_random_uuid(), '', '', '', '', '', 'ready', now(), 'ada')
"""


async def test_a_name_that_nobody_knows() -> None:
    store = PostgresStore("postgresql://postgres@no-such-host.invalid/db")
    with pytest.raises(StoreUnavailableError, match="no-such-host"):
        await store.open()
    with pytest.raises(StoreUnavailableError, match="no-such-host"):
        store.submit_now([a_job()])


async def test_a_lock_that_is_not_given_up(postgres_url: str) -> None:
    """An open transaction holds the unique key: both ways to submit wait for a while, and store nothing."""
    store = PostgresStore(postgres_url, patience=1.0)
    await store.open()
    with psycopg.connect(postgres_url) as rival:
        rival.execute(TAKE_THE_KEY)
        with pytest.raises(StoreUnavailableError):
            await store.jobs.submit([a_job(unique_key="ada")])
        with pytest.raises(StoreBusyError, match="pg_stat_activity"):
            await asyncio.to_thread(store.submit_now, [a_job(unique_key="ada")])
        rival.rollback()
    assert (await store.jobs.submit([a_job(unique_key="ada")]))[0].created
    await store.close()


async def test_the_role_has_a_statement_timeout(postgres_url: str) -> None:
    """A statement that is broken off did nothing, and says so."""
    name = postgres_url.rpartition("/")[2]
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        await prepare(postgres_url)
        admin.execute(f"alter database {name} set statement_timeout = '300ms'".encode())
    store = PostgresStore(postgres_url)
    await store.open()
    with psycopg.connect(postgres_url) as rival:
        rival.execute("set statement_timeout = 0")
        rival.execute(TAKE_THE_KEY)
        with pytest.raises(StoreBusyError, match="statement timeout"):
            await asyncio.to_thread(store.submit_now, [a_job(unique_key="ada")])
        rival.rollback()
    assert (await asyncio.to_thread(store.submit_now, [a_job(unique_key="ada")]))[0].created
    await store.close()


async def prepare(url: str) -> None:
    store = PostgresStore(url)
    await store.open()
    await store.close()


def test_a_stop_during_an_outage(postgres_url: str, tmp_path: Path) -> None:
    """The process tries for a while to write what has ended, and ends in order all the same."""
    port = int(postgres_url.rpartition("/")[0].rpartition(":")[2])
    with Proxy(port) as proxy:
        url = postgres_url.replace(str(port), str(proxy.port))
        app = make_app(tmp_path, postgres_url)
        feed = Feed(tmp_path, app)
        with Process(tmp_path, url) as process:
            job = app.job(feed.submit(1.0))
            until(lambda: feed.started()[1], process.log)
            proxy.refuse()
            until(lambda: process.said("the store is away"), process.log)
            began = time.monotonic()
            assert process.stop() == 0, process.log()
            assert time.monotonic() - began < 25
            assert "Traceback" not in process.log(), process.log()
        proxy.heal()
        # Its end was not written: it runs again, as its lease has passed.
        with Process(tmp_path, url) as process:
            until(lambda: job.status() == "succeeded", process.log)
        app.close()


def test_a_task_that_says_what_no_database_takes(postgres_url: str, tmp_path: Path) -> None:
    """NUL and half characters in an error or a log line fail one job, and hold up no other."""
    app = make_app(tmp_path, postgres_url)

    @app.task
    def bad(text: str) -> None:
        current().log.info("log " + chr(int(text)))
        raise ValueError("error " + chr(int(text)))

    jobs = [bad.enqueue("0"), bad.enqueue(str(0xD800))]
    drain(app, raise_errors=False)
    assert [job.status() for job in jobs] == ["failed", "failed"]
    app.close()
