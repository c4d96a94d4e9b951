"""Runs jobs that may have killed their worker, each alone in a process."""

import os
from collections.abc import Callable, Mapping

from msgspec import structs

from rota.definitions.attempt import Attempt
from rota.definitions.invocation import fault_of
from rota.executors.processes import NotBegunError, ProcessExecutor
from rota.model.errors import ConfigurationError, WorkerCrashedError
from rota.model.events import Event, IsolationRefused
from rota.model.job import ISOLATED
from rota.model.outcome import Failed, Outcome
from rota.ports.executor import Executor

__all__ = ["IsolatedExecutor"]

_PASSING = frozenset({"builtins.OSError", "builtins.RuntimeError"})


class IsolatedExecutor:
    """Runs attempts of any kind of task in child processes, one at a time in each.

    A child is used again until it dies: what matters is that nothing runs beside a suspect. The first child
    starts with the first suspect.

    Where no child can load the app (it was typed into a shell, or is made inside a function), jobs run in the
    executor of their task, beside others. That is announced, and there a job is parked without running once
    it has gone down with its worker more than `max_crashes` times.

    Args:
        slots: how many suspects at once.
        make_pool: makes the children's executor, when the first suspect comes.
        others: the worker's other executors, by name.
        max_crashes: see above; 0: jobs never run alone here.
        announce: takes events.
    """

    name = ISOLATED

    def __init__(
        self,
        slots: int,
        make_pool: Callable[[], ProcessExecutor],
        others: Mapping[str, Executor],
        *,
        max_crashes: int,
        announce: Callable[[Event], None],
    ) -> None:
        self.slots = slots
        self._make_pool = make_pool
        self._others = others
        self._max_crashes = max_crashes
        self._announce = announce
        self._pool: ProcessExecutor | None = None
        self._refusals: dict[str, str] = {}

    async def start(self) -> None:
        """Make ready: the first suspect starts the first child."""

    async def run(self, attempt: Attempt) -> Outcome:
        """Run one attempt to its outcome."""
        task = attempt.task
        if not self._max_crashes:
            return await self._others[task.executor].run(attempt)
        if task.name not in self._refusals:
            try:
                return await self._children().run_in_child(attempt)
            except (NotBegunError, ConfigurationError) as error:
                self._refuse(attempt, error)
        return await self._run_beside_others(attempt)

    async def stop(self) -> None:
        """End every child."""
        if self._pool is not None:
            await self._pool.stop()

    def _children(self) -> ProcessExecutor:
        if self._pool is None:
            self._pool = self._make_pool()
        return self._pool

    def _refuse(self, attempt: Attempt, error: NotBegunError | ConfigurationError) -> None:
        reason = str(error)
        if isinstance(error, ConfigurationError) or not _PASSING & set(error.fault.kinds):
            # Asked again, it would say the same, after the time that it takes to start a child.
            self._refusals[attempt.task.name] = reason
        self._announce(IsolationRefused(attempt.task.name, reason))

    async def _run_beside_others(self, attempt: Attempt) -> Outcome:
        job, reason = attempt.job, self._refusals.get(attempt.task.name, "")
        attempt.log.warning("not isolated: %s", reason or "no process could be started")
        if job.crashes > self._max_crashes:
            message = (
                f"parked: its worker went down {job.crashes} times, and it cannot run alone here: {reason}"
            )
            fault = fault_of(WorkerCrashedError(os.getpid(), ""))
            return Failed(structs.replace(fault, message=message, traceback=""), final=True)
        return await self._others[attempt.task.executor].run(attempt)
