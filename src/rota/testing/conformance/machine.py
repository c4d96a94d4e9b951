"""A random life of a store, beside a model that says what must come of it."""

import asyncio
import itertools
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from rota.model.ids import new_id
from rota.model.job import Claim, ClaimRequest, JobEdit, JobFilter
from rota.model.outcome import Cancelled, Handed, Outcome, Retried, Settlement, Snooze, Succeeded, Suspended
from rota.model.states import State
from rota.model.worker import Beat
from rota.operations.verify import verify
from rota.ports.limits import SlotRequest
from rota.testing.clock import FakeClock
from rota.testing.conformance.harness import Harness
from rota.testing.conformance.model import ModelJob, ModelStore
from rota.testing.conformance.scene import BOOM, DONE, FAILED, LEASE, MANY, START, a_job

__all__ = ["JobMachine", "TestJobMachine", "live", "profiled"]

T = TypeVar("T")

_NAMESPACES = itertools.count()
_QUEUES = ("a", "b")
_OWNER = new_id()
SECONDS = st.integers(1, 60).map(lambda seconds: timedelta(seconds=seconds))
DELAYS = st.just(timedelta(0)) | SECONDS
QUEUES = st.sampled_from(_QUEUES)
RANKS = st.integers(-2, 2)
KEYS = st.sampled_from([None, None, "ada", "bob"])
OUTCOMES = st.one_of(
    st.sampled_from([DONE, Succeeded(b"1"), FAILED, Cancelled()]),
    st.builds(Retried, DELAYS, st.just(BOOM)),
    st.builds(Snooze, DELAYS),
    st.builds(Suspended, wake_key=st.just("door")),
    st.builds(Suspended, wake_at=SECONDS.map(lambda after: START + 3 * after)),
    st.just(Suspended(children=1)),
    st.builds(Handed, st.just("external"), SECONDS.map(lambda after: START + 3 * after)),
)


class JobMachine(RuleBasedStateMachine):
    """Submit, claim, settle and all the rest, in any order, with time that passes in jumps.

    There are few rules, since Hypothesis lets each life have only some of them.
    """

    jobs: Bundle[UUID] = Bundle("jobs")
    claims: Bundle[Claim] = Bundle("claims")

    def __init__(self, harness: Harness) -> None:
        super().__init__()
        self.harness = harness
        self.runner = asyncio.Runner()
        self.clock = FakeClock(START)
        self.namespace = f"machine{next(_NAMESPACES)}"
        self.store = harness.store(self.clock, self.namespace)
        self.model = ModelStore(START)
        self.wait(self.store.open())

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run one call of the store to its end."""
        return self.runner.run(work)

    def teardown(self) -> None:
        verdict = self.wait(verify(self.store, keep=timedelta(days=1)))
        assert verdict.findings == ()
        """Close the store."""
        self.wait(self.store.close())
        self.runner.close()

    @initialize(target=jobs, ranks=st.lists(RANKS, min_size=2, max_size=4))
    def begin(self, ranks: list[int]) -> Any:
        """A life begins with something to do."""
        return multiple(*(self._submit("a", rank) for rank in ranks))

    @initialize(target=claims, limit=st.integers(1, 3))
    def begin_work(self, limit: int) -> Any:
        """Some of it is being done."""
        for rank in (-3, 3):
            self._submit("a", rank)
        return self._claim(_QUEUES, limit)

    @rule(
        target=jobs,
        queue=QUEUES,
        rank=RANKS,
        delay=DELAYS,
        key=KEYS,
        expires_in=st.none() | SECONDS,
        parent=st.none() | jobs,
    )
    def submit(
        self,
        *,
        queue: str,
        rank: int,
        delay: timedelta,
        key: str | None,
        expires_in: timedelta | None,
        parent: UUID | None,
    ) -> UUID:
        """A job comes in, or meets one that has its unique key."""
        return self._submit(queue, rank, delay=delay, key=key, expires_in=expires_in, parent=parent)

    def _submit(
        self,
        queue: str,
        rank: int,
        *,
        parent: UUID | None = None,
        delay: timedelta = timedelta(0),
        key: str | None = None,
        expires_in: timedelta | None = None,
    ) -> UUID:
        moment = self.clock.now()
        job = ModelJob(new_id(), queue, rank, self.model.next_seq(), key, parent)
        job.run_at = moment + delay
        job.expires_at = moment + expires_in if expires_in is not None else None
        submission = a_job(
            id=job.id, queue=queue, rank=rank, parent=parent, unique_key=key, run_at=job.run_at,
            expires_at=job.expires_at,
        )  # fmt: skip
        other = self.model.submit(job)
        (submitted,) = self.wait(self.store.jobs.submit([submission]))
        assert (submitted.id, submitted.created) == (other or job.id, other is None)
        return submitted.id

    @rule(job=jobs)
    def resend(self, job: UUID) -> None:
        """A job that is known in any way is sent again."""
        (submitted,) = self.wait(self.store.jobs.submit([a_job(id=job)], resend=True))
        assert (submitted.id, submitted.created) == (job, False)

    @rule(target=claims, queues=st.permutations(_QUEUES), limit=st.integers(1, 4))
    def claim(self, queues: list[str], limit: int) -> Any:
        """A worker takes the first free jobs."""
        return self._claim(tuple(queues), limit)

    def _claim(self, queues: tuple[str, ...], limit: int) -> Any:
        request = ClaimRequest(owner=_OWNER, queues=queues, limits={"async": limit}, lease=LEASE)
        expected = self.model.claimable(queues, limit)
        claimed = self.wait(self.store.jobs.claim(request))
        assert [job.id for job in claimed] == [job.id for job in expected]
        for job, found in zip(expected, claimed, strict=True):
            self.model.claim(job, found.token, LEASE)
            assert (found.attempt, found.crashes) == (job.attempt, job.crashes)
        return multiple(*(job.claim for job in claimed))

    @rule(target=claims, claim=claims, outcome=OUTCOMES)
    def settle(self, claim: Claim, outcome: Outcome) -> Any:
        """An attempt ends, perhaps by an owner that has lost it."""
        job, holds = self.model.jobs[claim.id], self.model.owns(claim.id, claim.token)
        if outcome == Suspended(children=1):
            outcome = Suspended(children=sum(child.parent == job.id for child in self.model.live()))
        settlement = Settlement(claim.id, claim.token, outcome, 0.5, limited=bool(job.slots))
        refused = bool(self.wait(self.store.jobs.settle([settlement])).refused)
        if not holds:
            assert refused or claim.token not in job.lost
            return multiple()
        assert not refused
        record = self.wait(self.store.insight.job(claim.id))
        assert record is not None
        self.model.settle(job, outcome, record.token)
        return Claim(claim.id, job.token) if job.token else multiple()

    @rule(claim=consumes(claims))
    def give_back(self, claim: Claim) -> None:
        """An owner returns a job."""
        holds = self.model.owns(claim.id, claim.token)
        assert self.wait(self.store.jobs.give_back([claim])) == holds
        if holds:
            self.model.give_back(self.model.jobs[claim.id])

    @rule(claims=st.lists(claims, min_size=1, max_size=3), limit=st.integers(0, 2))
    def acquire(self, claims: list[Claim], limit: int) -> None:
        """Claimed jobs ask for a slot of their queue, one after another."""
        for claim in claims:
            job, holds = self.model.jobs[claim.id], self.model.owns(claim.id, claim.token)
            if job.state is State.HANDED:
                continue  # who handed a job over does not start it
            scope = f"queue:{job.queue}"
            # Who holds its slot already asks again for the same, as after a lost answer.
            most = self.model.capacity[scope] if job.slots else limit
            granted = self.wait(self.store.limits.acquire([SlotRequest(claim, ((scope, most),))]))
            assert granted == ({claim.id} if holds and self.model.acquire(job, scope, most) else set())

    @rule(claims=st.lists(claims, max_size=3, unique_by=lambda claim: claim.id))
    def beat(self, claims: list[Claim]) -> None:
        """A worker says that it is there."""
        mine = [claim for claim in claims if self.model.jobs[claim.id].state is not State.HANDED]
        orders = self.wait(
            self.store.workers.beat(Beat(owner=_OWNER, lease=LEASE, started=tuple(mine), held=()))
        )
        kept = {claim.id for claim in mine if self.model.owns(claim.id, claim.token)}
        assert orders.lost == {claim.id for claim in mine} - kept
        assert orders.cancel == {job for job in kept if self.model.jobs[job].cancel_requested}
        for job in kept:
            self.model.jobs[job].lease_until = self.clock.now() + LEASE

    @rule(seconds=st.integers(1, 40), then=st.sets(st.sampled_from(["rescue", "promote", "sweep"])))
    def pass_time(self, seconds: int, then: set[str]) -> None:
        """Time passes, and some of those who look at the clock wake up."""
        self.model.now = self.clock.advance(seconds)
        for name in sorted(then):
            getattr(self, f"_{name}")()

    def _rescue(self) -> None:
        rescued = self.wait(self.store.jobs.rescue(MANY))
        assert {job.id: job.state for job in rescued} == self.model.rescue()

    def _promote(self) -> None:
        expected = self.model.promote()
        promoted = self.wait(self.store.jobs.promote(MANY))
        assert (promoted.ready, promoted.expired) == expected
        due = [job.run_at for job in self.model.live() if job.state is State.SCHEDULED and job.run_at]
        due += [job.wake_at for job in self.model.live() if job.wake_at]
        assert promoted.wait == (min(due) - self.clock.now() if due else None)

    def _sweep(self) -> None:
        released = self.model.release(tuple(self.model.capacity))
        assert self.wait(self.store.limits.sweep()) == released

    @rule(job=jobs)
    def cancel(self, job: UUID) -> None:
        """Someone cancels a job."""
        cancelled = self.wait(self.store.jobs.cancel(JobFilter(ids=(job,)))).cancelled
        live = self.model.jobs[job] in self.model.live()
        assert cancelled == ((job,) if live and self.model.cancel(self.model.jobs[job]) else ())

    @rule(job=jobs)
    def redrive(self, job: UUID) -> None:
        """Someone starts a finished job over."""
        redriven = self.wait(self.store.jobs.redrive(JobFilter(ids=(job,))))
        assert redriven == ([job] if self.model.redrive(self.model.jobs[job]) else [])

    @rule(job=jobs, rank=RANKS)
    def edit(self, job: UUID, rank: int) -> None:
        """Someone changes a job."""
        scheduled = self.model.jobs[job].state is State.SCHEDULED
        assert self.wait(self.store.jobs.edit(job, JobEdit(rank=rank))) is scheduled
        if scheduled:
            self.model.jobs[job].rank = rank

    @rule(job=jobs, door=st.booleans())
    def resume(self, job: UUID, *, door: bool) -> None:
        """Someone wakes a job, or opens the door that jobs wait for."""
        which = [one for one in self.model.live() if one.id == job or (door and one.wake_key)]
        resumed = self.wait(self.store.jobs.resume([job], "door" if door else None))
        assert resumed == sum(self.model.resume(one) for one in which)

    @rule(queue=QUEUES)
    def pause_or_resume(self, queue: str) -> None:
        """A queue is stopped, or goes on."""
        limits, paused = self.store.limits, queue in self.model.paused
        assert self.wait(limits.resume_queue(queue) if paused else limits.pause_queue(queue, "ada"))
        self.model.paused ^= {queue}

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        """No job is lost, none is added, each is where it must be, and slots add up."""
        records = self.wait(self.store.insight.jobs(JobFilter(), limit=MANY))
        assert len(records) == len(self.model.jobs)
        assert {record.id: self.model.jobs[record.id].differs(record) for record in records} == {
            job: {} for job in self.model.jobs
        }
        used = self.harness.slots_used(self.namespace)
        for scope, number in (used or {}).items():
            assert number == self.model.used(scope), scope


def live(harness: Harness, profile: settings) -> None:
    """Let stores of the harness live at random; raises where one does not do as the model."""
    run_state_machine_as_test(lambda: JobMachine(harness), settings=profiled(profile))  # type: ignore[arg-type]


def profiled(profile: settings) -> settings:
    """Return settings for lives: a life is long, and takes its time."""
    return settings(
        profile,
        stateful_step_count=40,
        deadline=None,
        # To shrink a life of real transactions takes minutes: a long trail is better than none in time.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


class TestJobMachine:
    def test_any_life_is_as_the_model_says(self, harness: Harness) -> None:
        profile = settings()
        live(harness, settings(profile, max_examples=profile.max_examples * 2 // 5))
