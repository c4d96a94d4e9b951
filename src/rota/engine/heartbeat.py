"""Extends the worker's claims, and brings back what it must know: lost claims, cancels, a drain."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from rota.engine.announcer import Announcer
from rota.engine.capacity import Capacity
from rota.engine.memory import resident_bytes
from rota.engine.runner import Runner
from rota.engine.service import Loop
from rota.model.errors import StoreUnavailableError
from rota.model.events import ClaimLost
from rota.model.worker import Beat, Orders
from rota.ports.workers import WorkerStore

__all__ = ["Heartbeat"]

SHORTEST_PATIENCE = 2.0


class Heartbeat:
    """One statement every `interval` seconds for all claims together.

    Args:
        owner: whose claims.
        lease: how long they last unextended.
        drained: called when the store asks the worker to finish and leave.
        forgotten: called when the store no longer knows the worker (it was presumed dead).
    """

    name = "heartbeat"

    def __init__(
        self,
        workers: WorkerStore,
        runner: Runner,
        capacity: Capacity,
        announcer: Announcer,
        *,
        owner: UUID,
        lease: timedelta,
        interval: float,
        drained: Callable[[], None],
        forgotten: Callable[[], None],
    ) -> None:
        self._workers = workers
        self._runner = runner
        self._capacity = capacity
        self._announcer = announcer
        self._owner = owner
        self._lease = lease
        self._interval = interval
        self._drained = drained
        self._forgotten = forgotten
        self._last = time.monotonic()
        self.loop = Loop(self, announcer)

    def alive(self) -> bool:
        """Tell whether the claims may still be valid; who slept through the lease must ask first."""
        return time.monotonic() - self._last < self._lease.total_seconds()

    def beat(self) -> Beat:
        """Return what there is to tell and to extend now; for any thread while the loop stands still."""
        started = tuple(attempt.job.claim for attempt in list(self._runner.attempts.values()))
        held = tuple(job.claim for lane in self._capacity.lanes.values() for job in list(lane.waiting))
        return Beat(owner=self._owner, lease=self._lease, started=started, held=held, memory=resident_bytes())

    def extended(self, began: float) -> None:
        """Take note that another way of beating, which began at a monotonic moment, has reached the store."""
        self._last = max(self._last, began)

    async def turn(self) -> float:
        """Beat once and obey the answer."""
        began = time.monotonic()
        try:
            # One that hangs must leave time for another before the lease ends.
            async with asyncio.timeout(max(self._interval, SHORTEST_PATIENCE)):
                orders = await self._workers.beat(self.beat())
        except TimeoutError as error:
            raise StoreUnavailableError("a heartbeat had no answer in time") from error
        self._obey(orders)
        self._last = began
        self._runner.resume()
        return self._interval

    def _obey(self, orders: Orders) -> None:
        for job in self._runner.drop_waiting(orders.lost):
            self._announcer.announce(ClaimLost(job.id, job.task, late=False))
        self._runner.cancel_waiting(orders.cancel)
        for ids, reason in ((orders.lost, "lost"), (orders.cancel, "cancelled")):
            for job_id in ids:
                attempt = self._runner.attempts.get(job_id)
                if attempt is not None:
                    attempt.stop(reason)
        if not orders.known:
            self._forgotten()
        if orders.drain:
            self._drained()
