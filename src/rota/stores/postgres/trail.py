"""What happened, over time (`ports.trail`)."""

from collections.abc import Sequence
from datetime import datetime

from rota.model.events import JobEvent
from rota.model.trail import PlacedEvent, StatRow, Tally
from rota.stores.postgres.database import Database
from rota.stores.postgres.rows import load

__all__ = ["PostgresTrail"]


class PostgresTrail:
    """Counts by the minute, and events in order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_stats(self, tallies: Sequence[Tally]) -> None:
        """See `TrailStore.add_stats`."""
        rows = sorted(tallies, key=lambda one: (one.queue, one.task, one.outcome))
        await self._database.fetch(
            "add_stats",
            self._database.now(),
            [one.queue for one in rows],
            [one.task for one in rows],
            [one.outcome for one in rows],
            [one.count for one in rows],
            [one.wait for one in rows],
            [one.duration for one in rows],
            [_array(one.waits) for one in rows],
            [_array(one.durations) for one in rows],
        )

    async def stats(
        self, since: datetime, until: datetime, *, queue: str | None = None, task: str | None = None
    ) -> list[StatRow]:
        """See `TrailStore.stats`."""
        rows = await self._database.fetch("stats", since, until, queue, task)
        return [
            StatRow(
                minute,
                Tally(
                    queue=its_queue,
                    task=its_task,
                    outcome=outcome,
                    count=count,
                    wait=wait,
                    duration=duration,
                    waits=tuple(waits),
                    durations=tuple(durations),
                ),
            )
            for minute, its_queue, its_task, outcome, count, wait, duration, waits, durations in rows
        ]

    async def latest_event(self) -> int:
        """See `TrailStore.latest_event`."""
        ((place,),) = await self._database.fetch("latest_event", self._database.now())
        return int(place)

    async def events_after(self, place: int, *, limit: int) -> list[PlacedEvent]:
        """See `TrailStore.events_after`."""
        rows = await self._database.fetch("events_after", self._database.now(), place, limit)
        return [
            PlacedEvent(its_place, JobEvent(job=job, kind=kind, at=at, attempt=attempt, data=load(data)))
            for its_place, job, kind, at, attempt, data in rows
        ]


def _array(numbers: Sequence[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"
