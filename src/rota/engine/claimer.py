"""Claims jobs while there is room, and waits for a wake-up when there are none."""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from rota.engine.announcer import Announcer
from rota.engine.capacity import Capacity
from rota.engine.service import Loop
from rota.model.job import ClaimedJob, ClaimRequest
from rota.policy.queue_order import QueueOrder
from rota.ports.jobs import JobStore
from rota.ports.limits import LimitStore, SlotRequest
from rota.ports.workers import WorkerStore

__all__ = ["Claimer"]

SAFETY_POLL = 5.0
BUSY_POLL = 0.004
BUSY_FOR = 0.1
CALM_AFTER = 0.05

Scopes = Callable[[ClaimedJob], tuple[tuple[str, int], ...]]
Deliver = Callable[[ClaimedJob, bool], None]


class Claimer:
    """Fills the worker's free slots.

    While it finds work it polls quickly and is not marked idle, so that submits need not notify; once calm
    it marks itself idle, looks once more (a job may have come in between) and waits for a notice. The safety
    poll covers notices that were lost.

    Args:
        owner: who claims.
        queues: in order of preference, or with weights for a share of the claims.
        scopes: the limited scopes of a job; empty for most.
        deliver: takes a job that may start, and whether it holds slots.
    """

    name = "claimer"

    def __init__(
        self,
        jobs: JobStore,
        limits: LimitStore,
        workers: WorkerStore,
        announcer: Announcer,
        *,
        owner: UUID,
        queues: QueueOrder,
        lease: timedelta,
        capacity: Capacity,
        scopes: Scopes,
        deliver: Deliver,
    ) -> None:
        self._jobs = jobs
        self._limits = limits
        self._workers = workers
        self.owner = owner
        self.queues = queues
        self._random = random.Random()  # noqa: S311 - shares, not secrets
        self._lease = lease
        self._capacity = capacity
        self._scopes = scopes
        self._deliver = deliver
        self._idle = False
        self._busy_since: float | None = None
        self._found_at = self._asked_at = time.monotonic()
        # Executors that had room left when others had not: a claim for them alone would mostly find nothing.
        self._dry: frozenset[str] = frozenset()
        self.draining = False
        self.loop = Loop(self, announcer)

    async def turn(self) -> float | None:
        """Claim once; returns the seconds until the next look."""
        room = {} if self.draining else self._capacity.room()
        if not room:
            return SAFETY_POLL
        if room.keys() <= self._dry and time.monotonic() - self._asked_at < BUSY_POLL:
            return BUSY_POLL
        claimed = await self._claim(room)
        now = self._asked_at = time.monotonic()
        if claimed:
            self._found_at = now
        unfilled = _unfilled(claimed, room)
        if unfilled != room.keys():
            self._dry = unfilled
            await self._stay_awake(now)
            return 0
        self._dry = frozenset()
        self._busy_since = None
        if self._idle:
            return SAFETY_POLL
        if now - self._found_at < CALM_AFTER:
            return BUSY_POLL
        await self._workers.idle(self.owner, idle=True)
        self._idle = True
        return 0

    async def claim_once(self) -> int:
        """Claim what there is room for, and return how many jobs came."""
        room = self._capacity.room()
        return len(await self._claim(room)) if room else 0

    def forget_idle(self) -> None:
        """Mark idle again later: the worker registered anew."""
        self._idle = False

    async def _claim(self, room: dict[str, int]) -> list[ClaimedJob]:
        queues = self.queues.draw(self._random)
        request = ClaimRequest(owner=self.owner, queues=queues, limits=room, lease=self._lease)
        jobs = await self._jobs.claim(request)
        requests = [SlotRequest(job.claim, scopes) for job in jobs if (scopes := self._scopes(job))]
        if not requests:
            for job in jobs:
                self._deliver(job, False)  # noqa: FBT003 - a flag of the callback
            return jobs
        limited = {request.claim.id for request in requests}
        granted = await self._limits.acquire(requests)
        for job in jobs:
            if job.id not in limited:
                self._deliver(job, False)  # noqa: FBT003
            elif job.id in granted:
                self._deliver(job, True)  # noqa: FBT003
        return jobs

    async def _stay_awake(self, now: float) -> None:
        if self._busy_since is None:
            self._busy_since = now
        elif self._idle and now - self._busy_since > BUSY_FOR:
            await self._workers.idle(self.owner, idle=False)
            self._idle = False


def _unfilled(jobs: list[ClaimedJob], room: Mapping[str, int]) -> frozenset[str]:
    """Return the executors that could have taken more: there is no more for them."""
    counts = Counter([job.executor for job in jobs])
    return frozenset(name for name, limit in room.items() if counts[name] < limit)
