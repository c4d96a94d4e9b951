"""Wake-ups: quick, between processes and within one, also before the commit that they are about."""

import asyncio
import socket
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from rota.model.events import Notice
from rota.model.job import JobFilter
from rota.stores.sqlite import SqliteStore
from rota.stores.sqlite.mailbox import supported
from rota.testing.conformance.scene import a_job, a_worker
from tests.integration.sqlite.processes import child

pytestmark = pytest.mark.skipif(not supported(), reason="no datagram sockets on this platform")

READY = Notice("ready", "default")


class Ear:
    """Hears notices and when they came."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.heard: asyncio.Queue[tuple[Notice, float]] = asyncio.Queue()

    def __call__(self, notice: Notice) -> None:
        self.heard.put_nowait((notice, time.monotonic()))

    async def next(self) -> tuple[Notice, float]:
        async with asyncio.timeout(20):
            return await self.heard.get()


@pytest_asyncio.fixture
async def ear(store: SqliteStore) -> AsyncIterator[Ear]:
    """A listener in this process, and an idle worker to be woken."""
    worker = a_worker()
    await store.workers.register(worker)
    await store.workers.idle(worker.id, idle=True)
    one = Ear(store)
    await store.wakeup.start(one)
    yield one
    await store.wakeup.stop()


async def test_a_submit_of_another_process_is_heard_at_once(ear: Ear, path: Path) -> None:
    with child("submit", path) as process:
        process.go()
        notice, heard = await ear.next()
        committed = await asyncio.to_thread(process.answer)
    assert notice == READY
    # Far below any poll; benchmarks say how far.
    assert heard - committed < 1


async def test_a_notice_before_the_commit_is_repeated_after_it(ear: Ear, path: Path) -> None:
    with child("submit_early", path) as process:
        process.go()
        first, early = await ear.next()
        second, late = await ear.next()
        committed = await asyncio.to_thread(process.answer)
    assert (first, second) == (READY, READY)
    assert early < committed
    assert late - committed < 1


async def test_within_a_process_too(ear: Ear, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        ear.store.submit_on(connection, [a_job()])
        assert (await ear.next())[0] == READY
        assert await ear.store.insight.jobs(JobFilter(), limit=1) == []
        connection.commit()
        assert (await ear.next())[0] == READY
        assert len(await ear.store.insight.jobs(JobFilter(), limit=1)) == 1


async def test_a_submit_in_this_process_is_heard(ear: Ear) -> None:
    await ear.store.jobs.submit([a_job()])
    assert (await ear.next())[0] == READY
    await asyncio.to_thread(ear.store.submit_now, [a_job()])
    assert (await ear.next())[0] == READY


async def test_sockets_of_the_dead_are_removed(ear: Ear) -> None:
    folder = ear.store._mailbox._folder
    dead = folder / "1-dead.sock"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as box:
        box.bind(str(dead))
    assert dead.exists()
    await ear.store.jobs.submit([a_job()])
    assert (await ear.next())[0] == READY
    await ear.store.insight.now()
    assert not dead.exists()


async def test_strange_letters_are_ignored(ear: Ear) -> None:
    (address,) = ear.store._mailbox._folder.iterdir()
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as stranger:
        for letter in (b"", b"\xff", b"{}", b'[false,[{"kind":1}]]'):
            stranger.sendto(letter, str(address))
    await ear.store.jobs.submit([a_job()])
    assert (await ear.next())[0] == READY
    assert ear.heard.empty()


async def test_the_folder_is_private_and_goes_with_the_last(ear: Ear) -> None:
    folder = ear.store._mailbox._folder
    assert folder.stat().st_mode & 0o777 == 0o700
    await ear.store.wakeup.stop()
    assert not folder.exists()
    await ear.store.wakeup.start(ear)
    assert folder.exists()


async def test_a_path_too_long_for_a_socket_works_as_well(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    one, other = SqliteStore(folder / "rota.db"), SqliteStore(folder / "rota.db")
    await one.open()
    await other.open()
    ear = Ear(one)
    await one.wakeup.start(ear)
    await other.wakeup.notify(Notice("queues", "mail"))
    assert (await ear.next())[0] == Notice("queues", "mail")
    await one.close()
    await other.close()
    assert [entry.name for entry in folder.iterdir() if entry.name.endswith(".wake")] == []


async def test_two_stores_of_one_process_hear_each_other(ear: Ear, path: Path) -> None:
    other = SqliteStore(path)
    await other.open()
    await other.jobs.submit([a_job()])
    assert (await ear.next())[0] == READY
    await other.close()


async def test_it_starts_again(ear: Ear) -> None:
    again = Ear(ear.store)
    await ear.store.wakeup.start(again)
    await ear.store.jobs.submit([a_job()])
    assert (await again.next())[0] == READY
    assert ear.heard.empty()
