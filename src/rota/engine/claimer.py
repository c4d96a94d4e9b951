"""Claims jobs while there is room, and waits for a wake-up when there are none."""

import random
import time
from collections import Counter, deque
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
# Seconds between looks while jobs keep coming: what comes meanwhile is claimed and settled together.
BUSY_POLL = 0.01
BUSY_FOR = 0.1
# Signs of work within `BUSY_FOR` (notices, and looks that found something unasked): with the former an idle
# worker wakes up, with fewer than the latter one that is awake becomes idle.
BUSY_SIGNS = 8
CALM_SIGNS = 4

Scopes = Callable[[ClaimedJob], tuple[tuple[str, int], ...]]
Deliver = Callable[[ClaimedJob, bool], None]


class Claimer:
    """Fills the worker's free slots.

    While many jobs come it polls and is not marked idle, so that submits need not notify; when they are few
    it marks itself idle and waits for notices. A submit that was under way at the mark knows nothing of it:
    each next look comes when as much time has passed again since the mark, up to the safety poll, which also
    covers notices that were lost.

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
        self._unasked_at = 0.0
        self._filled_since: float | None = None
        self._seen_at: deque[float] = deque(maxlen=BUSY_SIGNS)
        # Executors that had room left at the last look: one for them alone would mostly find nothing before
        # its time, unless a notice came.
        self._dry: frozenset[str] = frozenset()
        self._look_at = 0.0
        self._called = False
        self.draining = False
        self.loop = Loop(self, announcer)

    def call(self) -> None:
        """Look now: a notice came."""
        self._called = True
        self._seen_at.append(time.monotonic())
        self.loop.poke()

    async def turn(self) -> float | None:
        """Claim once; returns the seconds until the next look."""
        room = {} if self.draining else self._capacity.room()
        if not room:
            return SAFETY_POLL
        wait = self._look_at - time.monotonic()
        if wait > 0 and not self._called and room.keys() <= self._dry:
            return wait
        # Cleared before the claim: a notice that comes during it may be of a job that it does not see.
        called, self._called, self._dry = self._called, False, frozenset()
        claimed = await self._claim(room)
        now = time.monotonic()
        if claimed and not called:
            self._unasked_at = now
            self._seen_at.append(now)
        unfilled = _unfilled(claimed, room)
        filled = unfilled != room.keys()
        pause = await self._stay_awake(now) if filled else await self._calm_down(now)
        self._look_at, self._dry = now + pause, unfilled
        return 0 if filled else pause

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

    async def _stay_awake(self, now: float) -> float:
        """There may be more: return the seconds until executors that had room left are asked for alone."""
        self._filled_since = self._filled_since or now
        if self._idle and (now - self._filled_since > BUSY_FOR or self._signs(now) == BUSY_SIGNS):
            await self._wake()
        return BUSY_POLL

    async def _calm_down(self, now: float) -> float:
        """There was no more: return the seconds until the next look."""
        self._filled_since = None
        if self._idle and self._signs(now) == BUSY_SIGNS:
            await self._wake()
        elif not self._idle and self._signs(now) < CALM_SIGNS:
            await self._workers.idle(self.owner, idle=True)
            self._idle, self._unasked_at = True, time.monotonic()
            return 0
        return min(max(now - self._unasked_at, BUSY_POLL), SAFETY_POLL) if self._idle else BUSY_POLL

    async def _wake(self) -> None:
        # Awake first: should the answer be lost, it is on the safe side.
        self._idle = False
        await self._workers.idle(self.owner, idle=False)

    def _signs(self, now: float) -> int:
        """Count the latest signs of work, up to `BUSY_SIGNS`."""
        return sum(sign > now - BUSY_FOR for sign in self._seen_at)


def _unfilled(jobs: list[ClaimedJob], room: Mapping[str, int]) -> frozenset[str]:
    """Return the executors that could have taken more: there is no more for them."""
    counts = Counter([job.executor for job in jobs])
    return frozenset(name for name, limit in room.items() if counts[name] < limit)
