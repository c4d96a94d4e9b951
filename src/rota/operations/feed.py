"""The line of all events, for any number of listeners by one reader; nobody reads while nobody listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from rota.model.errors import StoreUnavailableError
from rota.model.trail import PlacedEvent
from rota.ports.trail import TrailStore

__all__ = ["EventFeed"]

EVERY = 1.0
PAGE = 500
BEHIND = 2_000


class EventFeed:
    """Hands events to listeners as they come.

    Args:
        trail: where they are.
        every: seconds between two looks.
    """

    def __init__(self, trail: TrailStore, every: float = EVERY) -> None:
        self._trail = trail
        self._every = every
        self._listeners: set[asyncio.Queue[PlacedEvent | None]] = set()
        self._place = 0
        self._reader: asyncio.Task[None] | None = None

    async def listen(
        self, after: int | None = None, *, quiet: float = 15.0
    ) -> AsyncIterator[PlacedEvent | None]:
        """Yield events behind a place, or from now on; None after every `quiet` seconds without one.

        Args:
            after: the place of the last event that the listener has seen.
            quiet: seconds.

        It ends for a listener that falls too far behind: it comes back with the last place that it saw.
        """
        queue: asyncio.Queue[PlacedEvent | None] = asyncio.Queue(BEHIND)
        # Heard from now on, before the past is read: what comes meanwhile is not missed, and seen once.
        self._listeners.add(queue)
        try:
            await self._start()
            seen = await self._trail.latest_event() if after is None else after
            if after is not None:
                async for one in self._past(after):
                    seen = one.place
                    yield one
            while True:
                one_or_none = await _next(queue, quiet)
                if one_or_none is None and queue not in self._listeners:
                    return
                if one_or_none is None or one_or_none.place > seen:
                    seen = one_or_none.place if one_or_none is not None else seen
                    yield one_or_none
        finally:
            self._listeners.discard(queue)

    async def _past(self, after: int) -> AsyncIterator[PlacedEvent]:
        while page := await self._trail.events_after(after, limit=PAGE):
            for one in page:
                yield one
            after = page[-1].place

    async def _start(self) -> None:
        if self._reader is not None and not self._reader.done():
            return
        place = await self._trail.latest_event()
        if self._reader is None or self._reader.done():
            self._place = place
            self._reader = asyncio.create_task(self._read(), name="rota-event-feed")

    async def _read(self) -> None:
        """Read while somebody listens."""
        while self._listeners:
            with suppress(StoreUnavailableError):  # the next look may find it again
                while page := await self._trail.events_after(self._place, limit=PAGE):
                    self._place = page[-1].place
                    for one in page:
                        self._hand_out(one)
            await asyncio.sleep(self._every)

    def _hand_out(self, one: PlacedEvent) -> None:
        for queue in list(self._listeners):
            try:
                queue.put_nowait(one)
            except asyncio.QueueFull:
                self._listeners.discard(queue)


async def _next(queue: "asyncio.Queue[PlacedEvent | None]", quiet: float) -> PlacedEvent | None:
    try:
        async with asyncio.timeout(quiet):
            return await queue.get()
    except TimeoutError:
        return None
