"""Boot, loop and stop of every moving part, written once."""

import asyncio
import random
import time
from typing import Protocol

from rota.engine.announcer import Announcer
from rota.model.errors import StoreUnavailableError
from rota.model.events import ServiceFailed, ServiceRecovered

__all__ = ["Loop", "Service"]

FIRST_RETRY = 0.1
LONGEST_RETRY = 5.0
LONGEST_JITTER = 1.25


class Service(Protocol):
    """A part of the engine that works in turns."""

    name: str

    async def turn(self) -> float | None:
        """Do one piece of work; return the seconds until the next, or None to wait for a poke."""
        ...


class Loop:
    """Runs a service's turns until it is stopped; a failing turn is announced and tried again, ever later.

    While the store is away, whichever loop of the process finds it back first wakes the others.
    """

    def __init__(self, service: Service, announcer: Announcer) -> None:
        self._service = service
        self._announcer = announcer
        self._poked = asyncio.Event()
        self._again = asyncio.Event()
        self._found_at = 0.0
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        announcer.subscribe(ServiceRecovered, self._other_recovered)

    def start(self) -> None:
        """Begin with a first turn."""
        self._task = asyncio.create_task(self._run(), name=f"rota-{self._service.name}")

    def poke(self) -> None:
        """Start the next turn now."""
        self._poked.set()

    async def stop(self) -> None:
        """Let the turn that runs end, and start no other."""
        self._stopping = True
        self._poked.set()
        self._again.set()
        if self._task is not None:
            # Waited for, not awaited: a second signal may abort it meanwhile, and whoever stops goes on.
            await asyncio.wait([self._task])

    async def abort(self) -> None:
        """End at once, in the middle of a turn."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        failures = 0
        while not self._stopping:
            self._poked.clear()
            began = time.monotonic()
            try:
                wait = await self._service.turn()
            except Exception as error:  # noqa: BLE001 - one broken turn must not end the service
                if isinstance(error, StoreUnavailableError) and began < self._found_at:
                    # It hung since before another found the store back: no news, and no new outage.
                    self._found_at = 0.0
                    continue
                await self._back_off(error, failures)
                failures += 1
                continue
            if failures:
                failures = 0
                self._announcer.announce(ServiceRecovered(self._service.name))
            if wait is None or wait > 0:
                await _wait(self._poked, wait)

    async def _back_off(self, error: Exception, failures: int) -> None:
        wait = min(LONGEST_RETRY, FIRST_RETRY * 2.0**failures) * random.uniform(0.75, LONGEST_JITTER)  # noqa: S311 - jitter
        away = isinstance(error, StoreUnavailableError)
        self._again.clear()
        self._announcer.announce(
            ServiceFailed(self._service.name, str(error) if away else repr(error), wait, away=away)
        )
        # Pokes do not count: they would turn an outage into a busy loop.
        if not self._stopping:
            await _wait(self._again, wait)

    def _other_recovered(self, event: ServiceRecovered) -> None:
        if event.service != self._service.name:
            self._found_at = time.monotonic()
            self._again.set()


async def _wait(event: asyncio.Event, seconds: float | None) -> None:
    if event.is_set():
        return
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
