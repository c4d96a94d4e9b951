"""What `rota verify` reads (`ports.inspection`)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from rota.model.inspection import JobRow, SlotRow, TickRow
from rota.stores.postgres.database import Database, Run

__all__ = ["PostgresInspection"]


class PostgresInspection:
    """Rows as they stand."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def jobs(self, *, after: UUID, limit: int) -> list[JobRow]:
        """See `InspectionStore.jobs`."""
        return [_job(row) for row in await self._planned("inspect_jobs", after, limit)]

    async def slots(self) -> list[SlotRow]:
        """See `InspectionStore.slots`."""
        return [SlotRow(*row) for row in await self._planned("inspect_slots")]

    async def ticks(self, *, after: tuple[str, datetime], limit: int) -> list[TickRow]:
        """See `InspectionStore.ticks`."""
        return [TickRow(**dict(row)) for row in await self._planned("inspect_ticks", *after, limit)]

    async def twins(self) -> list[tuple[str, int]]:
        """See `InspectionStore.twins`."""
        return [(row[0], row[1]) for row in await self._planned("inspect_twins")]

    async def _planned(self, name: str, *params: Any) -> list[Any]:
        async def work(run: Run) -> list[Any]:
            await run("plan_anew")
            return await run(name, *params)

        return await self._database.transact(work)


def _job(row: Any) -> JobRow:
    fields = dict(row)
    for name in ("slots", "events", "events_at"):
        fields[name] = tuple(fields[name])
    return JobRow(**fields)
