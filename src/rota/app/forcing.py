"""Running one schedule by hand, here: a worker for one job, which ends with it."""

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from rota.app.serving import run_loop, serve
from rota.engine.announcer import Announcer
from rota.model.errors import AttemptStoppedError, JobFailedError, RotaError
from rota.model.events import AttemptEnded, LogRecord, Notice
from rota.model.ids import new_id
from rota.model.outcome import Failed, Outcome, Succeeded
from rota.operations import schedules
from rota.ports.store import Store

if TYPE_CHECKING:
    from rota.app.rota import Rota

__all__ = ["Forced", "force_here"]


class Forced:
    """A part of a process that submits the job, and stops when it has ended."""

    def __init__(self, app: "Rota", schedule: str, queue: str, announcer: Announcer) -> None:
        self.stopped = asyncio.Event()
        self.job: UUID | None = None
        self.outcome: Outcome | None = None
        self._app = app
        self._schedule = schedule
        self._queue = queue
        announcer.subscribe(AttemptEnded, self._ended)

    async def start(self) -> None:
        """Submit the job to the queue that only this process serves; it is tried once."""

        async def submit(store: Store) -> None:
            found = await schedules.get(store, self._schedule, self._app.schedules.declared())
            submission = schedules.submission_of(found, None)
            submission.queue, submission.max_attempts = self._queue, 1
            self.job = submission.id
            await store.jobs.submit([submission])

        await self._app.connection.run_async(submit)

    def notice(self, notice: Notice) -> None:
        """Nothing wakes it."""

    async def stop(self) -> None:
        """Nothing is left to do."""

    async def hurry(self) -> None:
        """Nothing is left to do."""

    def _ended(self, event: AttemptEnded) -> None:
        if event.job.id == self.job:
            self.outcome = event.outcome
            self.stopped.set()


def force_here(
    app: "Rota", schedule: str, locator: str
) -> tuple[UUID | None, list[LogRecord], RotaError | None]:
    """Run a schedule's job in this process; returns its id, what it logged, and why it did not succeed.

    Its queue is its own, so that no other worker takes it and this one takes no other; limits of its task and
    key hold. It is tried once.

    Raises:
        NotFoundError: there is no such schedule.
    """
    queue = f"force-{new_id()}"
    forced: list[Forced] = []
    logs: list[LogRecord] = []

    async def work() -> None:
        announcer = Announcer()
        forced.append(Forced(app, schedule, queue, announcer))
        await serve(app, ("worker",), queues=queue, locator=locator, announcer=announcer, also=forced)
        job = forced[0].job
        if job is not None:
            store = app.make_store()
            await store.open()
            try:
                logs.extend(await store.insight.logs(job))
            finally:
                await store.close()

    run_loop(work())
    job, outcome = forced[0].job, forced[0].outcome
    error: RotaError | None = None
    if isinstance(outcome, Failed):
        fault = outcome.fault
        error = JobFailedError(job, fault.kind, fault.message, fault.traceback)
    elif not isinstance(outcome, Succeeded):
        error = AttemptStoppedError(job, "this process was stopped before it had ended")
    return job, logs, error
