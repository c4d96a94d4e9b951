"""A thread with a connection of its own, to which an event loop hands operations."""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from rota.model.errors import StoreUnavailableError
from rota.stores.sqlite.fork import survive
from rota.stores.sqlite.transaction import Snapshot

__all__ = ["ConnectionThread", "Request"]

S = TypeVar("S", bound=Snapshot)
T = TypeVar("T")


class Request(Generic[S]):
    """An operation on its way, and later its answer."""

    __slots__ = ("answer", "error", "future", "operation")

    def __init__(self, operation: Callable[[S], Any], future: asyncio.Future[Any]) -> None:
        self.operation = operation
        self.future = future
        self.answer: Any = None
        self.error: BaseException | None = None


class ConnectionThread(Generic[S]):
    """Takes operations from event loops and answers them.

    Args:
        name: of the thread.
        serve: answers all requests that wait at one time; called in the thread.
        close: releases the connection; called in the thread at its end.
        forget: leaves the connection to the parent; called in a forked child.
    """

    def __init__(
        self,
        name: str,
        *,
        serve: Callable[[list[Request[S]]], None],
        close: Callable[[], None],
        forget: Callable[[], None],
    ) -> None:
        self._name = name
        self._serve = serve
        self._close = close
        self._forget = forget
        # Nothing may be put behind the None that ends the thread.
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[Request[S] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        survive(self)

    def start(self) -> None:
        """Start the thread, if it does not run."""
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    async def run(self, operation: Callable[[S], T]) -> T:
        """Hand an operation to the thread and await its answer.

        A caller that is cancelled does not take its operation back: it may happen all the same.

        Raises:
            StoreUnavailableError: the store is not open in this process.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._thread is None:
                raise StoreUnavailableError(
                    "the store is not open in this process (a fork does not count). Call `await store.open()`"
                )
            self._waiting.put(Request(operation, future))
        return await future

    async def stop(self) -> None:
        """Answer what waits, release the connection and end the thread."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._waiting.put(None)
        if thread is not None:
            await asyncio.to_thread(thread.join)

    def forked(self) -> None:
        """Start afresh in a child process, where the thread does not run."""
        self._forget()
        self._lock = threading.Lock()
        self._waiting = queue.SimpleQueue()
        self._thread = None

    def _run(self) -> None:
        running = True
        try:
            while running:
                batch = self._next()
                running = batch[-1] is not None
                requests = [request for request in batch if request is not None]
                if requests:
                    self._serve(requests)
                    _answer(requests)
        finally:
            self._close()

    def _next(self) -> list[Request[S] | None]:
        batch = [self._waiting.get()]
        with suppress(queue.Empty):
            while batch[-1] is not None:
                batch.append(self._waiting.get_nowait())
        return batch


def _answer(requests: list[Request[Any]]) -> None:
    """Give the answers back, with one call per event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Request[Any]]] = {}
    for request in requests:
        loops.setdefault(request.future.get_loop(), []).append(request)
    for loop, theirs in loops.items():
        # A loop that was closed meanwhile has nobody who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, theirs)


def _resolve(requests: list[Request[Any]]) -> None:
    for request in requests:
        if request.future.done():
            continue
        if request.error is not None:
            request.future.set_exception(request.error)
        else:
            request.future.set_result(request.answer)
