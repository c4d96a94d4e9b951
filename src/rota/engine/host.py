"""One process: starts its parts in order, waits for a signal, stops them in reverse."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from rota.model.events import Notice
from rota.ports.wakeup import Wakeup

__all__ = ["Part", "host"]


class Part(Protocol):
    """Something that runs in the process until it is stopped."""

    stopped: asyncio.Event

    async def start(self) -> None:
        """Begin."""
        ...

    def notice(self, notice: Notice) -> None:
        """Take a wake-up call."""
        ...

    async def stop(self) -> None:
        """End gracefully."""
        ...

    async def hurry(self) -> None:
        """End what still runs now."""
        ...


async def host(parts: Sequence[Part], wakeup: Wakeup, *, ready: Callable[[], None] = lambda: None) -> None:
    """Run parts until SIGTERM or SIGINT, or until one of them has stopped by itself.

    The first signal stops gracefully, a second one at once.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = _Signals(loop, stop, parts)
    started: list[Part] = []

    def spread(notice: Notice) -> None:
        for part in started:
            part.notice(notice)

    with signals:
        await wakeup.start(spread)
        try:
            for part in parts:
                await part.start()
                started.append(part)
            ready()
            await _first([stop.wait(), *(part.stopped.wait() for part in parts)])
        finally:
            for part in reversed(started):
                await part.stop()
            await wakeup.stop()


async def _first(waits: Sequence[object]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]  # type: ignore[call-overload]  # all are coroutines
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Signals:
    """SIGTERM and SIGINT as a stop, then as a hurry; on systems whose loops cannot, by `signal.signal`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stop: asyncio.Event, parts: Sequence[Part]) -> None:
        self._loop = loop
        self._stop = stop
        self._parts = parts
        self._handled: list[int] = []
        self._before: dict[int, object] = {}
        self._hurrying: list[asyncio.Task[None]] = []

    def __enter__(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                self._loop.add_signal_handler(number, self._received)
                self._handled.append(number)
            except (NotImplementedError, RuntimeError, ValueError):
                self._fall_back(number)

    def __exit__(self, *_: object) -> None:
        for number in self._handled:
            self._loop.remove_signal_handler(number)
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]  # what signal() gave

    def _fall_back(self, number: signal.Signals) -> None:
        # Not in the main thread: whoever started this one has to stop it.
        with suppress(ValueError):
            self._before[number] = signal.signal(
                number, lambda *_: self._loop.call_soon_threadsafe(self._received)
            )

    def _received(self) -> None:
        if self._stop.is_set():
            self._hurrying.extend(self._loop.create_task(part.hurry()) for part in self._parts)
        self._stop.set()
