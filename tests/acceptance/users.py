"""What the tests of a user's day share: both stores, and a worker in a thread of this process."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rota.app.rota import Rota
from rota.app.serving import run_loop, serve
from rota.model.events import Notice

__all__ = ["Bell", "working"]

PATIENCE = 20.0


class Bell:
    """A part of a process that ends it when another thread rings."""

    def __init__(self) -> None:
        self.stopped = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    def notice(self, notice: Notice) -> None: ...

    async def stop(self) -> None: ...

    async def hurry(self) -> None: ...

    def ring(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.stopped.set)


@contextmanager
def working(app: Rota, roles: Sequence[str] = ("worker",)) -> Iterator[None]:
    """Run parts of an app in a thread, as `rota worker` would in a process; stop gracefully at the end."""
    bell, ready = Bell(), threading.Event()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            run_loop(serve(app, roles, also=[bell], ready=ready.set))
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)
            ready.set()

    thread = threading.Thread(target=run, name="worker")
    thread.start()
    ready.wait(PATIENCE)
    try:
        if not errors:
            yield
    finally:
        bell.ring()
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the worker did not stop"
        if errors:
            raise errors[0]
