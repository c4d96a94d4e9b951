"""Planning ticks beside the loop: a slow trigger holds up nobody but itself."""

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from msgspec import structs

from rota.engine.planning import PATIENCE, Plan, Planner, plan_tick
from rota.model.job import Submission
from rota.model.schedule import ScheduleRecord
from rota.triggers.base import Trigger
from rota.triggers.interval import every

START = datetime(2026, 1, 1, tzinfo=UTC)
SLOW = 0.4


def a_schedule(id_: str) -> ScheduleRecord:
    return ScheduleRecord(
        id=id_,
        task="work",
        queue="default",
        executor="async",
        trigger=every(minutes=1).to_json(),
        payload=b"[]",
        options={},
        source="code",
        next_at=START,
    )


def make(schedule: ScheduleRecord, due: datetime) -> Submission:
    return Submission(task=schedule.task, payload=schedule.payload, due=due)


class Stage:
    """A planner whose schedules named "slow…" wait in their trigger until they are let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.late: dict[str, float] = {}
        self.came = asyncio.Event()
        self.planner = Planner(make, self._came_late, self._read)

    def _read(self, schedule: ScheduleRecord) -> Trigger:
        trigger = every(minutes=1)
        if schedule.id.startswith("slow"):
            slow = SimpleNamespace(next_after=self._wait(trigger.next_after), count=trigger.count)
            return cast("Trigger", slow)
        return trigger

    def _wait(
        self, next_after: Callable[[datetime], datetime | None]
    ) -> Callable[[datetime], datetime | None]:
        def waits(moment: datetime) -> datetime | None:
            self.let_go.wait(10)
            return next_after(moment)

        return waits

    def _came_late(self, plan: Plan, seconds: float) -> None:
        self.late[plan.schedule.id] = seconds
        self.came.set()


async def test_the_others_do_not_wait_for_a_slow_one() -> None:
    stage = Stage()
    schedules = [a_schedule(name) for name in ("a", "slow", "b", "slow too", "c")]
    began = time.monotonic()
    plans = await stage.planner.plan(schedules, START)
    assert sorted(plan.schedule.id for plan in plans) == ["a", "b", "c"]
    assert time.monotonic() - began < 2
    assert set(stage.planner.pending) == {"slow", "slow too"}
    stage.let_go.set()
    while len(stage.late) < 2:
        stage.came.clear()
        await asyncio.wait_for(stage.came.wait(), 10)
    assert stage.planner.pending == {}


async def test_one_that_was_slow_is_planned_aside_from_then_on() -> None:
    stage = Stage()
    slow = a_schedule("slow")
    await stage.planner.plan([slow], START)
    await asyncio.sleep(SLOW)  # it has to be slow, not only unlucky
    stage.let_go.set()
    await asyncio.wait_for(stage.came.wait(), 10)
    assert stage.late["slow"] > PATIENCE
    stage.let_go.clear()
    began = time.monotonic()
    assert [one.schedule.id for one in await stage.planner.plan([slow, a_schedule("a")], START)] == ["a"]
    # Asked for again while it is pending, it is not started twice.
    assert await stage.planner.plan([slow], START) == []
    assert time.monotonic() - began < 2
    stage.let_go.set()
    stage.came.clear()
    await asyncio.wait_for(stage.came.wait(), 10)


async def test_a_broken_one_brings_its_error() -> None:
    planner = Planner(make, lambda *_: None)
    broken = structs.replace(a_schedule("broken"), trigger={"kind": "moon"})
    (plan,) = await planner.plan([broken], START)
    assert "moon" in str(plan.error)
    assert plan.tick is None


def test_a_plan_stands_until_more_moments_have_come_or_it_is_too_late() -> None:
    schedule = a_schedule("a")
    planner = Planner(make, lambda *_: None)
    plan = planner.one(schedule, START)
    assert plan.tick == plan_tick_like(plan, schedule)
    assert plan.stands(START + timedelta(seconds=59))
    assert not plan.stands(START + timedelta(seconds=60))
    plan = planner.one(structs.replace(schedule, grace=timedelta(seconds=5)), START)
    assert not plan.stands(START + timedelta(seconds=6))
    plan = planner.one(structs.replace(schedule, catch_up="none"), START)
    assert not plan.stands(START + timedelta(seconds=11))


def plan_tick_like(plan: Plan, schedule: ScheduleRecord) -> Any:
    tick = plan_tick(schedule, START, make)
    assert plan.tick is not None
    return structs.replace(tick, submission=plan.tick.submission)
