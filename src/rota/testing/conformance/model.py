"""A store of a few dictionaries: what the real ones are compared with (see `machine`)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from rota.model.job import JobRecord
from rota.model.outcome import Cancelled, Failed, Handed, Outcome, Retried, Snooze, Succeeded, Suspended
from rota.model.states import FINISHED, LIVE, State

__all__ = ["ModelJob", "ModelStore"]

_STARTED = frozenset({State.RUNNING, State.HANDED})


@dataclass
class ModelJob:
    """One job, with what the store must say of it."""

    id: UUID
    queue: str
    rank: int
    seq: int
    unique_key: str | None = None
    parent: UUID | None = None
    state: State = State.READY
    run_at: datetime | None = None
    expires_at: datetime | None = None
    attempt: int = 0
    crashes: int = 0
    token: int | None = None
    claimed_at: datetime | None = None
    lease_until: datetime | None = None
    held: str | None = None
    slots: tuple[str, ...] = ()
    cancel_requested: bool = False
    wake_key: str | None = None
    wake_at: datetime | None = None
    children: int = 0
    settled: int | None = None
    lost: set[int] = field(default_factory=set)

    @property
    def place(self) -> tuple[int, int]:
        """Its order in its queue."""
        return (self.rank, self.seq)

    def differs(self, record: JobRecord) -> dict[str, tuple[object, object]]:
        """Return what the store says otherwise: (expected, found) by name."""
        names = ["state", "queue", "rank", "unique_key", "expires_at"]
        if self.state is not State.CANCELLED:
            names += ["attempt", "crashes"]  # it does not matter how often a cancelled job was tried
        if self.state in LIVE:
            names += ["held", "slots", "cancel_requested", "token", "lease_until"]
        if self.state is State.SCHEDULED:
            names += ["run_at"]
        if self.state is State.WAITING:
            names += ["wake_key", "wake_at", "children"]
        pairs = {name: (getattr(self, name), getattr(record, name)) for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


class ModelStore:
    """Every verb of the job and limit ports, on plain values, one after another."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.jobs: dict[UUID, ModelJob] = {}
        self.paused: set[str] = set()
        self.capacity: dict[str, int] = {}
        self._seq = 0

    def next_seq(self) -> int:
        """Return the next place in line."""
        self._seq += 1
        return self._seq

    def live(self) -> list[ModelJob]:
        """Return the jobs that have not finished, in their order."""
        return sorted((job for job in self.jobs.values() if job.state in LIVE), key=lambda job: job.place)

    def used(self, scope: str) -> int:
        """Return how many jobs hold a slot of the scope."""
        return sum(scope in job.slots for job in self.jobs.values())

    def submit(self, job: ModelJob) -> UUID | None:
        """Add a job; returns the one that has its unique key already."""
        for other in self.live():
            if job.unique_key is not None and other.unique_key == job.unique_key:
                return other.id
        if job.run_at is not None and job.run_at > self.now:
            job.state = State.SCHEDULED
        self.jobs[job.id] = job
        return None

    def claimable(self, queues: tuple[str, ...], limit: int) -> list[ModelJob]:
        """Return what a claim must give."""
        ready = [job for job in self.live() if job.state is State.READY and not self._is_late(job)]
        free = [job for job in ready if job.held is None]
        by_queue = [
            [job for job in free if job.queue == queue] for queue in queues if queue not in self.paused
        ]
        return [job for line in by_queue for job in line][:limit]

    def claim(self, job: ModelJob, token: int, lease: timedelta) -> None:
        """Give a job to an owner."""
        job.state, job.token, job.lease_until = State.RUNNING, token, self.now + lease
        job.attempt, job.claimed_at = job.attempt + 1, self.now

    def owns(self, job: UUID, token: int) -> bool:
        """Say whether a claim holds."""
        return self.jobs[job].token == token and self.jobs[job].state in _STARTED

    def settle(self, job: ModelJob, outcome: Outcome, handed_token: int | None) -> None:
        """Write the outcome of a claim that holds."""
        scopes, job.settled = job.slots, job.token
        if job.cancel_requested and isinstance(outcome, Retried | Snooze | Suspended):
            outcome = Cancelled()
        if isinstance(outcome, Handed):
            job.state, job.token, job.lease_until = State.HANDED, handed_token, outcome.deadline
            return
        self._free(job)
        match outcome:
            case Retried(delay=delay) | Snooze(delay=delay):
                job.attempt -= isinstance(outcome, Snooze)
                job.run_at = self.now + delay
                job.state = State.SCHEDULED if delay else State.READY
            case Suspended(wake_key=key, wake_at=moment, children=children):
                awaited = sum(child.parent == job.id for child in self.live()) if children else 0
                job.state = State.READY if children and not awaited else State.WAITING
                if job.state is State.WAITING:
                    job.wake_key, job.wake_at, job.children = key, moment, awaited
            case Succeeded():
                self._finish(job, State.SUCCEEDED)
            case Failed():
                self._finish(job, State.FAILED)
            case Cancelled():
                self._finish(job, State.CANCELLED)
        self.release(scopes)

    def give_back(self, job: ModelJob) -> None:
        """Return a claimed job to its place."""
        scopes = job.slots
        self._lose(job)
        job.attempt -= 1
        self.release(scopes)

    def leave(self, job: ModelJob) -> None:
        """Take a running job's claim away, since its worker stays behind when the store is moved."""
        job.slots = ()
        if job.cancel_requested:
            job.lease_until = job.claimed_at
        else:
            if job.token is not None:
                job.lost.add(job.token)
            job.state, job.token, job.lease_until = State.READY, None, None
            job.attempt -= 1

    def rescue(self) -> dict[UUID, State]:
        """Take back what is past its lease."""
        late = [job for job in self.live() if job.lease_until is not None and job.lease_until <= self.now]
        scopes = tuple(scope for job in late for scope in job.slots)
        for job in late:
            self._lose(job)
            job.crashes += 1
        self.release(scopes)
        return {job.id: job.state for job in late}

    def acquire(self, job: ModelJob, scope: str, limit: int) -> bool:
        """Give a slot to a claim that holds, or park its job."""
        self.capacity[scope] = limit
        if scope in job.slots:
            return True
        if self.used(scope) < limit:
            job.slots = (scope,)
            return True
        self._lose(job)
        job.attempt -= 1
        if job.state is State.READY:
            job.held = f"limit:{scope}"
        return False

    def release(self, scopes: tuple[str, ...]) -> int:
        """Let held jobs in, as many as there is room; returns how many."""
        released = 0
        for scope in sorted(set(scopes)):
            held = [job for job in self.live() if job.held == f"limit:{scope}"]
            for job in held[: max(0, self.capacity[scope] - self.used(scope))]:
                job.held = None
                released += 1
        return released

    def promote(self) -> tuple[int, int]:
        """Expire and make ready what is due; returns how many are ready, and how many expired."""
        queued = [job for job in self.live() if job.state in {State.READY, State.SCHEDULED}]
        late = [job for job in queued if self._is_late(job)]
        for job in late:
            self._finish(job, State.EXPIRED)
        waiting = [job for job in self.live() if job.wake_at is not None and job.wake_at <= self.now]
        due = [job for job in self.live() if job.state is State.SCHEDULED and job.run_at <= self.now]  # type: ignore[operator]
        for job in (*waiting, *due):
            self._wake(job)
        return len(waiting) + len(due), len(late)

    def cancel(self, job: ModelJob) -> bool:
        """Cancel one live job; False when it runs and was asked to stop."""
        if job.state in _STARTED:
            job.cancel_requested = True
            return False
        self._finish(job, State.CANCELLED)
        return True

    def redrive(self, job: ModelJob) -> bool:
        """Start a finished job over, unless it succeeded or its key is taken."""
        taken = {other.unique_key for other in self.live()} - {None}
        if job.state not in FINISHED - {State.SUCCEEDED} or job.unique_key in taken:
            return False
        job.state, job.seq, job.attempt, job.crashes = State.READY, self.next_seq(), 0, 0
        job.cancel_requested, job.settled = False, None
        if self._is_late(job):
            job.expires_at = None
        parent = self.jobs.get(job.parent) if job.parent else None
        if parent is not None and parent.state is State.WAITING and parent.children:
            parent.children += 1
        return True

    def resume(self, job: ModelJob) -> bool:
        """Wake one job if it waits."""
        if job.state is not State.WAITING:
            return False
        self._wake(job)
        return True

    def _is_late(self, job: ModelJob) -> bool:
        return job.expires_at is not None and job.expires_at <= self.now

    def _wake(self, job: ModelJob) -> None:
        job.state, job.wake_key, job.wake_at, job.children = State.READY, None, None, 0

    def _free(self, job: ModelJob) -> None:
        job.token = job.lease_until = None
        job.slots = ()

    def _lose(self, job: ModelJob) -> None:
        """Take a claim away without an outcome."""
        if job.token is not None:
            job.lost.add(job.token)
        self._free(job)
        if job.cancel_requested:
            self._finish(job, State.CANCELLED)
        else:
            job.state = State.READY

    def _finish(self, job: ModelJob, state: State) -> None:
        job.state, job.held, job.wake_key, job.wake_at = state, None, None, None
        parent = self.jobs.get(job.parent) if job.parent else None
        if parent is not None and parent.state is State.WAITING and parent.children:
            parent.children -= 1
            if not parent.children:
                self._wake(parent)
