"""Where attempts run in tests: in the caller's own thread, or in the caller's own event loop."""

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from uuid import UUID

from rota.definitions.attempt import Attempt
from rota.definitions.invocation import call_async
from rota.executors.drained import DrainedLoop
from rota.executors.stopping import ignore_stop
from rota.executors.thread_run import ThreadRun
from rota.model.outcome import Outcome
from rota.ports.executor import Executor

__all__ = ["CallerLoop", "CallerThread", "Desk", "Watched"]


class Desk:
    """Where the caller's thread sits and runs what the engine, in another thread, lays before it."""

    def __init__(self) -> None:
        self._inbox: SimpleQueue[tuple[ThreadRun, Callable[[Outcome], None]] | None] = SimpleQueue()

    def lay(self, run: ThreadRun, done: Callable[[Outcome], None]) -> None:
        """Ask for an attempt; `done` is called in the caller's thread."""
        self._inbox.put((run, done))

    def close(self) -> None:
        """Let the caller go."""
        self._inbox.put(None)

    def serve(self) -> None:
        """Run attempts until the desk is closed."""
        while (errand := self._inbox.get()) is not None:
            run, done = errand
            done(_perform(run))


class CallerThread:
    """Runs plain functions at a desk, one after another: thread-local things of the test hold in them."""

    def __init__(self, name: str, desk: Desk) -> None:
        self.name = name
        self.slots = 1
        self._desk = desk

    async def start(self) -> None:
        """Make ready: the caller is."""

    async def run(self, attempt: Attempt) -> Outcome:
        """Run one attempt to its outcome."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Outcome] = loop.create_future()
        run = ThreadRun(attempt)
        attempt.on_stop(run.stop)
        self._desk.lay(run, lambda outcome: _tell(loop, waiter, outcome))
        try:
            return await waiter
        finally:
            attempt.on_stop(ignore_stop)

    async def stop(self) -> None:
        """Release everything: there is nothing."""


class CallerLoop:
    """Runs coroutine functions in the caller's event loop, where a test's own connections live."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self.slots = 100
        self._loop = loop

    async def start(self) -> None:
        """Make ready: the caller is."""

    async def run(self, attempt: Attempt) -> Outcome:
        """Run one attempt to its outcome."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._call(attempt), self._loop))

    async def stop(self) -> None:
        """Release everything: there is nothing."""

    async def _call(self, attempt: Attempt) -> Outcome:
        task = asyncio.ensure_future(call_async(attempt))
        attempt.on_stop(lambda reason: _cancel(self._loop, task, reason))
        try:
            return await task
        finally:
            attempt.on_stop(ignore_stop)


class Watched:
    """An executor that notes what tasks raised, for whoever wants to raise it again."""

    def __init__(self, executor: Executor, errors: dict[UUID, BaseException]) -> None:
        self.name = executor.name
        self.slots = executor.slots
        self._executor = executor
        self._errors = errors

    async def start(self) -> None:
        """Make ready."""
        await self._executor.start()

    async def run(self, attempt: Attempt) -> Outcome:
        """Run one attempt to its outcome."""
        outcome = await self._executor.run(attempt)
        if attempt.error is not None:
            self._errors[attempt.job_id] = attempt.error
        return outcome

    async def stop(self) -> None:
        """Release everything."""
        await self._executor.stop()


class _Here(threading.local):
    """The attempts that run in this thread, each inside the one before it, and their loops."""

    def __init__(self) -> None:
        self.stack: list[tuple[DrainedLoop, Attempt]] = []


_here = _Here()


def _perform(run: ThreadRun) -> Outcome:
    loop = DrainedLoop()
    _here.stack.append((loop, run.attempt))
    try:
        return run.perform(loop)
    finally:
        loop.close()
        _here.stack.pop()
        if _here.stack:
            # A task that enqueued another one goes on with the loop that it had.
            outer, attempt = _here.stack[-1]
            outer.attach(attempt)


def _tell(loop: asyncio.AbstractEventLoop, waiter: "asyncio.Future[Outcome]", outcome: Outcome) -> None:
    def tell() -> None:
        if not waiter.done():
            waiter.set_result(outcome)

    loop.call_soon_threadsafe(tell)


def _cancel(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[Outcome]", reason: str) -> None:
    loop.call_soon_threadsafe(task.cancel, reason)
