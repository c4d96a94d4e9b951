"""Questions (`ports.insight`)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from rota.model.events import JobEvent, LogRecord
from rota.model.job import JobFilter, JobRecord
from rota.model.states import State
from rota.model.worker import QueueRecord, TaskEntry, WorkerRecord
from rota.ports.insight import FaultGroup, StateCount, StoredResult
from rota.stores.postgres.database import LONG, Database, Run
from rota.stores.postgres.rows import (
    event,
    filter_params,
    job_record,
    load,
    load_crash,
    log_record,
    worker_record,
)

__all__ = ["PostgresInsight"]


class PostgresInsight:
    """Reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def now(self) -> datetime:
        """See `InsightStore.now`."""
        ((moment,),) = await self._database.fetch("moment", self._database.now())
        found: datetime = moment
        return found

    async def job(self, job: UUID) -> JobRecord | None:
        """See `InsightStore.job`."""
        rows = await self._database.fetch("job", job)
        return job_record(rows[0]) if rows else None

    async def jobs(self, which: JobFilter, *, limit: int, before: UUID | None = None) -> list[JobRecord]:
        """See `InsightStore.jobs`."""
        rows = await self._planned("jobs", limit, *filter_params(which), before)
        return [job_record(row) for row in rows]

    async def _planned(self, name: str, *params: Any) -> list[Any]:
        """Run a statement that may look at everything, planned for what it is asked."""

        async def work(run: Run) -> list[Any]:
            await run("plan_anew")
            return await run(name, *params)

        return await self._database.transact(work, patience=LONG)

    async def results(self, jobs: Sequence[UUID]) -> dict[UUID, StoredResult]:
        """See `InsightStore.results`."""
        rows = await self._database.fetch("results", self._database.now(), list(jobs))
        found = {}
        for job, state, value, stored, kept, *failure in rows:
            has = state == State.SUCCEEDED and (stored or kept is None)
            kind, message, traceback, crash = failure
            found[job] = StoredResult(
                State(state), value, has, kind or "", message or "", traceback or "", load_crash(crash)
            )
        return found

    async def logs(self, job: UUID, *, after: int = 0, limit: int = 1000) -> list[LogRecord]:
        """See `InsightStore.logs`."""
        return [log_record(row) for row in await self._database.fetch("logs", job, after, limit)]

    async def events(self, job: UUID) -> list[JobEvent]:
        """See `InsightStore.events`."""
        return [event(row) for row in await self._database.fetch("events", job)]

    async def counts(self) -> list[StateCount]:
        """See `InsightStore.counts`."""
        rows = await self._planned("counts")
        return [StateCount(queue, task, State(state), count) for queue, task, state, count in rows]

    async def faults(self, which: JobFilter, *, limit: int) -> list[FaultGroup]:
        """See `InsightStore.faults`."""
        rows = await self._planned("faults", limit, *filter_params(which))
        return [FaultGroup(*row) for row in rows]

    async def queues(self) -> list[QueueRecord]:
        """See `InsightStore.queues`."""
        return [QueueRecord(**dict(row)) for row in await self._planned("queues")]

    async def workers(self) -> list[WorkerRecord]:
        """See `InsightStore.workers`."""
        return [worker_record(row) for row in await self._database.fetch("workers")]

    async def tasks(self) -> list[TaskEntry]:
        """See `InsightStore.tasks`."""
        rows = await self._database.fetch("tasks")
        return [TaskEntry(**dict(row) | {"schema": load(row["schema"])}) for row in rows]
