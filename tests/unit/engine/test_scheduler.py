"""The scheduler over a fake store whose clock stands still until it is moved."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec import structs

from rota.engine import scheduler as engine
from rota.engine.announcer import Announcer
from rota.engine.planning import read_trigger
from rota.engine.scheduler import RIVALS, Scheduler
from rota.model.errors import StoreUnavailableError, UnknownTaskError
from rota.model.events import ScheduleFailed, ScheduleSlow
from rota.model.job import Submission
from rota.model.schedule import ScheduleRecord, Tick
from rota.ports.schedules import Due
from rota.ports.store import Store
from rota.testing.clock import FakeClock
from rota.triggers.base import Trigger
from rota.triggers.cron import cron
from rota.triggers.interval import every

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LONGEST = pytest.approx(5, abs=0.2)


class FakeSchedules:
    """Schedules in a dictionary, with the rules of the port for `due` and `fire`."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.rows: dict[str, ScheduleRecord] = {}
        self.fired: list[Tick] = []
        self.calls: list[int] = []
        self.refused: set[str] = set()
        self.down = False

    def add(
        self, id_: str, trigger: Trigger | dict[str, Any], *, due: datetime = START, **fields: Any
    ) -> None:
        form = trigger if isinstance(trigger, dict) else trigger.to_json()
        plain = {"task": "work", "queue": "default", "executor": "async", "payload": b"[]", "options": {}}
        self.rows[id_] = ScheduleRecord(
            id=id_, trigger=form, next_at=due, source="code", **{**plain, **fields}
        )

    async def due(self, limit: int, ahead: timedelta = timedelta(0)) -> Due:
        now = self.clock.now()
        waiting = sorted(
            (row for row in self.rows.values() if row.next_at is not None and row.paused_at is None),
            key=lambda row: (row.next_at or now, row.id),
        )
        due = [row for row in waiting if row.next_at is not None and row.next_at <= now + ahead][:limit]
        others = waiting[len(due) :]
        return Due(now, tuple(due), others[0].next_at if others else None)

    async def fire(self, ticks: Sequence[Tick]) -> frozenset[str]:
        if self.down:
            raise StoreUnavailableError("gone")
        self.calls.append(len(ticks))
        if any(tick.schedule in self.refused for tick in ticks):
            raise ValueError("a job that cannot be stored")
        held = [tick for tick in ticks if self._holds(tick)]
        for tick in held:
            row = self.rows[tick.schedule]
            self.rows[tick.schedule] = structs.replace(row, next_at=tick.next_at, last_at=tick.at)
        self.fired += held
        return frozenset(tick.schedule for tick in held)

    def _holds(self, tick: Tick) -> bool:
        row = self.rows.get(tick.schedule)
        if row is None or tick.due > self.clock.now():
            return False
        return (row.next_at, row.version) == (tick.due, tick.version)


class World:
    """A clock, a store, a scheduler and what it announced."""

    def __init__(self, group: int = 100) -> None:
        self.clock = FakeClock(START)
        self.schedules = FakeSchedules(self.clock)
        self.unknown: set[str] = set()
        self.failures: list[ScheduleFailed] = []
        self.scheduler = self.another_scheduler(group)

    def another_scheduler(self, group: int = 100) -> Scheduler:
        announcer = Announcer()
        announcer.subscribe(ScheduleFailed, self.failures.append)
        store = SimpleNamespace(schedules=self.schedules, capabilities=SimpleNamespace(group=group))
        return Scheduler(cast("Store", store), self.make, announcer)

    def make(self, schedule: ScheduleRecord, due: datetime) -> Submission:
        if schedule.task in self.unknown:
            raise UnknownTaskError(schedule.task, ["work"])
        return Submission(task=schedule.task, payload=schedule.payload, schedule=schedule.id, due=due)

    @property
    def fired(self) -> list[tuple[str, datetime]]:
        return [(tick.schedule, tick.at) for tick in self.schedules.fired]


@pytest.fixture
def world() -> World:
    return World()


async def test_a_due_moment_becomes_one_job_and_the_next_moment_is_stored(world: World) -> None:
    world.schedules.add("ping", every(minutes=1))
    await world.scheduler.turn()
    await world.scheduler.turn()
    (tick,) = world.schedules.fired
    assert (tick.due, tick.at, tick.next_at, tick.state, tick.missed) == (
        START,
        START,
        START + MINUTE,
        "fired",
        0,
    )
    assert tick.submission is not None
    assert (tick.submission.schedule, tick.submission.due) == ("ping", START)
    assert world.schedules.rows["ping"].next_at == START + MINUTE


async def test_all_that_is_due_is_written_in_one_call(world: World) -> None:
    for number in range(50):
        world.schedules.add(f"s{number}", every(minutes=1))
    await world.scheduler.turn()
    assert world.schedules.calls == [50]


@pytest.mark.parametrize("planned", [20, 1000])
async def test_more_than_a_group_is_handled_at_once_turn_by_turn(
    planned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "PLANNED", planned)
    world = World(group=10)
    for number in range(25):
        world.schedules.add(f"s{number}", every(minutes=1))
    assert all([await world.scheduler.turn() < 0.1 for _ in range(2)])
    assert await world.scheduler.turn() > 0.1
    assert world.schedules.calls == [10, 10, 5]


async def test_two_schedulers_fire_a_moment_once(world: World) -> None:
    other = world.another_scheduler()
    world.schedules.add("ping", every(minutes=1))
    for scheduler in (world.scheduler, other):
        await scheduler._look()
    await world.scheduler.turn()
    assert world.fired == [("ping", START)]
    # It waits for a moment: whoever was first may not have committed yet.
    assert 0 < await other.turn() <= RIVALS
    await other.turn()
    assert world.fired == [("ping", START)]


async def test_it_sleeps_until_the_next_moment_but_never_long(world: World) -> None:
    assert await world.scheduler.turn() == LONGEST
    world.schedules.add("later", every(seconds=1), due=START + timedelta(seconds=2))
    assert 1.9 < await world.scheduler.turn() < 2.1
    world.schedules.add("now", every(seconds=1))
    assert 0.9 < await world.scheduler.turn() < 1.1
    world.schedules.rows.clear()
    world.schedules.add("daily", cron("@daily"))
    assert await world.scheduler.turn() == LONGEST


async def test_missed_moments_are_one_range_with_the_job(world: World) -> None:
    world.schedules.add("ping", every(minutes=1))
    world.clock.advance(5 * 60 + 30)
    await world.scheduler.turn()
    (tick,) = world.schedules.fired
    assert (tick.due, tick.at, tick.missed) == (START, START + 5 * MINUTE, 5)
    assert tick.next_at == START + 6 * MINUTE


async def test_all_missed_moments_run_one_turn_after_another(world: World) -> None:
    world.schedules.add("ping", every(minutes=1), catch_up="all")
    world.clock.advance(2 * 60)
    assert all([await world.scheduler.turn() < 0.1 for _ in range(2)])
    await world.scheduler.turn()
    assert world.fired == [("ping", START + n * MINUTE) for n in range(3)]


async def test_a_moment_that_only_is_recorded_has_no_job(world: World) -> None:
    world.schedules.add("ping", every(minutes=1), catch_up="none")
    world.clock.advance(90)
    await world.scheduler.turn()
    (tick,) = world.schedules.fired
    assert (tick.state, tick.submission, tick.at, tick.missed) == ("missed", None, START + MINUTE, 1)


async def test_a_trigger_that_ends_leaves_the_schedule_without_a_next_moment(world: World) -> None:
    world.schedules.add("once", every(days=1, anchor=START, end=START))
    assert await world.scheduler.turn() == LONGEST
    assert world.schedules.rows["once"].next_at is None


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"trigger": {"kind": "moon"}}, "kind 'moon' is unknown"),
        ({"trigger": every(minutes=1), "task": "gone"}, "no task is named 'gone'"),
        ({"trigger": every(minutes=1), "catch_up": "some"}, "catch_up 'some' is unknown"),
    ],
)
async def test_a_broken_schedule_fails_visibly_and_alone(
    world: World, broken: dict[str, Any], message: str
) -> None:
    world.unknown = {"gone"}
    world.schedules.add("broken", **broken)
    world.schedules.add("ping", every(minutes=1))
    await world.scheduler.turn()
    assert world.fired == [("ping", START)]
    (failure,) = world.failures
    assert failure.schedule == "broken"
    assert message in failure.error
    assert world.schedules.rows["broken"].next_at == START


async def test_a_broken_schedule_is_announced_again_each_minute_not_each_turn(world: World) -> None:
    world.unknown = {"gone"}
    world.schedules.add("broken", every(minutes=1), task="gone")
    for _ in range(3):
        assert await world.scheduler.turn() == LONGEST
    assert len(world.failures) == 1
    world.clock.advance(60)
    await world.scheduler.turn()
    assert len(world.failures) == 2


async def test_a_broken_schedule_that_is_changed_is_tried_at_once_and_lost_nothing(world: World) -> None:
    world.schedules.add("broken", {"kind": "moon"})
    await world.scheduler.turn()
    world.schedules.add("broken", every(minutes=1), version=2)
    await world.scheduler.turn()
    assert world.fired == [("broken", START)]


async def test_a_mended_schedule_ticks_within_a_minute_and_then_on_time(world: World) -> None:
    world.unknown = {"gone"}
    world.schedules.add("broken", every(seconds=2), task="gone", catch_up="all")
    await world.scheduler.turn()
    world.unknown = set()
    world.clock.advance(59)
    assert await world.scheduler.turn() == LONGEST
    world.clock.advance(1)
    assert all([await world.scheduler.turn() < 0.1 for _ in range(30)])
    assert 1.5 < await world.scheduler.turn() < 2.1
    assert world.fired == [("broken", START + timedelta(seconds=2 * n)) for n in range(31)]


async def test_broken_schedules_never_fill_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(group=3)
    monkeypatch.setattr(engine, "PLANNED", 3)
    for number in range(7):
        world.schedules.add(f"broken{number}", {"kind": "moon"}, due=START - MINUTE)
    world.schedules.add("ping", every(minutes=1))
    for _ in range(4):
        await world.scheduler.turn()
    assert world.fired == [("ping", START)]


async def test_a_broken_schedule_that_was_removed_is_forgotten(world: World) -> None:
    world.schedules.add("broken", {"kind": "moon"})
    await world.scheduler.turn()
    world.schedules.rows.clear()
    await world.scheduler.turn()
    world.schedules.add("broken", {"kind": "moon"})
    await world.scheduler.turn()
    assert len(world.failures) == 2


async def test_a_job_that_the_store_refuses_does_not_hold_up_the_others(world: World) -> None:
    for name in ("a", "bad", "c"):
        world.schedules.add(name, every(minutes=1))
    world.schedules.refused = {"bad"}
    assert await world.scheduler.turn() == LONGEST
    assert world.fired == [("a", START), ("c", START)]
    assert [failure.schedule for failure in world.failures] == ["bad"]


async def test_an_outage_is_no_fault_of_a_schedule(world: World) -> None:
    world.schedules.add("ping", every(minutes=1))
    world.schedules.down = True
    with pytest.raises(StoreUnavailableError):
        await world.scheduler.turn()
    assert world.failures == []
    world.schedules.down = False
    await world.scheduler.turn()
    assert world.fired == [("ping", START)]


async def test_a_day_of_a_clock_passes_without_a_lost_or_doubled_tick(world: World) -> None:
    world.schedules.add("ping", cron("*/10 * * * *", "Europe/Amsterdam"), catch_up="all")
    world.schedules.add("odd", every(minutes=7, anchor=START), catch_up="all")
    while world.clock.now() < START + timedelta(days=1):
        world.clock.advance(max(0.001, await world.scheduler.turn()))
    assert [at for name, at in world.fired if name == "ping"] == [START + n * 10 * MINUTE for n in range(144)]
    assert [at for name, at in world.fired if name == "odd"] == [START + n * 7 * MINUTE for n in range(206)]


async def test_a_slow_trigger_holds_up_its_own_schedule_and_no_other(world: World) -> None:
    let_go, woken = threading.Event(), asyncio.Event()

    def read(schedule: ScheduleRecord) -> Trigger:
        if schedule.id == "slow":
            let_go.wait(10)
        return read_trigger(schedule)

    announcer = Announcer()
    slow: list[ScheduleSlow] = []
    announcer.subscribe(ScheduleSlow, slow.append)
    store = SimpleNamespace(schedules=world.schedules, capabilities=SimpleNamespace(group=100))
    scheduler = Scheduler(cast("Store", store), world.make, announcer, woken.set, read)
    for name in ("a", "slow", "z"):
        world.schedules.add(name, every(minutes=1))
    await scheduler.turn()
    await scheduler.turn()
    assert world.fired == [("a", START), ("z", START)]
    let_go.set()
    await asyncio.wait_for(woken.wait(), 10)
    await scheduler.turn()
    assert world.fired[2:] == [("slow", START)]
    assert [one.schedule for one in slow] == ["slow"]


async def test_more_than_is_planned_at_once_is_looked_for_while_it_is_fired(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "PLANNED", 10)
    world = World(group=4)
    for number in range(50):
        world.schedules.add(f"s{number:02}", every(minutes=1))
    turns = 0
    while len(world.fired) < 50:
        await world.scheduler.turn()
        await asyncio.sleep(0)  # the look ahead goes on
        turns += 1
        assert turns < 100
    await world.scheduler.close()
    assert sorted(world.fired) == [(f"s{number:02}", START) for number in range(50)]
