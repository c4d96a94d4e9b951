"""Questions about what is in the store, each answered from one snapshot."""

import heapq
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec

from rota.model.clock import from_micros
from rota.model.events import JobEvent, LogRecord
from rota.model.job import JobFilter, JobRecord
from rota.model.outcome import Fault
from rota.model.states import LIVE, State
from rota.model.worker import QueueRecord, TaskEntry, WorkerRecord
from rota.ports.insight import FaultGroup, StateCount, StoredResult
from rota.stores.sqlite import records
from rota.stores.sqlite.filters import conditions
from rota.stores.sqlite.reader import Reader
from rota.stores.sqlite.transaction import Snapshot
from rota.stores.sqlite.values import id_set

__all__ = ["SqliteInsight"]

_decode_fault = msgspec.json.Decoder(Fault).decode


class SqliteInsight:
    """`InsightStore` on SQLite."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def now(self) -> datetime:
        """Return the present moment; see the port."""
        return from_micros(await self._reader.run(lambda snapshot: snapshot.now))

    async def job(self, job: UUID) -> JobRecord | None:
        """Return one job; see the port."""
        found = await self.jobs(JobFilter(ids=(job,)), limit=1)
        return found[0] if found else None

    async def jobs(self, which: JobFilter, *, limit: int, before: UUID | None = None) -> list[JobRecord]:
        """List jobs, newest id first; see the port."""
        return await self._reader.run(lambda snapshot: _jobs(snapshot, which, limit, before))

    async def results(self, jobs: Sequence[UUID]) -> dict[UUID, StoredResult]:
        """Return state and result of jobs; see the port."""
        rows = await self._reader.run(lambda snapshot: snapshot.rows("results", **id_set(jobs)))
        return {UUID(bytes=row[0]): _result(row) for row in rows}

    async def logs(self, job: UUID, *, after: int = 0, limit: int = 1000) -> list[LogRecord]:
        """Return a job's log lines; see the port."""
        rows = await self._reader.run(
            lambda snapshot: snapshot.rows("logs", job=job.bytes, after=after, limit=limit)
        )
        return list(map(records.log_record, rows))

    async def events(self, job: UUID) -> list[JobEvent]:
        """Return a job's events; see the port."""
        rows = await self._reader.run(lambda snapshot: snapshot.rows("events", job=job.bytes))
        return list(map(records.event, rows))

    async def counts(self) -> list[StateCount]:
        """Count jobs per queue, task and state; see the port."""
        rows = await self._reader.run(lambda snapshot: snapshot.rows("counts"))
        return [StateCount(queue, task, State(state), count) for queue, task, state, count in rows]

    async def faults(self, which: JobFilter, *, limit: int) -> list[FaultGroup]:
        """Group dead jobs by task and error; see the port."""
        where, params = conditions(which)
        rows = await self._reader.run(lambda snapshot: snapshot.rows("faults", where, limit=limit, **params))
        return [FaultGroup(task, kind, text, count, from_micros(at)) for task, kind, text, count, at in rows]

    async def queues(self) -> list[QueueRecord]:
        """List queues; see the port."""
        rows = await self._reader.run(lambda snapshot: snapshot.rows("queues"))
        return list(map(records.queue_record, rows))

    async def workers(self) -> list[WorkerRecord]:
        """List workers; see the port."""
        rows = await self._reader.run(lambda snapshot: snapshot.rows("workers"))
        return list(map(records.worker_record, rows))

    async def tasks(self) -> list[TaskEntry]:
        """List the catalogue; see the port."""
        rows = await self._reader.run(lambda snapshot: snapshot.rows("tasks"))
        return list(map(records.task_entry, rows))


def _jobs(snapshot: Snapshot, which: JobFilter, limit: int, before: UUID | None) -> list[JobRecord]:
    where, params = conditions(which, before=None if before is None else before.bytes)
    tables = [
        [records.job_record(row) for row in snapshot.rows(table, where, limit=limit, **params)]
        for table in _tables(which)
    ]
    newest_first = heapq.merge(*tables, key=attrgetter("id"), reverse=True)
    return list(islice(newest_first, limit))


def _tables(which: JobFilter) -> list[str]:
    """Return which tables may hold jobs in the states of a filter."""
    states = which.states or frozenset(State)
    tables = {
        "live": LIVE,
        "dead": {State.FAILED},
        "history": {State.SUCCEEDED, State.CANCELLED, State.EXPIRED},
    }
    return [table for table, its_states in tables.items() if states & its_states]


def _result(row: Sequence[Any]) -> StoredResult:
    _, state, fault, kept, value = row
    failure = None if fault is None else _decode_fault(fault)
    return StoredResult(
        state=State(state),
        value=value,
        # What returned nothing is kept as such: its row says NULL, where a dropped result says 0.
        kept=state == State.SUCCEEDED and (kept is None or value is not None),
        fault_kind=failure.kind if failure else "",
        fault_message=failure.message if failure else "",
        traceback=failure.traceback if failure else "",
        crash=failure.crash if failure else None,
    )
