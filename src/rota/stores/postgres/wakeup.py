"""Notices by LISTEN and NOTIFY (`ports.wakeup`)."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any

import asyncpg

from rota.model.events import Notice
from rota.stores.postgres.database import CONNECT_TIMEOUT, Database

__all__ = ["PostgresWakeup"]

KINDS = ("ready", "scheduled", "cancel", "schedules", "queues", "workers")
_TROUBLES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_FIRST_PAUSE = 0.1
_FAREWELL = 1.0
_LONGEST_PAUSE = 5.0
# A connection that died without a word (a pulled cable, a firewall) is found out by asking.
_CHECK_EVERY = 30.0
# PostgreSQL takes less than 8,000 bytes. A name that long is left out, which means any.
_LONGEST_NAME = 7900


class PostgresWakeup:
    """One connection that listens, made again whenever it breaks.

    Args:
        database: where notices are sent, and which settings a connection takes.
        channel: under which name.
        enabled: False neither sends nor listens: everybody polls.
    """

    def __init__(self, database: Database, channel: str, *, enabled: bool) -> None:
        self._database = database
        self._channel = channel
        self._enabled = enabled
        self._task: asyncio.Task[None] | None = None

    async def start(self, listener: Callable[[Notice], None]) -> None:
        """See `Wakeup.start`. Returns when it listens, or when the first try has failed."""
        if not self._enabled or self._task is not None:
            return
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._listen(listener, ready), name="rota-listen")
        await ready.wait()

    async def notify(self, notice: Notice) -> None:
        """See `Wakeup.notify`."""
        if self._enabled:
            name = notice.name if len(notice.name.encode()) <= _LONGEST_NAME else ""
            await self._database.fetch("notify", f"{notice.kind}:{name}")

    async def stop(self) -> None:
        """See `Wakeup.stop`."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _listen(self, listener: Callable[[Notice], None], ready: asyncio.Event) -> None:
        pause = _FIRST_PAUSE
        first = True
        while True:
            try:
                connection = await self._database.connect()
                try:
                    await self._follow(connection, listener, ready, missed=not first)
                finally:
                    with contextlib.suppress(Exception):
                        await connection.close(timeout=_FAREWELL)
                pause = _FIRST_PAUSE
            except _TROUBLES:
                # Others poll meanwhile, and say what is wrong.
                pass
            finally:
                ready.set()
            first = False
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - keeps many listeners apart
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _follow(
        self,
        connection: "asyncpg.Connection[Any]",
        listener: Callable[[Notice], None],
        ready: asyncio.Event,
        *,
        missed: bool,
    ) -> None:
        """Listen until the connection breaks."""
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _: ended.set())

        def receive(_connection: Any, _pid: int, _channel: str, payload: object) -> None:
            kind, _, name = str(payload).partition(":")
            listener(Notice(kind, name))

        await connection.add_listener(self._channel, receive)
        ready.set()
        if missed:
            for kind in KINDS:
                listener(Notice(kind))
        while not ended.is_set():
            try:
                await asyncio.wait_for(ended.wait(), _CHECK_EVERY)
            except TimeoutError:
                await connection.execute("select 1", timeout=CONNECT_TIMEOUT)
