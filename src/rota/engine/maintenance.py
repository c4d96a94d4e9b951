"""The parts that keep a store in order: promoter, rescuer, pruner. Any number may run at once."""

import asyncio

from rota.engine.announcer import Announcer
from rota.engine.promoter import Promoter
from rota.engine.pruner import Pruner
from rota.engine.rescuer import Rescuer
from rota.model.events import Notice
from rota.ports.retention import Retention
from rota.ports.store import Store

__all__ = ["Maintenance"]


class Maintenance:
    """Promotes, rescues and prunes until it is stopped; `isolate` is the rescuer's.

    Args:
        lease: how long claims last unextended, in seconds.
        beat_every: how often workers extend their leases, in seconds.
    """

    def __init__(
        self,
        store: Store,
        announcer: Announcer,
        retention: Retention,
        *,
        isolate: bool = False,
        lease: float = 30.0,
        beat_every: float = 10.0,
    ) -> None:
        self.stopped = asyncio.Event()
        self._promoter = Promoter(store.jobs, announcer)
        rescuer = Rescuer(
            store.jobs, store.limits, announcer, isolate=isolate, lease=lease, beat_every=beat_every
        )
        self._loops = (
            self._promoter.loop,
            rescuer.loop,
            Pruner(store.retention, retention, announcer).loop,
        )

    async def start(self) -> None:
        """Begin."""
        for loop in self._loops:
            loop.start()

    def notice(self, notice: Notice) -> None:
        """Look for due jobs again when one was scheduled sooner."""
        if notice.kind == "scheduled":
            self._promoter.loop.poke()

    async def stop(self) -> None:
        """End after the turns that run."""
        await asyncio.gather(*(loop.stop() for loop in self._loops))

    async def hurry(self) -> None:
        """End at once."""
        await asyncio.gather(*(loop.abort() for loop in self._loops))
