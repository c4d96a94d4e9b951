"""What `rota verify` reads: rows as they stand, each answer from one snapshot."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from rota.model.clock import to_micros
from rota.model.inspection import JobRow, SlotRow, TickRow
from rota.stores.sqlite.reader import Reader
from rota.stores.sqlite.records import job_row, tick_row

__all__ = ["SqliteInspection"]


class SqliteInspection:
    """`InspectionStore` on SQLite."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def jobs(self, *, after: UUID, limit: int) -> list[JobRow]:
        """Return the rows of the next jobs; see the port."""
        rows = await self._reader.run(
            lambda snapshot: snapshot.rows("inspect_jobs", after=after.bytes, limit=limit)
        )
        return [job_row(row) for row in _page(rows, limit)]

    async def slots(self) -> list[SlotRow]:
        """Return limited scopes; see the port."""
        rows = await self._reader.run(lambda snapshot: snapshot.rows("inspect_slots"))
        return [SlotRow(*row) for row in rows]

    async def ticks(self, *, after: tuple[str, datetime], limit: int) -> list[TickRow]:
        """Return the next ticks; see the port."""
        schedule, due = after
        rows = await self._reader.run(
            lambda snapshot: snapshot.rows(
                "inspect_ticks", schedule=schedule, due=to_micros(due), limit=limit
            )
        )
        return [tick_row(row) for row in rows]

    async def twins(self) -> list[tuple[str, int]]:
        """Return unique keys of several live jobs; see the port."""
        rows = await self._reader.run(lambda snapshot: snapshot.rows("inspect_twins"))
        return [(key, count) for key, count in rows]


def _page(rows: Sequence[Any], limit: int) -> Sequence[Any]:
    """Cut to a page: every table gave one, and up to the page's last id all of them are complete."""
    if len(rows) <= limit:
        return rows
    last = rows[limit - 1][_ID]
    return [row for place, row in enumerate(rows) if place < limit or row[_ID] == last]


_ID = 1
