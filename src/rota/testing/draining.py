"""Running what an app's store holds, here and now."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from rota.app.job import Job
from rota.app.rota import Rota
from rota.definitions.resources import open_resources
from rota.engine.announcer import Announcer
from rota.engine.scheduler import Scheduler
from rota.engine.worker import Worker, WorkerOptions
from rota.executors.inline import AsyncExecutor
from rota.executors.threads import ThreadExecutor
from rota.model.errors import JobFailedError, RotaError
from rota.model.events import AttemptEnded, HookFailed, ScheduleFailed
from rota.model.job import ISOLATED
from rota.model.outcome import Failed, Outcome, Retried
from rota.operations.schedules import submission_of
from rota.policy.queue_order import QueueOrder
from rota.ports.executor import Executor
from rota.ports.store import Store
from rota.testing.clock import FakeClock
from rota.testing.isolation import given_resources
from rota.testing.places import CallerLoop, CallerThread, Desk, Watched

__all__ = ["LIMIT", "Ran", "Shift", "drain", "drain_async", "work_here", "work_here_async"]

LIMIT = 1000
"""How many attempts a drain runs at most: a task that enqueues itself would never end."""

_LEASE = 3600.0
_GROUP = 1000
_LOOK_EVERY = 0.005


class Ran(Struct, frozen=True):
    """An attempt that was run: of which task and job, how it ended, and what it raised if it did."""

    task: str
    job: Job[Any]
    attempt: int
    outcome: Outcome
    error: BaseException | None


def drain(app: Rota, *, raise_errors: bool = True, limit: int = LIMIT) -> list[Ran]:
    """Run all jobs that are ready, those that they enqueue, and what has become due by the store's clock.

    Plain functions run in this thread, one after another, coroutine functions beside them in a loop of their
    own; functions that want a process run in this one, jobs that have crashed too.

    Args:
        app: whose jobs.
        raise_errors: raise what the first failed attempt raised, once all have run.
        limit: give up after so many attempts.

    Returns:
        What ran, in the order in which it ended.

    Raises:
        JobFailedError: a task failed where its own error cannot be had, for example by its timeout.
        WrongThreadError: this thread runs an event loop: use `drain_async`.
    """
    shift = work_here(app, limit=limit)
    shift.check(strict=raise_errors)
    return shift.ran


async def drain_async(app: Rota, *, raise_errors: bool = True, limit: int = LIMIT) -> list[Ran]:
    """Run all jobs that are ready (see `drain`): coroutine functions in this loop, plain ones in threads."""
    shift = await work_here_async(app, limit=limit)
    shift.check(strict=raise_errors)
    return shift.ran


def work_here(app: Rota, *, limit: int = LIMIT, due: bool = True, until: datetime | None = None) -> "Shift":
    """Run what is ready, and if `due` what has become due, in this thread.

    With `until` time passes up to that moment: whenever nothing is left, the app's clock goes on to the next.
    """
    app.connection.refuse_in_loop("drain")
    desk = Desk()
    threads = [CallerThread(name, desk) for name in ("thread", "process", ISOLATED)]
    shift = Shift(app, [AsyncExecutor(), *threads], limit=limit, due=due, until=until)
    given = given_resources(app)
    with ThreadPoolExecutor(1, thread_name_prefix="rota-drain") as engine:
        work = engine.submit(app.connection.run, "drain", lambda store: shift.open_and_work(store, given))
        work.add_done_callback(lambda _: desk.close())
        try:
            desk.serve()
        finally:
            # An interrupted test must not wait for tasks that wait for it.
            shift.over = True
        work.result()
    return shift


async def work_here_async(app: Rota, *, limit: int = LIMIT, due: bool = True) -> "Shift":
    """Run what is ready, and if `due` what has become due, coroutine functions in this loop."""
    threads, processes, alone = ThreadExecutor(), ThreadExecutor(), ThreadExecutor()
    processes.name, alone.name = "process", ISOLATED
    here = CallerLoop("async", asyncio.get_running_loop())
    shift = Shift(app, [here, threads, processes, alone], limit=limit, due=due)
    try:
        async with AsyncExitStack() as stack:
            resources = await _open(app, given_resources(app), stack)
            await app.connection.run_async(lambda store: shift.work(store, resources))
    finally:
        shift.over = True
    return shift


class Shift:
    """A worker that is told when to look, and goes home when there is nothing left.

    Attributes:
        ran: what ran, in the order in which it ended.
        over: set from any thread to send it home early.
    """

    def __init__(
        self,
        app: Rota,
        executors: Sequence[Executor],
        *,
        limit: int,
        due: bool,
        until: datetime | None = None,
    ) -> None:
        self.ran: list[Ran] = []
        self.over = False
        self._app = app
        self._limit = limit
        self._due = due
        self._until = until
        self._errors: dict[UUID, BaseException] = {}
        self._problems: list[str] = []
        self._executors = [Watched(executor, self._errors) for executor in executors]

    async def open_and_work(self, store: Store, given: Mapping[Any, Any]) -> None:
        """Open the resources that are not given, and work."""
        async with AsyncExitStack() as stack:
            await self.work(store, await _open(self._app, given, stack))

    async def work(self, store: Store, resources: Mapping[Any, Any]) -> None:
        """Work until there is nothing left."""
        announcer = self._announcer()
        # The lease is long: a test may move the clock by hours while a task runs.
        options = WorkerOptions(queues=self._queues(()), lease=_LEASE, grace=0)
        worker = Worker(store, self._app.registry, self._executors, announcer, options)
        worker.runner.use(resources)
        scheduler = Scheduler(store, submission_of, announcer)
        if self._due:
            await self._app.schedules.store_declared(store)
        for executor in self._executors:
            await executor.start()
        try:
            while not self.over:
                if self._due:
                    await scheduler.turn()
                    await store.jobs.promote(_GROUP)
                names = [queue.name for queue in await store.insight.queues()]
                if not await worker.work_off(self._queues(names)):
                    if not await self._move_on(store):
                        break
                    continue
                await self._pause(worker)
        finally:
            await worker.stop()

    async def _move_on(self, store: Store) -> bool:
        """Let time pass up to the next due moment; False when none comes before the end."""
        clock, until = self._app.clock, self._until
        if until is None or not isinstance(clock, FakeClock):
            return False
        now = clock.now()
        due = await store.schedules.due(1)
        wait = (await store.jobs.promote(_GROUP)).wait
        moments = [one.next_at for one in due.schedules if one.next_at is not None]
        moments += [due.next_at] if due.next_at is not None else []
        moments += [now + wait] if wait is not None else []
        upcoming = min((moment for moment in moments if moment > now), default=until)
        clock.set(max(now, min(upcoming, until)))
        return upcoming <= until and clock.now() > now

    def check(self, *, strict: bool) -> None:
        """Raise what the first failed attempt raised; an interrupt, or else no `Exception`, always."""
        failed = [ran for ran in self.ran if ran.error is not None]
        for ran in failed:
            if ran.error is not None and (strict or not isinstance(ran.error, Exception)):
                others = f"; {len(failed) - 1} more failed" if len(failed) > 1 else ""
                ran.error.add_note(f"raised by task {ran.task!r} in job {ran.job.id}{others}")
                raise ran.error
        if strict and self._problems:
            raise RotaError("\n".join(self._problems))

    async def _pause(self, worker: Worker) -> None:
        if len(self.ran) >= self._limit:
            raise RotaError(
                f"{self._limit} attempts ran and there is more: does a task enqueue itself? "
                "If that is right, give drain() a higher limit="
            )
        try:
            async with asyncio.timeout(_LOOK_EVERY):
                await worker.runner.idle()
        except TimeoutError:
            pass  # what runs may have enqueued something in the meantime

    def _queues(self, more: Sequence[str]) -> QueueOrder:
        """Return every queue there is: jobs may wait in some that no task names."""
        return QueueOrder(tuple(dict.fromkeys([*self._app.registry.queues(), *sorted(more), "default"])))

    def _announcer(self) -> Announcer:
        announcer = Announcer()
        announcer.subscribe(AttemptEnded, self._ended)
        announcer.subscribe(
            HookFailed,
            lambda event: self._problems.append(f"the hook of {event.task!r} raised {event.error}"),
        )
        announcer.subscribe(
            ScheduleFailed,
            lambda event: self._problems.append(f"schedule {event.schedule!r} cannot tick: {event.error}"),
        )
        return announcer

    def _ended(self, event: AttemptEnded) -> None:
        job, outcome = event.job, event.outcome
        error = self._errors.pop(job.id, None)
        if not isinstance(outcome, Failed | Retried):
            error = None
        elif error is None:
            fault = outcome.fault
            error = JobFailedError(job.id, fault.kind, fault.message, fault.traceback)
        handle = Job[Any](self._app.connection, job.id, self._app.registry.find(job.task))
        self.ran.append(Ran(job.task, handle, job.attempt, outcome, error))


async def _open(app: Rota, given: Mapping[Any, Any], stack: AsyncExitStack) -> Mapping[Any, Any]:
    missing = [resource for kind, resource in app.registry.resources.items() if kind not in given]
    return {**await open_resources(missing, stack), **given}
