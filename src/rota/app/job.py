"""A job in the user's hands."""

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

import msgspec

from rota.model.errors import (
    JobCancelledError,
    JobExpiredError,
    JobFailedError,
    JobNotFoundError,
    ResultTimeoutError,
    ResultUnavailableError,
)
from rota.model.events import LogRecord
from rota.model.job import JobFilter, JobRecord
from rota.model.states import FINISHED, State
from rota.ports.insight import StoredResult

if TYPE_CHECKING:
    from rota.app.connection import Connection
    from rota.definitions.task import Task
    from rota.ports.store import Store

__all__ = ["Job"]

R = TypeVar("R")

FIRST_LOOK = 0.002
LONGEST_PAUSE = 0.25


class Job(Generic[R]):
    """One request to run a task; `created` is False when a live job of the same `unique` was found instead.

    Every verb has a twin for asynchronous code, named with `_async`.
    """

    __slots__ = ("_connection", "_task", "created", "id")

    def __init__(
        self,
        connection: "Connection",
        job_id: UUID,
        task: "Task[Any, R] | None" = None,
        *,
        created: bool = True,
    ) -> None:
        self._connection = connection
        self._task = task
        self.id = job_id
        self.created = created

    def __repr__(self) -> str:
        name = f" of {self._task.name!r}" if self._task else ""
        return f"<Job {self.id}{name}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def status(self) -> State:
        """Return the job's state, such as "ready" or "succeeded".

        Raises:
            JobNotFoundError: there is no such job.
        """
        return self._connection.run("status", self._record).state

    async def status_async(self) -> State:
        """Return the job's state (see `status`)."""
        return (await self.record_async()).state

    def record(self) -> JobRecord:
        """Return all that the store knows of the job.

        Raises:
            JobNotFoundError: there is no such job.
        """
        return self._connection.run("record", self._record)

    async def record_async(self) -> JobRecord:
        """Return all that the store knows of the job (see `record`)."""
        return await self._connection.run_async(self._record)

    def result(self, timeout: float | None = None) -> R:
        """Wait until the job has finished and return what its task returned.

        Args:
            timeout: seconds to wait; None: for ever.

        Raises:
            JobFailedError: the task failed for good.
            JobCancelledError: the job was cancelled.
            JobExpiredError: it passed its deadline before it started.
            ResultTimeoutError: it has not finished in time.
            ResultUnavailableError: it succeeded, but results of this task are not kept that long.
        """
        return self._connection.run("result", lambda store: self._result(store, timeout))

    async def result_async(self, timeout: float | None = None) -> R:
        """Wait until the job has finished and return its result (see `result`)."""
        return await self._connection.run_async(lambda store: self._result(store, timeout))

    def cancel(self) -> bool:
        """Cancel the job: at once while it waits, by asking its task to stop while it runs.

        Returns:
            False when the job has finished already.
        """
        return self._connection.run("cancel", self._cancel)

    async def cancel_async(self) -> bool:
        """Cancel the job (see `cancel`)."""
        return await self._connection.run_async(self._cancel)

    def retry(self) -> bool:
        """Run a failed, cancelled or expired job again under its id.

        Returns:
            False when the job is in none of these states.
        """
        return self._connection.run("retry", self._retry)

    async def retry_async(self) -> bool:
        """Run a failed, cancelled or expired job again (see `retry`)."""
        return await self._connection.run_async(self._retry)

    def logs(self) -> list[LogRecord]:
        """Return the lines that the job's attempts have logged so far."""
        return self._connection.run("logs", self._logs)

    async def logs_async(self) -> list[LogRecord]:
        """Return the job's log lines (see `logs`)."""
        return await self._connection.run_async(self._logs)

    async def _record(self, store: "Store") -> JobRecord:
        record = await store.insight.job(self.id)
        if record is None:
            raise JobNotFoundError(self.id)
        return record

    async def _logs(self, store: "Store") -> list[LogRecord]:
        return await store.insight.logs(self.id)

    async def _cancel(self, store: "Store") -> bool:
        done = await store.jobs.cancel(JobFilter(ids=(self.id,)))
        return bool(done.cancelled or done.requested)

    async def _retry(self, store: "Store") -> bool:
        return bool(await store.jobs.redrive(JobFilter(ids=(self.id,))))

    async def _result(self, store: "Store", limit: float | None) -> R:
        ends = None if limit is None else time.monotonic() + limit
        pause = FIRST_LOOK
        while True:
            found = (await store.insight.results([self.id])).get(self.id)
            if found is None:
                raise JobNotFoundError(self.id)
            if found.state in FINISHED:
                return self._read(found)
            if ends is not None and time.monotonic() + pause > ends:
                raise ResultTimeoutError(self.id, limit or 0, found.state)
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - keeps many waiters apart
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _read(self, found: StoredResult) -> R:
        if found.state is State.FAILED:
            raise JobFailedError(self.id, found.fault_kind, found.fault_message, found.traceback, found.crash)
        if found.state is State.CANCELLED:
            raise JobCancelledError(self.id)
        if found.state is State.EXPIRED:
            raise JobExpiredError(self.id)
        if not found.kept:
            raise ResultUnavailableError(self.id)
        if found.value is None:
            return None  # type: ignore[return-value]  # a task that returned None
        if self._task is not None:
            typed: R = self._task.decode_result(found.value)
            return typed
        plain: R = msgspec.json.decode(found.value)
        return plain
