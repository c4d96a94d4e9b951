"""Takes jobs back from owners that fell silent."""

import random
import time

from rota.engine.announcer import Announcer
from rota.engine.service import LONGEST_JITTER, LONGEST_RETRY, Loop
from rota.model.clock import Clock, SystemClock
from rota.model.errors import StoreUnavailableError
from rota.model.events import Rescued
from rota.ports.jobs import JobStore, RescuedJob
from rota.ports.limits import LimitStore

__all__ = ["Rescuer"]

INTERVAL = 4.0
GROUP = 500
SWEEP_EVERY = 8
STEP = 1.0
LATE = 15.0
MARGIN = 2.0


class Rescuer:
    """Looks every 4 s, so that a dead worker's jobs run again within their lease and 5 s.

    With `isolate` they run alone from then on: one of them may have been what killed it.

    After the store was away, this process slept, or the machine's clock (which is SQLite's) was set, leases
    may have passed that their owners could not extend: they get the time for that first, and to write what
    has ended. That is as long as an owner may take to find the store back. It is not needed before the first
    lease can have passed that was extended just before the trouble: a short outage delays nothing.

    Args:
        lease: how long an owner's claims last unextended, in seconds.
        beat_every: how often owners extend their leases, in seconds.
        clock: the machine's.
    """

    name = "rescuer"

    def __init__(
        self,
        jobs: JobStore,
        limits: LimitStore,
        announcer: Announcer,
        *,
        isolate: bool = False,
        lease: float = 30.0,
        beat_every: float = 10.0,
        clock: Clock | None = None,
    ) -> None:
        self._jobs = jobs
        self._limits = limits
        self._announcer = announcer
        self._isolate = isolate
        self._clock = clock or SystemClock()
        # An owner tries again after a pause, or hangs in a beat that began before the store was back.
        self._courtesy = max(LONGEST_RETRY * LONGEST_JITTER, beat_every) + MARGIN
        self._unharmed = max(0.0, lease - beat_every - MARGIN)
        self._offset = self._clock_offset()
        self._looked_at = self._worked_at = time.monotonic()
        self._away = False
        self._holds_from = self._holds_until = 0.0
        self._turns = 0
        self.loop = Loop(self, announcer)

    async def turn(self) -> float:
        """Rescue one group; now and then also release jobs that are held for no reason any more."""
        rescued: list[RescuedJob] = []
        began = time.monotonic()
        try:
            if not self._owners_come_first(began):
                rescued = await self._jobs.rescue(GROUP, isolate=self._isolate)
            if self._turns % SWEEP_EVERY == 0:
                await self._limits.sweep()
        except StoreUnavailableError:
            self._away = True
            raise
        self._away, self._worked_at = False, began
        if rescued:
            self._announcer.announce(Rescued(tuple(job.id for job in rescued)))
        self._turns += 1
        if len(rescued) == GROUP:
            return 0
        return INTERVAL * random.uniform(0.9, 1.0)  # noqa: S311 - keeps several workers from looking at once

    def _owners_come_first(self, now: float) -> bool:
        offset = self._clock_offset()
        stepped = abs(offset - self._offset) > STEP
        if stepped or self._away or now - self._looked_at > LATE:
            self._holds_from = now if stepped else self._worked_at + self._unharmed
            self._holds_until = now + self._courtesy
            self._turns = 0  # so that the store is asked something, and its absence noticed
        self._looked_at, self._offset = now, offset
        return self._holds_from <= now < self._holds_until

    def _clock_offset(self) -> float:
        return self._clock.now().timestamp() - time.monotonic()
