"""A store under test with its clock, and the few words in which the suites speak to them."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest

from rota.model.ids import new_id
from rota.model.job import ClaimedJob, ClaimRequest, JobFilter, JobRecord, Submission
from rota.model.outcome import Failed, Fault, Outcome, Settlement, Succeeded
from rota.model.states import State
from rota.model.worker import TaskEntry, WorkerInfo
from rota.ports.limits import SlotRequest
from rota.ports.store import Store
from rota.testing.clock import FakeClock
from rota.testing.conformance.harness import Harness

__all__ = [
    "BOOM",
    "DONE",
    "FAILED",
    "HOUR",
    "LEASE",
    "MANY",
    "MINUTE",
    "SECOND",
    "START",
    "Scene",
    "a_job",
    "a_worker",
    "must",
    "needs",
]

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=30)
MANY = 100_000  # no limit, for a test
BOOM = Fault("ValueError", "boom", "Traceback: boom", ("builtins.ValueError", "builtins.Exception"))
DONE = Succeeded()
FAILED = Failed(BOOM)

T = TypeVar("T")


def a_job(**fields: Any) -> Submission:
    """Return a submission of a plain job; `fields` say what is special about it."""
    return Submission(**{"task": "work", "payload": b"{}"} | fields)


def a_worker(*queues: str, **fields: Any) -> WorkerInfo:
    """Return a worker for these queues."""
    work = TaskEntry(name="work", kind="function", executor="async", queue="default", schema={})
    plain: dict[str, Any] = {
        "id": new_id(),
        "host": "here",
        "pid": 4711,
        "version": "1.0",
        "queues": queues or ("default",),
        "tasks": (work,),
        "slots": {"async": 10},
    }
    return WorkerInfo(**plain | fields)


def must(value: T | None) -> T:
    """Return a value that has to be there."""
    assert value is not None
    return value


def needs(store: Store, capability: str) -> None:
    """Skip the test when the store declares that it lacks a capability."""
    if not getattr(store.capabilities, capability):
        pytest.skip(f"the {store.name} store lacks {capability!r}, and says so")


class Scene:
    """An open store, its clock, and one owner of claims."""

    def __init__(self, harness: Harness, store: Store, clock: FakeClock) -> None:
        self.harness, self.store, self.clock = harness, store, clock
        self.owner = new_id()

    async def submit(self, **fields: Any) -> UUID:
        """Submit one new job."""
        (submitted,) = await self.store.jobs.submit([a_job(**fields)])
        assert submitted.created
        return submitted.id

    async def submit_many(self, number: int, **fields: Any) -> list[UUID]:
        """Submit several new jobs that are alike, in one call."""
        submitted = await self.store.jobs.submit([a_job(**fields) for _ in range(number)])
        assert all(one.created for one in submitted)
        return [one.id for one in submitted]

    async def claim(
        self,
        *queues: str,
        limit: int = 100,
        owner: UUID | None = None,
        lease: timedelta = LEASE,
        limits: dict[str, int] | None = None,
    ) -> list[ClaimedJob]:
        """Claim from these queues (`default` when none is named)."""
        request = ClaimRequest(
            owner=owner or self.owner,
            queues=queues or ("default",),
            limits={"async": limit} if limits is None else limits,
            lease=lease,
        )
        return await self.store.jobs.claim(request)

    async def claim_one(
        self, *queues: str, owner: UUID | None = None, lease: timedelta = LEASE
    ) -> ClaimedJob:
        """Claim the first job, which must be there."""
        (job,) = await self.claim(*queues, limit=1, owner=owner, lease=lease)
        return job

    async def run(self, **fields: Any) -> ClaimedJob:
        """Submit a job and claim it; nothing else may be ready in its queue."""
        job = await self.submit(**fields)
        claimed = await self.claim_one(fields.get("queue", "default"))
        assert claimed.id == job
        return claimed

    async def settle(
        self,
        job: ClaimedJob,
        outcome: Outcome = DONE,
        *,
        duration: float = 0.0,
        limited: bool = False,
        crashed: bool = False,
    ) -> bool:
        """Settle one claim; False when it was refused."""
        settlement = Settlement(job.id, job.token, outcome, duration, limited, crashed)
        settled = await self.store.jobs.settle([settlement])
        assert settled.refused <= {job.id}
        return not settled.refused

    async def finish(self, outcome: Outcome = DONE, **fields: Any) -> UUID:
        """Submit a job, claim it and settle it."""
        job = await self.run(**fields)
        assert await self.settle(job, outcome)
        return job.id

    async def acquire(self, jobs: Sequence[ClaimedJob], limit: int, *scopes: str) -> list[UUID]:
        """Ask for a slot of each scope (`task:work` when none is named); returns the jobs granted."""
        wanted = tuple((scope, limit) for scope in scopes or ("task:work",))
        granted = await self.store.limits.acquire([SlotRequest(job.claim, wanted) for job in jobs])
        assert granted <= {job.id for job in jobs}
        return [job.id for job in jobs if job.id in granted]

    async def cancel(self, *jobs: UUID) -> tuple[UUID, ...]:
        """Cancel jobs; returns those that are cancelled now."""
        return (await self.store.jobs.cancel(JobFilter(ids=jobs))).cancelled

    async def redrive(self, *jobs: UUID) -> list[UUID]:
        """Redrive jobs; returns those that are ready now."""
        return await self.store.jobs.redrive(JobFilter(ids=jobs))

    async def job(self, job: UUID) -> JobRecord:
        """Return a job, which must be there."""
        return must(await self.store.insight.job(job))

    async def state(self, job: UUID) -> State:
        """Return a job's state."""
        return (await self.job(job)).state

    async def states(self, jobs: Sequence[UUID]) -> list[State]:
        """Return the states of jobs, which must be there."""
        found = await self.store.insight.results(jobs)
        return [found[job].state for job in jobs]

    async def events(self, job: UUID) -> list[str]:
        """Return the kinds of a job's events, in order."""
        return [event.kind for event in await self.store.insight.events(job)]

    async def count(self, state: State) -> int:
        """Return how many jobs are in a state, in all queues."""
        counts = await self.store.insight.counts()
        return sum(count.count for count in counts if count.state is state)

    async def holders(self) -> Counter[str]:
        """Return how many running or handed jobs hold a slot of each scope."""
        rows = await self.store.insight.jobs(JobFilter(), limit=MANY)
        for row in rows:
            assert not row.slots or row.state in {State.RUNNING, State.HANDED}, row
        return Counter(scope for row in rows for scope in row.slots)

    async def check_slots(self) -> Counter[str]:
        """Hold what the store counts as used against the jobs that hold slots; returns the latter."""
        holders = await self.holders()
        used = self.harness.slots_used()
        if used is not None:
            assert {scope: number for scope, number in used.items() if number} == dict(holders)
        return holders
