"""Faults that a random life beside the model must find: a checker that finds nothing proves nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import settings

from rota.model.clock import Clock
from rota.model.job import Claim, ClaimedJob, ClaimRequest, JobFilter, Submission, Submitted
from rota.model.outcome import Settlement
from rota.ports.jobs import RescuedJob, Settled
from rota.ports.limits import SlotRequest
from rota.ports.store import Store
from rota.stores.sqlite import SqliteStore
from rota.testing.clock import FakeClock
from rota.testing.conformance import fencing
from rota.testing.conformance.harness import Harness
from rota.testing.conformance.machine import live
from rota.testing.conformance.scene import DONE, START, Scene


class Faulty:
    """A store, with the verbs of its job and limit ports; a subclass does one of them wrong."""

    def __init__(self, real: Store) -> None:
        self.real = real

    @property
    def jobs(self) -> Any:
        return self

    @property
    def limits(self) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        for port in (self.real, self.real.jobs, self.real.limits):
            if hasattr(port, name):
                return getattr(port, name)
        raise AttributeError(name)


class LosesJobs(Faulty):
    async def submit(self, submissions: Sequence[Submission], *, resend: bool = False) -> list[Submitted]:
        if not resend and submissions[0].rank == 2:
            return [Submitted(submissions[0].id, created=True)]
        return await self.real.jobs.submit(submissions, resend=resend)


class MakesCopies(Faulty):
    async def submit(self, submissions: Sequence[Submission], *, resend: bool = False) -> list[Submitted]:
        free = [msgspec.structs.replace(one, unique_key=None) for one in submissions]
        return await self.real.jobs.submit(free, resend=resend)


class TurnsTheOrder(Faulty):
    async def claim(self, request: ClaimRequest) -> list[ClaimedJob]:
        return (await self.real.jobs.claim(request))[::-1]


class ClaimsTwice(Faulty):
    last: Sequence[ClaimedJob] = ()

    async def claim(self, request: ClaimRequest) -> list[ClaimedJob]:
        before, self.last = self.last, await self.real.jobs.claim(request)
        return [*self.last, *before]


class LooksAtNoToken(Faulty):
    async def settle(self, settlements: Sequence[Settlement]) -> Settled:
        which = JobFilter(ids=tuple(one.id for one in settlements))
        tokens = {job.id: job.token for job in await self.real.insight.jobs(which, limit=99)}
        return await self.real.jobs.settle(
            [msgspec.structs.replace(one, token=tokens.get(one.id) or one.token) for one in settlements]
        )


class SwallowsRefusals(Faulty):
    async def settle(self, settlements: Sequence[Settlement]) -> Settled:
        await self.real.jobs.settle(settlements)
        return Settled()


class NeverRescues(Faulty):
    async def rescue(self, limit: int) -> list[RescuedJob]:
        return await self.real.jobs.rescue(limit * 0)


class GivesNothingBack(Faulty):
    async def give_back(self, claims: Sequence[Claim]) -> int:
        return len(claims)


class GrantsOneTooMany(Faulty):
    async def acquire(self, requests: Sequence[SlotRequest]) -> frozenset[Any]:
        return await self.real.limits.acquire(
            [
                SlotRequest(one.claim, tuple((scope, limit + 1) for scope, limit in one.scopes))
                for one in requests
            ]
        )


FAULTS = [
    LosesJobs, MakesCopies, TurnsTheOrder, ClaimsTwice, SwallowsRefusals, NeverRescues,
    GivesNothingBack, GrantsOneTooMany,
]  # fmt: skip


class FaultyHarness(Harness):
    def __init__(self, folder: Path, fault: type[Faulty]) -> None:
        self._folder, self._fault = folder, fault

    def store(self, clock: Clock | None, namespace: str = "one") -> Store:
        real = SqliteStore(self._folder / f"{namespace}.db", clock=clock)
        faulty: Any = self._fault(real)
        return faulty  # type: ignore[no-any-return]

    def slots_used(self, namespace: str = "one") -> None:
        """Leave nobody a look at the inside: the verbs alone must give the fault away."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_random_life_shows_the_fault(tmp_path: Path, fault: type[Faulty]) -> None:
    with pytest.raises(AssertionError):
        live(FaultyHarness(tmp_path, fault), settings(max_examples=400, database=None, derandomize=True))


async def test_the_suite_shows_who_looks_at_no_token(tmp_path: Path) -> None:
    """A life finds it too, but seldom: a job has to be claimed twice, and its first owner to come back."""
    harness, clock = FaultyHarness(tmp_path, LooksAtNoToken), FakeClock(START)
    store = harness.store(clock)
    await store.open()
    scene = Scene(harness, store, clock)
    with pytest.raises(AssertionError):
        await fencing.TestStaleClaim().test_an_outcome_is_refused_and_recorded(
            scene, fencing.rescue_and_claim, DONE
        )
    await store.close()
