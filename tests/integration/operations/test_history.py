"""A schedule's life on each store: downtime, restarts, clock steps, and what `verify` says of it."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from rota.engine.announcer import Announcer
from rota.engine.scheduler import Scheduler
from rota.model.errors import ConfigurationError, NotFoundError
from rota.model.job import JobFilter
from rota.model.schedule import ScheduleRecord
from rota.operations import history, schedules
from rota.testing.conformance.scene import HOUR, MANY, MINUTE, START, Scene, a_job, must
from rota.triggers.base import Trigger
from rota.triggers.cron import cron
from rota.triggers.interval import every

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLY = datetime(2025, 1, 1, tzinfo=UTC)


def a_schedule(trigger: Trigger | None = None, **fields: object) -> ScheduleRecord:
    return structs.replace(
        ScheduleRecord(
            id="ping",
            task="work",
            queue="default",
            executor="async",
            trigger=(trigger or every(minutes=1)).to_json(),
            payload=b"{}",
            options={},
            source="code",
            app="shop",
            overlap="allow",
        ),
        **fields,
    )


async def work_off(scene: Scene) -> None:
    """Be a scheduler that has just started, until nothing is due."""
    scheduler = Scheduler(scene.store, schedules.submission_of, Announcer())
    while (await scene.store.schedules.due(1)).schedules:
        await scheduler.turn()


async def dues(scene: Scene) -> list[datetime]:
    jobs = await scene.store.insight.jobs(JobFilter(schedule="ping"), limit=MANY)
    return sorted(must(job.due) for job in jobs)


async def faults(scene: Scene) -> list[tuple[str, datetime]]:
    return [(one.kind, one.at) for one in await history.verify(scene.store, "ping", EARLY)]


def minutes(first: int, last: int) -> list[datetime]:
    return [START + number * MINUTE for number in range(first, last + 1)]


class TestDowntime:
    @pytest.mark.parametrize(
        ("catch_up", "runs"), [("one", minutes(30, 30)), ("all", minutes(1, 30)), ("none", [])]
    )
    async def test_missed_moments_run_as_the_policy_says(
        self, scene: Scene, catch_up: str, runs: list[datetime]
    ) -> None:
        await schedules.declare(scene.store, a_schedule(catch_up=catch_up))
        scene.clock.advance(30 * MINUTE + timedelta(seconds=30))
        await work_off(scene)
        assert await dues(scene) == runs
        ticks = await scene.store.schedules.ticks("ping", limit=MANY)
        assert sum(one.missed + 1 for one in ticks) == 30
        assert await faults(scene) == []

    async def test_no_moment_runs_beyond_the_grace(self, scene: Scene) -> None:
        grace = timedelta(minutes=5, seconds=30)
        await schedules.declare(scene.store, a_schedule(catch_up="all", grace=grace))
        scene.clock.advance(30 * MINUTE)
        await work_off(scene)
        assert await dues(scene) == minutes(25, 30)
        assert await faults(scene) == []

    async def test_an_interval_keeps_its_phase_over_twenty_restarts(self, scene: Scene) -> None:
        trigger = every(seconds=47, anchor=START - timedelta(seconds=11))
        draw = random.Random(4)
        for _ in range(20):
            await schedules.declare(scene.store, a_schedule(trigger, catch_up="all"))
            await work_off(scene)
            scene.clock.advance(draw.uniform(1, 900))
        await work_off(scene)
        found = await dues(scene)
        assert len(found) > 100
        assert found == [found[0] + number * timedelta(seconds=47) for number in range(len(found))]
        assert (found[0] - START + timedelta(seconds=11)) % timedelta(seconds=47) == timedelta(0)
        assert await faults(scene) == []

    @pytest.mark.parametrize("step", [HOUR, -HOUR])
    async def test_a_clock_that_is_set_loses_and_doubles_nothing(self, scene: Scene, step: timedelta) -> None:
        await schedules.declare(scene.store, a_schedule(catch_up="all"))
        for _ in range(5):
            scene.clock.advance(MINUTE)
            await work_off(scene)
        scene.clock.set(scene.clock.now() + step)
        for _ in range(70):
            await work_off(scene)
            scene.clock.advance(MINUTE)
        await work_off(scene)
        found = await dues(scene)
        assert found == minutes(1, len(found))
        assert len(found) == 75 + (60 if step > timedelta(0) else -60)
        assert await faults(scene) == []


class TestChanges:
    async def test_an_unchanged_declaration_writes_nothing(
        self, scene: Scene, writes: Callable[[], str]
    ) -> None:
        await schedules.declare(scene.store, a_schedule())
        before = writes()
        assert await schedules.declare(scene.store, a_schedule()) == "unchanged"
        assert await schedules.pause_gone(scene.store, "shop", [a_schedule()]) == []
        assert writes() == before

    async def test_a_change_first_handles_what_had_come_by_the_old_definition(self, scene: Scene) -> None:
        await schedules.declare(scene.store, a_schedule(every(minutes=10)))
        scene.clock.advance(25 * MINUTE)
        changed = a_schedule(every(minutes=7))
        assert await schedules.declare(scene.store, changed) == "changed: trigger"
        assert await dues(scene) == [START + 20 * MINUTE]
        scene.clock.advance(10 * MINUTE)
        await work_off(scene)
        after = (await dues(scene))[1:]
        assert after
        assert {(one - EPOCH) % (7 * MINUTE) for one in after} == {timedelta(0)}
        assert await faults(scene) == []

    async def test_an_id_of_another_task_is_refused_and_nothing_changes(self, scene: Scene) -> None:
        await schedules.declare(scene.store, a_schedule(source="api", app=""))
        before = await scene.store.schedules.list()
        with pytest.raises(ConfigurationError, match="schedule 'ping' belongs to task 'work', not 'other'"):
            await schedules.declare(scene.store, a_schedule(source="api", app="", task="other"))
        assert await scene.store.schedules.list() == before

    @pytest.mark.parametrize("overlap", ["skip", "cancel_running"])
    async def test_policies_that_contradict_each_other_are_refused(self, scene: Scene, overlap: str) -> None:
        with pytest.raises(ConfigurationError, match="catch_up 'all' with overlap"):
            await schedules.declare(scene.store, a_schedule(catch_up="all", overlap=overlap))
        assert await scene.store.schedules.list() == []

    async def test_one_that_is_gone_from_the_code_is_paused_and_comes_back(self, scene: Scene) -> None:
        others = [
            a_schedule(id="by-hand", source="api", app=""),
            a_schedule(id="other-app", app="crm"),
        ]
        await schedules.declare_many(scene.store, [a_schedule(), *others])
        assert await schedules.pause_gone(scene.store, "shop", []) == ["ping"]
        assert await schedules.pause_gone(scene.store, "shop", []) == []
        scene.clock.advance(10 * MINUTE)
        await work_off(scene)
        assert {one.id for one in await scene.store.schedules.list() if one.paused_at} == {"ping"}
        await schedules.declare(scene.store, a_schedule())
        assert await schedules.pause_gone(scene.store, "shop", [a_schedule()]) == []
        after = must(await scene.store.schedules.get("ping"))
        assert (after.paused_at, after.next_at) == (None, START + 11 * MINUTE)
        (tick,) = await scene.store.schedules.ticks("ping", limit=10)
        assert (tick.state, tick.missed, tick.missed_from) == ("paused", 9, START + MINUTE)
        assert await faults(scene) == []

    async def test_one_that_was_paused_by_hand_stays_so(self, scene: Scene) -> None:
        await schedules.declare(scene.store, a_schedule())
        await schedules.pause(scene.store, "ping", by="ada")
        assert await schedules.pause_gone(scene.store, "shop", []) == []
        assert await schedules.pause_gone(scene.store, "shop", [a_schedule()]) == []
        assert must(await scene.store.schedules.get("ping")).paused_by == "ada"

    async def test_many_at_once(self, scene: Scene) -> None:
        many = [a_schedule(id=f"s{number:05}") for number in range(12_000)]
        answers = await schedules.declare_many(scene.store, many)
        assert set(answers.values()) == {"created"}
        many[7] = structs.replace(many[7], queue="bulk")
        again = await schedules.declare_many(scene.store, many)
        assert again.pop("s00007") == "changed: queue"
        assert set(again.values()) == {"unchanged"}

    async def test_an_edit_keeps_the_phase_and_the_pause(self, scene: Scene) -> None:
        await schedules.declare(scene.store, a_schedule(every(minutes=10)))
        await schedules.pause(scene.store, "ping", by="ada")
        changed = await schedules.edit(scene.store, "ping", {"overlap": "queue", "grace": HOUR}, rank=3)
        assert changed == ["options", "overlap", "grace"]
        after = must(await scene.store.schedules.get("ping"))
        assert (after.next_at, after.paused_by, after.version) == (START + 10 * MINUTE, "ada", 2)
        with pytest.raises(ConfigurationError, match="overlap 'maybe' is unknown"):
            await schedules.edit(scene.store, "ping", {"overlap": "maybe"})


class TestBackfill:
    async def test_past_moments_run_once_each(self, scene: Scene) -> None:
        await schedules.declare(scene.store, a_schedule(cron("*/10 * * * *")))
        scene.clock.advance(HOUR)
        await work_off(scene)
        first = START - HOUR
        assert await history.backfill(scene.store, "ping", first, scene.clock.now()) == 12
        assert await history.backfill(scene.store, "ping", first, scene.clock.now()) == 0
        assert await dues(scene) == [START + number * 10 * MINUTE for number in range(-6, 7)]
        assert await faults(scene) == []

    async def test_what_the_scheduler_has_in_hand_is_left_to_it(self, scene: Scene) -> None:
        await schedules.declare(scene.store, a_schedule())
        scene.clock.advance(5 * MINUTE)
        assert await history.backfill(scene.store, "ping", START - MINUTE, scene.clock.now()) == 2
        await work_off(scene)
        assert await faults(scene) == []

    async def test_bad_ranges_are_refused(self, scene: Scene) -> None:
        await schedules.declare(scene.store, a_schedule())
        naive = START.replace(tzinfo=None)
        for first, last, message in (
            (naive, START, "has no time zone"),
            (START, START - HOUR, "is before from"),
            (START, START + HOUR, "is not past"),
            (START - timedelta(days=30), START, "more than 10000"),
        ):
            with pytest.raises(ConfigurationError, match=message):
                await history.backfill(scene.store, "ping", first, last)
        with pytest.raises(NotFoundError):
            await history.backfill(scene.store, "pong", START - HOUR, START)
        assert await dues(scene) == []


class TestVerify:
    @pytest.fixture
    async def scene(self, scene: Scene) -> Scene:
        """An hour of history: a change, a pause, a downtime, a backfill; sound so far."""
        await schedules.declare(scene.store, a_schedule(catch_up="all"))
        for number in range(60):
            if number == 20:
                await schedules.declare(scene.store, a_schedule(every(minutes=2)))
            if number == 30:
                await schedules.pause(scene.store, "ping", by="ada")
            if number == 37:
                await schedules.resume(scene.store, "ping")
            scene.clock.advance(MINUTE)
            if not 45 < number < 52:
                await work_off(scene)
        await history.backfill(scene.store, "ping", START + 31 * MINUTE, START + 36 * MINUTE)
        assert await faults(scene) == []
        return scene

    async def test_of_one_that_never_was(self, scene: Scene) -> None:
        with pytest.raises(NotFoundError):
            await history.verify(scene.store, "pong", EARLY)

    async def test_of_one_that_was_removed_and_added_again(self, scene: Scene) -> None:
        await schedules.remove(scene.store, "ping")
        scene.clock.advance(10 * MINUTE)
        await schedules.declare(scene.store, a_schedule(every(minutes=3)))
        scene.clock.advance(10 * MINUTE)
        await work_off(scene)
        assert await faults(scene) == []

    @pytest.mark.parametrize(
        ("sql", "kind"),
        [
            ("delete from {ticks} where due = {m5}", "lost"),
            ("delete from {ticks} where due = {m30}", "lost"),
            ("delete from {ticks} where state = 'paused'", "lost"),
            ("update {ticks} set missed_from = {m4}, missed = 1 where due = {m5}", "double"),
            ("update {ticks} set fired_at = {m4} where due = {m5}", "early"),
            ("update {ticks} set version = 2 where due = {m5}", "wrong_version"),
            ("update {ticks} set version = 1 where due = {m26}", "wrong_version"),
            ("update {ticks} set version = 9 where due = {m5}", "wrong_version"),
            ("update {ticks} set due = {m5s} where due = {m5}", "wrong_moment"),
            ("update {ticks} set missed = 9 where due = {m36}", "wrong_count"),
            ("update {schedules} set next_at = {m90}", "lost"),
            ("update {schedules} set next_at = {m26}", "wrong_version"),
            ("delete from {jobs} where due = {m5}", "lost_job"),
            ("update {ticks} set job = null where due = {m5}", "stray_job"),
        ],
    )
    async def test_it_finds_a_planted_fault(
        self, scene: Scene, plant: Callable[[str], None], sql: str, kind: str
    ) -> None:
        plant(sql)
        found = await faults(scene)
        assert kind in {one for one, _ in found}, found

    async def test_a_job_that_somebody_made_twice_is_a_stray(self, scene: Scene) -> None:
        await scene.store.jobs.submit([a_job(schedule="ping", due=START + 5 * MINUTE)])
        assert await faults(scene) == [("stray_job", START + 5 * MINUTE)]

    async def test_ticks_beyond_the_retention_are_not_asked_for(
        self, scene: Scene, plant: Callable[[str], None]
    ) -> None:
        plant("delete from {ticks} where due <= {m5}")
        assert await history.verify(scene.store, "ping", START + 6 * MINUTE) == []
