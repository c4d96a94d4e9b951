"""The address lists two hosts: the first dies, and the second, a standby, takes over later."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from rota.model.errors import StoreUnavailableError
from rota.stores.postgres import PostgresStore
from rota.testing.conformance.scene import a_job
from tests.integration.faults.life import Feed, Process, make_app, until
from tests.servers.postgres import PostgresServer, find_binaries

pytestmark = [
    pytest.mark.xdist_group("faults"),
    pytest.mark.timeout(120),
    pytest.mark.skipif(not (find_binaries() / "pg_basebackup").exists(), reason="it copies the server"),
]

AWAY, BACK = "the store is away, goes on trying", "the store is back"


@pytest.fixture
def pair() -> Iterator[tuple[PostgresServer, PostgresServer, str]]:
    """A server and its standby, and the address of a database on either; commits wait for both."""
    with PostgresServer() as primary:
        database = primary.create_database("faults")
        with PostgresServer(standby_of=primary) as standby:
            with psycopg.connect(primary.url(), autocommit=True) as connection:
                connection.execute("alter system set synchronous_standby_names = '*'")
                connection.execute("select pg_reload_conf()")
            both = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
            yield primary, standby, database.replace(f"127.0.0.1:{primary.port}", both)


def test_the_work_moves_to_the_standby(
    pair: tuple[PostgresServer, PostgresServer, str], tmp_path: Path
) -> None:
    primary, standby, url = pair
    app = make_app(tmp_path, url, store_timeout=2.0)
    feed = Feed(tmp_path, app)
    with Process(tmp_path, url) as process, feed.running():
        feed.wait_for(5)
        os.kill(primary.pid, signal.SIGKILL)
        until(lambda: process.said(AWAY), process.log)
        with psycopg.connect(standby.url(), autocommit=True) as connection:
            connection.execute("alter system set synchronous_standby_names = ''")
        standby.promote()
        until(lambda: process.said(BACK), process.log)
        feed.wait_for(5)
        assert process.lives
        assert "Traceback" not in process.log(), process.log()
    # The process has ended; all that it took is done by then.
    with Process(tmp_path, url):
        feed.check()
    app.close()


async def test_a_standby_alone_is_refused_in_plain_words(
    pair: tuple[PostgresServer, PostgresServer, str],
) -> None:
    primary, standby, _ = pair
    store = PostgresStore(primary.url("faults"))
    await store.open()
    await store.close()
    there = PostgresStore(standby.url("faults"))
    until_copied(standby)
    await there.open()
    with pytest.raises(StoreUnavailableError, match="read-only"):
        await there.jobs.submit([a_job()])
    with pytest.raises(StoreUnavailableError, match="read-only"):
        there.submit_now([a_job()])
    await there.close()


def until_copied(standby: PostgresServer) -> None:
    with psycopg.connect(standby.url("faults"), autocommit=True) as connection:
        query = "select 1 from pg_class where relname = 'schema_version'"
        until(lambda: connection.execute(query).fetchone())
