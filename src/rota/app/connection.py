"""An app's way to its store: opened at first use, from any code, safe after a fork."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from rota.app.portal import Portal
from rota.model.errors import StoreUnavailableError, WrongThreadError
from rota.model.job import Submission, Submitted
from rota.ports.store import Store

__all__ = ["Connection"]

T = TypeVar("T")


class Connection:
    """Runs store verbs for user code.

    Asynchronous verbs run in the portal's loop, or directly when the caller is in the loop of a worker of
    this app (`adopt`), whose store is open there.
    """

    def __init__(self, make_store: Callable[[], Store]) -> None:
        self._make_store = make_store
        self._portal = Portal()
        self._lock = threading.RLock()
        self._store: Store | None = None
        self._pid = 0
        self._adopted: tuple[asyncio.AbstractEventLoop, Store] | None = None

    def adopt(self, store: Store | None) -> None:
        """Use this open store for callers in the running loop; None ends that."""
        self._adopted = None if store is None else (asyncio.get_running_loop(), store)

    def store(self) -> Store:
        """Return the opened store; the first call of a process connects and creates or checks the schema."""
        with self._lock:
            if self._store is None or self._pid != os.getpid():
                store = self._make_store()
                self._portal.run(store.open())
                self._store, self._pid = store, os.getpid()
            return self._store

    def run(self, verb: str, work: Callable[[Store], Awaitable[T]]) -> T:
        """Run a store verb from synchronous code.

        Raises:
            WrongThreadError: this thread runs an event loop, which would be blocked.
        """
        self.refuse_in_loop(verb)
        store = self.store()
        return self._portal.run(_awaited(work, store))

    async def run_async(self, work: Callable[[Store], Awaitable[T]]) -> T:
        """Run a store verb from asynchronous code."""
        adopted = self._adopted
        if adopted is not None and adopted[0] is asyncio.get_running_loop():
            return await work(adopted[1])
        store = self._store if self._pid == os.getpid() else None
        if store is None:
            store = await asyncio.to_thread(self.store)
        return await self._portal.run_async(_awaited(work, store))

    def submit(
        self, submissions: Sequence[Submission], connection: Any, *, resend: bool = False
    ) -> list[Submitted]:
        """Submit by the store's synchronous driver, or on the caller's own connection."""
        self.refuse_in_loop("enqueue")
        if connection is not None:
            return self._store_beside().submit_on(connection, submissions)
        return self.store().submit_now(submissions, resend=resend)

    async def submit_async(
        self, submissions: Sequence[Submission], connection: Any, *, resend: bool = False
    ) -> list[Submitted]:
        """Submit from asynchronous code, or on the caller's own asynchronous connection."""
        if connection is not None:
            # The connection belongs to the caller's loop: its statements run here.
            store = await asyncio.to_thread(self._store_beside)
            return await store.submit_on_async(connection, submissions)
        return await self.run_async(lambda store: store.jobs.submit(submissions, resend=resend))

    def close(self) -> None:
        """Close the store and the portal."""
        with self._lock:
            if self._store is not None and self._pid == os.getpid():
                self._portal.run(self._store.close())
            self._store = None
            self._portal.close()

    def _store_beside(self) -> Store:
        """Return the store for a caller who is in a transaction of the same database."""
        try:
            return self.store()
        except StoreUnavailableError as error:
            raise StoreUnavailableError(
                f"{error}. If Rota's tables are not there yet: your own transaction may hold the lock that "
                "making them needs; run `rota db upgrade` once before"
            ) from error

    @staticmethod
    def refuse_in_loop(verb: str) -> None:
        """Refuse to block a running event loop."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        raise WrongThreadError(verb)


async def _awaited(work: Callable[[Store], Awaitable[T]], store: Store) -> T:
    return await work(store)
