"""Schedules: stored under an id, and each of their moments fired once."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec

from rota.model.schedule import ScheduleChange, ScheduleRecord, Tick, TickRecord
from rota.model.states import State
from rota.testing.conformance.scene import HOUR, MINUTE, SECOND, START, Scene, a_job

__all__ = ["TestDue", "TestFire", "TestFireOnce", "TestSchedules", "a_schedule", "a_tick", "put"]


def a_schedule(id: str = "nightly", **fields: Any) -> ScheduleRecord:
    """Return a schedule whose next moment is the start of the test."""
    plain: dict[str, Any] = {
        "id": id,
        "task": "work",
        "queue": "default",
        "executor": "async",
        "trigger": {"every": 60},
        "payload": b"{}",
        "options": {},
        "source": "code",
        "next_at": START,
    }
    return ScheduleRecord(**plain | fields)


async def put(scene: Scene, new: ScheduleRecord, seen: ScheduleRecord | None = None) -> bool:
    """Store one definition; tells whether it held."""
    return new.id in await scene.store.schedules.put([ScheduleChange(new=new, seen=seen)])


def a_tick(schedule: str = "nightly", **fields: Any) -> Tick:
    """Return the tick of a schedule's first moment, with a job."""
    plain: dict[str, Any] = {
        "schedule": schedule,
        "version": 1,
        "due": START,
        "at": START,
        "next_at": START + MINUTE,
        "state": "fired",
        "submission": a_job(schedule=schedule, due=START),
    }
    return Tick(**plain | fields)


class TestSchedules:
    async def test_it_is_kept_whole(self, scene: Scene) -> None:
        schedule = a_schedule(
            queue="mail",
            executor="thread",
            trigger={"cron": "0 1 * * *", "tz": "Europe/Amsterdam", "nested": [1, None]},
            payload=b"\x00\xff",
            options={"rank": 5, "tags": {"ø": "1"}},
            source="api",
            app="shop",
            name="Ø nightly",
            catch_up="all",
            overlap="allow",
            grace=timedelta(microseconds=3),
            next_at=START + timedelta(microseconds=1),
        )
        assert await put(scene, schedule) is True
        assert await scene.store.schedules.get("nightly") == schedule

    async def test_unknown_ones_are_none(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        assert await schedules.get("nightly") is None
        assert await schedules.list() == []
        assert await schedules.ticks("nightly", limit=10) == []
        assert await schedules.remove("nightly") is False
        assert await schedules.pause("nightly", "ada", "") is False
        assert await schedules.resume(a_schedule(), START, None) is False

    async def test_one_that_is_there_is_not_inserted_again(self, scene: Scene) -> None:
        first = a_schedule()
        await put(scene, first)
        assert await put(scene, a_schedule(task="other")) is False
        assert await scene.store.schedules.get("nightly") == first

    async def test_a_definition_is_replaced_when_its_version_is_the_expected_one(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        await put(scene, a_schedule())
        second = a_schedule(version=2, trigger={"every": 5}, next_at=START + HOUR)
        assert await put(scene, second, a_schedule()) is True
        assert await schedules.get("nightly") == second
        for seen in (a_schedule(), a_schedule(version=3), a_schedule(version=2)):
            assert await put(scene, a_schedule(version=seen.version + 1), seen) is False
        assert await schedules.get("nightly") == second

    async def test_nothing_is_replaced_where_nothing_is(self, scene: Scene) -> None:
        assert await put(scene, a_schedule(version=2), a_schedule()) is False
        assert await scene.store.schedules.list() == []

    async def test_they_are_listed_by_id(self, scene: Scene) -> None:
        for id in ("b", "c", "a"):
            await put(scene, a_schedule(id))
        assert [schedule.id for schedule in await scene.store.schedules.list()] == ["a", "b", "c"]

    async def test_two_put_at_once_and_one_holds(self, crowd: list[Scene]) -> None:
        schedules = crowd[0].store.schedules
        puts = await asyncio.gather(*(put(one, a_schedule()) for one in crowd))
        assert sorted(puts) == [False] * (len(crowd) - 1) + [True]
        puts = await asyncio.gather(
            *(
                put(one, a_schedule(version=2, task=f"task {place}"), a_schedule())
                for place, one in enumerate(crowd)
            )
        )
        assert sum(puts) == 1
        found = await schedules.get("nightly")
        assert found is not None
        assert found.task == f"task {puts.index(True)}"

    async def test_a_removed_one_leaves_its_jobs_and_ticks(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        await put(scene, a_schedule())
        tick = a_tick()
        await schedules.fire([tick])
        assert await schedules.remove("nightly") is True
        assert await schedules.get("nightly") is None
        assert (await schedules.due(10)).schedules == ()
        assert len(await schedules.ticks("nightly", limit=10)) == 1
        assert tick.submission is not None
        assert await scene.state(tick.submission.id) is State.READY

    async def test_pause_and_resume(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        await put(scene, a_schedule())
        assert await schedules.resume(a_schedule(), START, None) is False
        assert await schedules.pause("nightly", "ada", "maintenance") is True
        assert await schedules.pause("nightly", "bob", "") is False
        paused = await schedules.get("nightly")
        assert paused is not None
        assert (paused.paused_at, paused.paused_by, paused.paused_why) == (START, "ada", "maintenance")
        assert (await schedules.due(10)).schedules == ()
        assert (await schedules.due(10)).next_at is None
        assert await schedules.resume(a_schedule(next_at=START + HOUR), START + HOUR, None) is False
        assert await schedules.resume(a_schedule(), START + HOUR, None) is True
        resumed = await schedules.get("nightly")
        assert resumed == a_schedule(next_at=START + HOUR)


class TestDue:
    async def test_those_whose_moment_has_come_the_first_due_first(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        for id, moment in (("a", START + SECOND), ("b", START), ("c", START + HOUR), ("d", None)):
            await put(scene, a_schedule(id, next_at=moment))
        due = await schedules.due(10)
        assert (due.now, due.next_at) == (START, START + SECOND)
        assert [schedule.id for schedule in due.schedules] == ["b"]
        scene.clock.advance(1)
        due = await schedules.due(10)
        assert [schedule.id for schedule in due.schedules] == ["b", "a"]
        assert (due.now, due.next_at) == (START + SECOND, START + HOUR)
        assert [schedule.id for schedule in (await schedules.due(1)).schedules] == ["b"]

    async def test_nothing(self, scene: Scene) -> None:
        due = await scene.store.schedules.due(10)
        assert (due.now, due.schedules, due.next_at) == (START, (), None)


class TestFire:
    async def test_tick_job_and_next_moment_are_written_together(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        await put(scene, a_schedule())
        scene.clock.advance(2)
        tick = a_tick()
        assert tick.submission is not None
        assert await schedules.fire([tick]) == {"nightly"}
        job = await scene.job(tick.submission.id)
        assert (job.state, job.schedule, job.due) == (State.READY, "nightly", START)
        after = await schedules.get("nightly")
        assert after == a_schedule(next_at=START + MINUTE, last_at=START, last_job=job.id)
        (record,) = await schedules.ticks("nightly", limit=10)
        assert record == TickRecord(
            schedule="nightly",
            due=START,
            source="tick",
            version=1,
            state="fired",
            job=job.id,
            missed=0,
            missed_from=None,
            reason=None,
            fired_at=START + 2 * SECOND,
        )

    async def test_missed_moments_are_one_range(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        await put(scene, a_schedule())
        scene.clock.advance(HOUR)
        latest = START + HOUR
        submission = a_job(schedule="nightly", due=latest)
        tick = a_tick(at=latest, missed=60, next_at=latest + MINUTE, submission=submission)
        assert await schedules.fire([tick]) == {"nightly"}
        (record,) = await schedules.ticks("nightly", limit=10)
        assert (record.due, record.missed, record.missed_from) == (latest, 60, START)
        assert record.job == submission.id
        after = await schedules.get("nightly")
        assert after is not None
        assert (after.last_at, after.next_at) == (latest, latest + MINUTE)

    async def test_a_tick_that_runs_nothing_is_recorded(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        await put(scene, a_schedule())
        assert await schedules.fire([a_tick(state="skipped", submission=None)]) == {"nightly"}
        (record,) = await schedules.ticks("nightly", limit=10)
        assert (record.state, record.job) == ("skipped", None)
        assert await scene.store.insight.counts() == []

    async def test_the_last_moment_ends_it(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        await put(scene, a_schedule())
        assert await schedules.fire([a_tick(next_at=None)]) == {"nightly"}
        scene.clock.advance(HOUR)
        due = await schedules.due(10)
        assert (due.schedules, due.next_at) == ((), None)

    async def test_a_job_for_later_is_scheduled(self, scene: Scene) -> None:
        await put(scene, a_schedule())
        submission = a_job(run_at=START + SECOND)
        await scene.store.schedules.fire([a_tick(submission=submission)])
        assert await scene.state(submission.id) is State.SCHEDULED

    async def test_ticks_are_listed_from_the_newest(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        await put(scene, a_schedule())
        for minute in range(3):
            moment = scene.clock.set(START + minute * MINUTE)
            tick = a_tick(due=moment, at=moment, next_at=moment + MINUTE, submission=a_job())
            assert await schedules.fire([tick]) == {"nightly"}
        ticks = await schedules.ticks("nightly", limit=2)
        assert [tick.due for tick in ticks] == [START + 2 * MINUTE, START + MINUTE]

    async def test_a_schedule_that_was_paused_does_nothing(self, scene: Scene) -> None:
        await put(scene, a_schedule())
        await scene.store.schedules.pause("nightly", "ada", "")
        await self._does_nothing(scene, a_tick())

    async def test_a_schedule_that_was_changed_does_nothing(self, scene: Scene) -> None:
        await put(scene, a_schedule())
        await put(scene, a_schedule(version=2), a_schedule())
        await self._does_nothing(scene, a_tick())

    async def test_a_schedule_that_moved_on_does_nothing(self, scene: Scene) -> None:
        await put(scene, a_schedule(next_at=START + MINUTE))
        await self._does_nothing(scene, a_tick())

    async def test_a_schedule_that_is_gone_does_nothing(self, scene: Scene) -> None:
        await self._does_nothing(scene, a_tick())

    @staticmethod
    async def _does_nothing(scene: Scene, tick: Tick) -> None:
        before = await scene.store.schedules.list()
        assert await scene.store.schedules.fire([tick]) == frozenset()
        assert await scene.store.schedules.list() == before
        assert await scene.store.schedules.ticks("nightly", limit=10) == []
        assert await scene.store.insight.counts() == []

    async def test_a_moment_that_was_fired_before_a_removal_makes_no_second_job(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        await put(scene, a_schedule())
        await schedules.fire([a_tick()])
        await schedules.remove("nightly")
        await put(scene, a_schedule())
        second = a_tick(version=3)
        assert second.submission is not None
        await schedules.fire([second])
        assert await scene.store.insight.job(second.submission.id) is None
        assert len(await schedules.ticks("nightly", limit=10)) == 1
        after = await schedules.get("nightly")
        assert after is not None
        assert after.next_at == START + MINUTE

    async def test_many_in_one_call_of_which_some_do_not_hold(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        ids = [f"s{number:03}" for number in range(100)]
        for id in ids:
            await put(scene, a_schedule(id))
        await schedules.remove("s050")
        stale = [msgspec.structs.replace(a_tick(ids[0]), version=7)]
        assert len(await schedules.fire([a_tick(id) for id in ids[1:]] + stale)) == 98
        assert len(await scene.claim(limit=200)) == 98
        assert [one.id for one in (await schedules.due(10)).schedules] == ["s000"]

    async def test_nothing_to_fire(self, scene: Scene) -> None:
        assert await scene.store.schedules.fire([]) == frozenset()


class TestFireOnce:
    async def test_several_schedulers_fire_a_moment_once(self, crowd: list[Scene]) -> None:
        one, *_ = crowd
        await put(one, a_schedule())
        for minute in range(10):
            moment = one.clock.set(START + minute * MINUTE)
            ticks = [
                a_tick(due=moment, at=moment, next_at=moment + MINUTE, submission=a_job()) for _ in crowd
            ]
            held = await asyncio.gather(
                *(each.store.schedules.fire([tick]) for each, tick in zip(crowd, ticks, strict=True))
            )
            assert sum(map(len, held)) == 1
        assert len(await one.claim()) == 10
        assert len(await one.store.schedules.ticks("nightly", limit=100)) == 10

    async def test_in_other_orders_too(self, crowd: list[Scene]) -> None:
        one, *_ = crowd
        ids = [f"s{number}" for number in range(30)]
        for id in ids:
            await put(one, a_schedule(id))
        orders = [ids, ids[::-1], ids[15:] + ids[:15], ids]
        held = await asyncio.gather(
            *(
                each.store.schedules.fire([a_tick(id) for id in order])
                for each, order in zip(crowd, orders, strict=True)
            )
        )
        assert sum(map(len, held)) == len(ids)
        assert len(await one.claim()) == len(ids)
