"""LISTEN and NOTIFY: reconnects by itself, and says when notices may have been missed."""

import asyncio

import psycopg

from rota.model.events import Notice
from rota.stores.postgres import PostgresStore
from rota.stores.postgres.wakeup import KINDS

END_LISTENER = "select pg_terminate_backend(pid) from pg_stat_activity where query like 'LISTEN%'"


async def test_after_a_reconnect_every_kind_is_told_once(store: PostgresStore) -> None:
    heard: asyncio.Queue[Notice] = asyncio.Queue()
    await store.wakeup.start(heard.put_nowait)
    await store.wakeup.notify(Notice("ready", "mail"))
    assert await heard.get() == Notice("ready", "mail")

    with psycopg.connect(store.url, autocommit=True) as connection:
        assert connection.execute(END_LISTENER).fetchall() == [(True,)]

    missed = [await heard.get() for _ in KINDS]
    assert missed == [Notice(kind) for kind in KINDS]
    await store.wakeup.notify(Notice("ready", "mail"))
    assert await heard.get() == Notice("ready", "mail")
    await store.wakeup.stop()


async def test_a_name_that_is_too_long_for_a_notice_means_any(store: PostgresStore) -> None:
    heard: asyncio.Queue[Notice] = asyncio.Queue()
    await store.wakeup.start(heard.put_nowait)
    await store.wakeup.notify(Notice("schedules", "ø" * 5000))
    assert await heard.get() == Notice("schedules")
    await store.wakeup.stop()


async def test_who_does_not_listen_neither_hears_nor_tells(store: PostgresStore) -> None:
    quiet = PostgresStore(store.url, listen=False)
    await quiet.open()
    heard: asyncio.Queue[Notice] = asyncio.Queue()
    await store.wakeup.start(heard.put_nowait)
    await quiet.wakeup.start(heard.put_nowait)
    await quiet.wakeup.notify(Notice("ready", "quiet"))
    await store.wakeup.notify(Notice("ready", "fence"))
    assert await heard.get() == Notice("ready", "fence")
    assert heard.empty()
    await store.wakeup.stop()
    await quiet.wakeup.stop()
    await quiet.close()


async def test_starting_and_stopping_again(store: PostgresStore) -> None:
    heard: asyncio.Queue[Notice] = asyncio.Queue()
    for turn in ("one", "two"):
        await store.wakeup.start(heard.put_nowait)
        await store.wakeup.notify(Notice("ready", turn))
        assert await heard.get() == Notice("ready", turn)
        await store.wakeup.stop()
    await store.wakeup.stop()
