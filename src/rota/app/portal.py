"""One background event loop per process, so that synchronous code can use the store's asynchronous verbs."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["Portal"]

T = TypeVar("T")


class Portal:
    """Runs coroutines in a loop of its own thread; started at first use, and anew after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and wait for it; the caller's thread must not run an event loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop()).result()

    async def run_async(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and await it here."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop()))

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the running background loop."""
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                self._loop = asyncio.new_event_loop()
                self._pid = os.getpid()
                threading.Thread(
                    target=self._serve, args=(self._loop,), name="rota-portal", daemon=True
                ).start()
            return self._loop

    def close(self) -> None:
        """Stop the loop."""
        with self._lock:
            if self._loop is not None and self._pid == os.getpid():
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None

    @staticmethod
    def _serve(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
