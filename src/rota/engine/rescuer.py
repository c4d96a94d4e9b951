"""Takes jobs back from owners that fell silent."""

import random

from rota.engine.announcer import Announcer
from rota.engine.service import Loop
from rota.model.events import Rescued
from rota.ports.jobs import JobStore
from rota.ports.limits import LimitStore

__all__ = ["Rescuer"]

INTERVAL = 4.0
GROUP = 500
SWEEP_EVERY = 8


class Rescuer:
    """Looks every 4 s, so that a dead worker's jobs run again within their lease and 5 s.

    With `isolate` they run alone from then on: one of them may have been what killed it.
    """

    name = "rescuer"

    def __init__(
        self, jobs: JobStore, limits: LimitStore, announcer: Announcer, *, isolate: bool = False
    ) -> None:
        self._jobs = jobs
        self._limits = limits
        self._announcer = announcer
        self._isolate = isolate
        self._turns = 0
        self.loop = Loop(self, announcer)

    async def turn(self) -> float:
        """Rescue one group; now and then also release jobs that are held for no reason any more."""
        rescued = await self._jobs.rescue(GROUP, isolate=self._isolate)
        if rescued:
            self._announcer.announce(Rescued(tuple(job.id for job in rescued)))
        if self._turns % SWEEP_EVERY == 0:
            await self._limits.sweep()
        self._turns += 1
        if len(rescued) == GROUP:
            return 0
        return INTERVAL * random.uniform(0.9, 1.0)  # noqa: S311 - keeps several workers from looking at once
