"""Runs coroutine functions in the worker's own event loop."""

import asyncio

from rota.definitions.attempt import Attempt
from rota.definitions.invocation import call_async
from rota.executors.stopping import ignore_stop
from rota.model.outcome import Cancelled, Outcome

__all__ = ["AsyncExecutor"]


class AsyncExecutor:
    """Runs an attempt in the asyncio task that calls `run`; a stop cancels that task.

    A task that catches the cancellation and returns has succeeded: what it did is done. One that blocks the
    loop cannot be stopped, and holds up the whole worker: blocking code belongs into a plain function.

    Args:
        slots: how many attempts may run at once; the engine counts them.
    """

    name = "async"

    def __init__(self, slots: int = 100) -> None:
        self.slots = slots
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Make ready."""
        self._loop = asyncio.get_running_loop()

    async def run(self, attempt: Attempt) -> Outcome:
        """Run one attempt to its outcome.

        Raises:
            asyncio.CancelledError: the calling task was cancelled by other means than `attempt.stop`.
        """
        if attempt.stop_reason is not None:
            return Cancelled(attempt.stop_reason)
        # To be told the loop saves this most frequent of calls a look at the process's id, up to Python 3.11.
        task = asyncio.current_task(self._loop)
        assert task is not None  # noqa: S101 - a coroutine of asyncio runs in one
        attempt.on_stop(task.cancel)
        try:
            return await call_async(attempt)
        finally:
            # The task outlives the attempt: a late stop must not hit what follows in it (and attempt → task →
            # context → attempt would wait for the garbage collector).
            attempt.on_stop(ignore_stop)
            if attempt.cancelled:
                task.uncancel()

    async def stop(self) -> None:
        """Release everything: the attempts belong to the tasks that run them."""
