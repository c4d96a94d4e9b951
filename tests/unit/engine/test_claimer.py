"""The claimer asks only where it may find something."""

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from rota.engine import claimer as module
from rota.engine.announcer import Announcer
from rota.engine.capacity import Capacity
from rota.engine.claimer import Claimer
from rota.model.ids import new_id
from rota.model.job import ClaimedJob, ClaimRequest
from rota.policy.queue_order import QueueOrder


def job(executor: str) -> ClaimedJob:
    fields: dict[str, Any] = dict.fromkeys(ClaimedJob.__struct_fields__)
    fields |= {"id": new_id(), "token": 1, "task": "t", "executor": executor}
    return ClaimedJob(**fields | {"submitted_at": datetime.now(UTC)})


class Stock:
    """A job store with jobs of one executor, and a note of what it was asked for."""

    def __init__(self, executor: str, count: int) -> None:
        self._jobs = deque(job(executor) for _ in range(count))
        self._executor = executor
        self.asked: list[dict[str, int]] = []

    async def claim(self, request: ClaimRequest) -> list[ClaimedJob]:
        self.asked.append(dict(request.limits))
        wanted = min(request.limits.get(self._executor, 0), len(self._jobs))
        return [self._jobs.popleft() for _ in range(wanted)]


def make(stock: Stock, capacity: Capacity) -> Claimer:
    def start(job: ClaimedJob, _limited: bool) -> None:
        capacity.lanes[job.executor].running += 1

    return Claimer(
        cast("Any", stock),
        cast("Any", None),
        cast("Any", None),
        Announcer(),
        owner=new_id(),
        queues=QueueOrder(("default",)),
        lease=timedelta(seconds=30),
        capacity=capacity,
        scopes=lambda _: (),
        deliver=start,
    )


async def test_an_executor_without_jobs_is_not_asked_for_alone_while_another_is_busy() -> None:
    stock, capacity = Stock("async", 10), Capacity({"async": 2, "thread": 1})
    claimer = make(stock, capacity)

    assert await claimer.turn() == 0
    assert await claimer.turn() == module.BUSY_POLL
    capacity.lanes["async"].ended(1.0)
    assert await claimer.turn() == 0

    assert stock.asked == [{"async": 2, "thread": 1}, {"async": 1, "thread": 1}]


async def test_it_is_asked_for_alone_again_after_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_POLL", 0.0)
    stock, capacity = Stock("async", 2), Capacity({"async": 2, "thread": 1})
    claimer = make(stock, capacity)

    await claimer.turn()
    await claimer.turn()

    assert stock.asked == [{"async": 2, "thread": 1}, {"thread": 1}]
