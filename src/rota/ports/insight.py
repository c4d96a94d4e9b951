"""Questions about what is in the store. Nothing here changes anything."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from rota.model.events import JobEvent, LogRecord
from rota.model.job import JobFilter, JobRecord
from rota.model.outcome import Crash
from rota.model.states import State
from rota.model.worker import QueueRecord, TaskEntry, WorkerRecord

__all__ = ["FaultGroup", "InsightStore", "StateCount", "StoredResult"]


class StoredResult(Struct, frozen=True):
    """A job's state and, when it succeeded and its result is kept, the result as JSON."""

    state: State
    value: bytes | None
    kept: bool
    fault_kind: str = ""
    fault_message: str = ""
    traceback: str = ""
    crash: Crash | None = None


class StateCount(Struct, frozen=True):
    """How many jobs of one task in one queue are in one state."""

    queue: str
    task: str
    state: State
    count: int


class FaultGroup(Struct, frozen=True):
    """Dead jobs that failed alike."""

    task: str
    kind: str
    message: str
    count: int
    last: datetime


class InsightStore(Protocol):
    """Reads."""

    async def now(self) -> datetime:
        """Return the store's present moment."""
        ...

    async def job(self, job: UUID) -> JobRecord | None:
        """Return one job, wherever it is."""
        ...

    async def jobs(self, which: JobFilter, *, limit: int, before: UUID | None = None) -> list[JobRecord]:
        """List jobs, newest id first, older than `before`."""
        ...

    async def results(self, jobs: Sequence[UUID]) -> dict[UUID, StoredResult]:
        """Return state and result of those jobs that exist."""
        ...

    async def logs(self, job: UUID, *, after: int = 0, limit: int = 1000) -> list[LogRecord]:
        """Return a job's log lines in order; `after` skips that many."""
        ...

    async def events(self, job: UUID) -> list[JobEvent]:
        """Return a job's events in order."""
        ...

    async def counts(self) -> list[StateCount]:
        """Count jobs per queue, task and state, finished ones included."""
        ...

    async def faults(self, which: JobFilter, *, limit: int) -> list[FaultGroup]:
        """Group dead jobs by task and error, the largest group first."""
        ...

    async def queues(self) -> list[QueueRecord]:
        """List queues that hold jobs or are paused."""
        ...

    async def workers(self) -> list[WorkerRecord]:
        """List registered workers."""
        ...

    async def tasks(self) -> list[TaskEntry]:
        """List the catalogue of tasks."""
        ...
