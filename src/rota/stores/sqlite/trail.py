"""What happened, over time."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from rota.model.clock import from_micros, to_micros
from rota.model.trail import PlacedEvent, StatRow, Tally
from rota.stores.sqlite import records
from rota.stores.sqlite.reader import Reader
from rota.stores.sqlite.values import json_text
from rota.stores.sqlite.writer import Writer

__all__ = ["SqliteTrail"]

_decode = msgspec.json.Decoder(tuple[int, ...]).decode


class SqliteTrail:
    """`TrailStore` on SQLite."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def add_stats(self, tallies: Sequence[Tally]) -> None:
        """Add to the counts of the present minute; see the port."""
        rows = [
            {
                "queue": one.queue,
                "task": one.task,
                "outcome": one.outcome,
                "count": one.count,
                "wait": one.wait,
                "duration": one.duration,
                "waits": json_text(one.waits),
                "durations": json_text(one.durations),
            }
            for one in tallies
        ]
        await self._writer.run(lambda transaction: transaction.change_each("add_stats", rows))

    async def stats(
        self, since: datetime, until: datetime, *, queue: str | None = None, task: str | None = None
    ) -> list[StatRow]:
        """Return the counts of some minutes; see the port."""
        first, last = to_micros(since), to_micros(until)
        rows = await self._reader.run(
            lambda snapshot: snapshot.rows("stats", since=first, until=last, queue=queue, task=task)
        )
        return [
            StatRow(
                from_micros(minute),
                Tally(
                    queue=its_queue,
                    task=its_task,
                    outcome=outcome,
                    count=count,
                    wait=wait,
                    duration=duration,
                    waits=_decode(waits),
                    durations=_decode(durations),
                ),
            )
            for minute, its_queue, its_task, outcome, count, wait, duration, waits, durations in rows
        ]

    async def latest_event(self) -> int:
        """Return the place of the newest event; see the port."""
        row = await self._reader.run(lambda snapshot: snapshot.row("latest_event"))
        return int(row[0]) if row else 0

    async def events_after(self, place: int, *, limit: int) -> list[PlacedEvent]:
        """Return events behind a place; see the port. One writer commits them in their order."""
        rows = await self._reader.run(
            lambda snapshot: snapshot.rows("events_after", place=place, limit=limit)
        )
        return [PlacedEvent(row[0], records.event(row[1:])) for row in rows]
