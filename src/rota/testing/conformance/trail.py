"""Counts by the minute, and the line of all events."""

import asyncio
from typing import Any

from rota.model.outcome import Retried
from rota.model.trail import BUCKETS, StatRow, Tally, bucket_of
from rota.testing.conformance.scene import BOOM, HOUR, MINUTE, SECOND, START, Scene

__all__ = ["TestEventLine", "TestStats"]


def a_tally(**fields: Any) -> Tally:
    counted = [0] * BUCKETS
    counted[bucket_of(0.1)] = 2
    plain: dict[str, Any] = {
        "queue": "mail",
        "task": "send",
        "outcome": "succeeded",
        "count": 2,
        "wait": 0.25,
        "duration": 0.5,
        "waits": tuple(counted),
        "durations": tuple(counted),
    }
    return Tally(**plain | fields)


class TestStats:
    async def found(self, scene: Scene, **which: Any) -> list[StatRow]:
        return await scene.store.trail.stats(START - HOUR, START + HOUR, **which)

    async def test_counts_of_one_minute_are_added_up(self, scene: Scene, crowd: list[Scene]) -> None:
        tallies = [a_tally(), a_tally(outcome="failed"), a_tally(task="other")]
        await asyncio.gather(*(one.store.trail.add_stats(tallies) for one in crowd))
        number = len(crowd)
        twice = tuple(count * number for count in a_tally().waits)
        minute = START.replace(second=0, microsecond=0)
        assert await self.found(scene, task="send") == [
            StatRow(
                minute,
                a_tally(
                    outcome=outcome,
                    count=2 * number,
                    wait=0.25 * number,
                    duration=0.5 * number,
                    waits=twice,
                    durations=twice,
                ),
            )
            for outcome in ("failed", "succeeded")
        ]

    async def test_minutes_are_kept_apart_and_found_by_their_beginning(self, scene: Scene) -> None:
        for _ in range(3):
            await scene.store.trail.add_stats([a_tally()])
            scene.clock.advance(MINUTE)
        rows = await self.found(scene)
        assert [row.minute - rows[0].minute for row in rows] == [MINUTE * number for number in range(3)]
        first, last = rows[0].minute, rows[2].minute
        assert await scene.store.trail.stats(first, last) == rows[:2]

    async def test_filters(self, scene: Scene) -> None:
        await scene.store.trail.add_stats([a_tally(), a_tally(queue="bulk"), a_tally(task="read")])
        assert [row.tally.queue for row in await self.found(scene, queue="bulk")] == ["bulk"]
        assert [row.tally.task for row in await self.found(scene, task="read")] == ["read"]
        assert await self.found(scene, queue="bulk", task="read") == []
        assert len(await self.found(scene)) == 3


class TestEventLine:
    async def test_events_are_read_on_from_a_place(self, scene: Scene) -> None:
        start = await scene.store.trail.latest_event()
        jobs = [await scene.finish(Retried(HOUR, BOOM)) for _ in range(3)]
        scene.clock.advance(2 * SECOND)
        found = await scene.store.trail.events_after(start, limit=2)
        found += await scene.store.trail.events_after(found[-1].place, limit=10)
        retries = [one.event.job for one in found if one.event.kind == "retry"]
        assert retries[-1] == jobs[-1]
        assert len(retries) >= 3
        places = [one.place for one in found]
        assert places == sorted(set(places))
        assert await scene.store.trail.latest_event() == places[-1]
        assert await scene.store.trail.events_after(places[-1], limit=10) == []
