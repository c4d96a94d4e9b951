"""The claimer asks only where it may find something, and sleeps only while a notice will come."""

from collections import deque
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from rota.engine import claimer as module
from rota.engine.announcer import Announcer
from rota.engine.capacity import Capacity
from rota.engine.claimer import BUSY_FOR, BUSY_POLL, BUSY_SIGNS, SAFETY_POLL, Claimer
from rota.model.errors import StoreUnavailableError
from rota.model.ids import new_id
from rota.model.job import ClaimedJob, ClaimRequest
from rota.policy.queue_order import QueueOrder


def job(executor: str) -> ClaimedJob:
    fields: dict[str, Any] = dict.fromkeys(ClaimedJob.__struct_fields__)
    fields |= {"id": new_id(), "token": 1, "task": "t", "executor": executor}
    return ClaimedJob(**fields | {"submitted_at": datetime.now(UTC)})


class Clock:
    """What the claimer takes for the time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Stock:
    """A job store with jobs of one executor, and a note of what it was asked for."""

    def __init__(self, executor: str, count: int) -> None:
        self._jobs = deque(job(executor) for _ in range(count))
        self._executor = executor
        self.asked: list[dict[str, int]] = []
        self.marks: list[bool] = []
        self.away = False

    def add(self, count: int = 1) -> None:
        self._jobs.extend(job(self._executor) for _ in range(count))

    async def claim(self, request: ClaimRequest) -> list[ClaimedJob]:
        self.asked.append(dict(request.limits))
        if self.away:
            raise StoreUnavailableError("it is away")
        wanted = min(request.limits.get(self._executor, 0), len(self._jobs))
        return [self._jobs.popleft() for _ in range(wanted)]

    async def idle(self, owner: UUID, *, idle: bool) -> None:
        assert owner.version == 7
        self.marks.append(idle)
        if self.away:
            raise StoreUnavailableError("the answer was lost")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def make(stock: Stock, capacity: Capacity) -> Claimer:
    def start(job: ClaimedJob, _limited: bool) -> None:
        capacity.lanes[job.executor].running += 1

    return Claimer(
        cast("Any", stock),
        cast("Any", None),
        cast("Any", stock),
        Announcer(),
        owner=new_id(),
        queues=QueueOrder(("default",)),
        lease=timedelta(seconds=30),
        capacity=capacity,
        scopes=lambda _: (),
        deliver=start,
    )


async def make_idle(clock: Clock, slots: int = 1000) -> tuple[Stock, Claimer]:
    """Make a claimer that has found nothing for long, and waits for a notice."""
    stock = Stock("async", 0)
    claimer = make(stock, Capacity({"async": slots}))
    assert await claimer.turn() == 0
    clock.now += 2 * SAFETY_POLL
    assert await claimer.turn() == SAFETY_POLL
    assert stock.marks == [True]
    stock.asked.clear()
    return stock, claimer


async def make_awake(clock: Clock) -> tuple[Stock, Claimer]:
    """Make a claimer that many notices woke."""
    stock, claimer = await make_idle(clock)
    stock.add(BUSY_SIGNS)
    for _ in range(BUSY_SIGNS):
        claimer.call()
    assert await claimer.turn() == BUSY_POLL
    assert stock.marks == [True, False]
    stock.asked.clear()
    return stock, claimer


async def test_an_executor_without_jobs_is_not_asked_for_alone_while_another_is_busy(clock: Clock) -> None:
    stock, capacity = Stock("async", 10), Capacity({"async": 2, "thread": 1})
    claimer = make(stock, capacity)

    assert await claimer.turn() == 0
    assert await claimer.turn() == pytest.approx(BUSY_POLL)
    capacity.lanes["async"].ended(1.0)
    assert await claimer.turn() == 0

    assert stock.asked == [{"async": 2, "thread": 1}, {"async": 1, "thread": 1}]
    clock.now += BUSY_POLL
    await claimer.turn()
    assert stock.asked[2:] == [{"thread": 1}]


async def test_it_looks_once_more_when_it_has_become_idle_and_then_ever_later(clock: Clock) -> None:
    stock = Stock("async", 0)
    claimer = make(stock, Capacity({"async": 1}))
    marked = clock.now
    assert await claimer.turn() == 0
    assert stock.marks == [True]

    looks, wait = [], 0.0
    while wait < SAFETY_POLL:
        wait = await claimer.turn() or 0.0
        looks.append(clock.now - marked)
        clock.now += wait

    assert looks[:2] == [0, pytest.approx(BUSY_POLL)]
    # What commits at any moment after the mark waits at most as long again, or one pause.
    assert all(later <= 2 * sooner + BUSY_POLL for sooner, later in pairwise(looks))
    assert len(looks) + 1 == len(stock.asked) < 15
    assert stock.marks == [True]


async def test_a_few_notices_leave_it_idle(clock: Clock) -> None:
    stock, claimer = await make_idle(clock)
    for _ in range(50):
        stock.add()
        claimer.call()
        assert await claimer.turn() == SAFETY_POLL
        clock.now += 0.05
    assert len(stock.asked) == 50
    assert stock.marks == [True]


async def test_many_notices_wake_it_until_few_jobs_come(clock: Clock) -> None:
    stock, claimer = await make_awake(clock)
    for _ in range(50):
        clock.now += BUSY_POLL
        stock.add()
        assert await claimer.turn() == BUSY_POLL
    assert stock.marks == [True, False]
    ended = clock.now
    while stock.marks == [True, False]:
        clock.now += BUSY_POLL
        await claimer.turn()
    assert clock.now - ended <= BUSY_FOR + BUSY_POLL
    asked = len(stock.asked)
    await claimer.turn()
    assert len(stock.asked) == asked + 1


async def test_awake_it_looks_in_its_time_whoever_pokes(clock: Clock) -> None:
    stock, claimer = await make_awake(clock)
    clock.now += BUSY_POLL / 2
    assert await claimer.turn() == pytest.approx(BUSY_POLL / 2)
    assert stock.asked == []


async def test_a_job_that_ends_makes_an_idle_worker_look_only_where_it_was_full(clock: Clock) -> None:
    stock, capacity = Stock("async", 3), Capacity({"async": 2})
    claimer = make(stock, capacity)
    assert await claimer.turn() == 0
    assert await claimer.turn() == SAFETY_POLL
    capacity.lanes["async"].ended(1.0)
    assert await claimer.turn() == 0
    capacity.lanes["async"].ended(1.0)
    clock.now += 1
    assert await claimer.turn() == 0
    assert await claimer.turn() == BUSY_POLL
    assert stock.marks == [True]
    asked = len(stock.asked)
    capacity.lanes["async"].ended(1.0)
    assert await claimer.turn() == pytest.approx(BUSY_POLL)
    assert len(stock.asked) == asked


async def test_a_notice_that_comes_during_a_claim_makes_it_look_again(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock, claimer = await make_idle(clock)
    claim = stock.claim

    async def slow(request: ClaimRequest) -> list[ClaimedJob]:
        jobs = await claim(request)
        if len(stock.asked) == 1:
            claimer.call()
            stock.add()
        return jobs

    monkeypatch.setattr(stock, "claim", slow)
    claimer.call()
    await claimer.turn()
    await claimer.turn()
    assert len(stock.asked) == 2
    assert await claimer.turn() == SAFETY_POLL
    assert len(stock.asked) == 2


async def test_a_notice_is_not_forgotten_when_the_claim_fails(clock: Clock) -> None:
    stock, claimer = await make_idle(clock)
    stock.away = True
    claimer.call()
    with pytest.raises(StoreUnavailableError):
        await claimer.turn()
    stock.away = False
    await claimer.turn()
    assert len(stock.asked) == 2


async def test_it_does_not_wait_for_notices_when_it_is_unsure_whether_it_is_idle(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock, claimer = await make_idle(clock)
    claim = stock.claim

    async def then_away(request: ClaimRequest) -> list[ClaimedJob]:
        jobs = await claim(request)
        stock.away = True
        return jobs

    monkeypatch.setattr(stock, "claim", then_away)
    for _ in range(BUSY_SIGNS):
        claimer.call()
    with pytest.raises(StoreUnavailableError):
        await claimer.turn()
    monkeypatch.setattr(stock, "claim", claim)
    stock.away = False
    assert await claimer.turn() == BUSY_POLL


async def test_what_it_finds_unasked_lets_it_look_again_soon(clock: Clock) -> None:
    stock, claimer = await make_idle(clock)
    stock.add()
    clock.now += SAFETY_POLL
    assert await claimer.turn() == BUSY_POLL
