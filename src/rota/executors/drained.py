"""An event loop for code that runs without one: what is put into it is run to its end afterwards."""

import asyncio
from collections.abc import Coroutine, Generator
from contextlib import suppress
from typing import Any, TypeVar

from rota.definitions.attempt import Attempt, running

__all__ = ["DrainedLoop"]

T = TypeVar("T")


class DrainedLoop:
    """The event loop of one thread, at rest while a plain function runs.

    It is the thread's current loop, so that `asyncio.get_event_loop().create_task(...)` works there; `drain`
    runs such tasks to their end. It keeps account of the tasks that an attempt made, and of no others: those
    of a resource (a client's background tasks) live on.

    All methods belong to the loop's thread, `call_soon` excepted.
    """

    def __init__(self) -> None:
        self._attempt: Attempt | None = None
        self._used = False
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._main: asyncio.Task[Any] | None = None
        self._loop = self._new_loop()

    @property
    def is_running(self) -> bool:
        """Whether the loop runs now; may be asked from any thread."""
        return self._loop.is_running()

    @property
    def used(self) -> bool:
        """Whether the attempt made tasks, so that there may be something to drain."""
        return self._used

    def attach(self, attempt: Attempt | None) -> None:
        """Begin an attempt, or work for none: make the loop current; a function may have set or closed it."""
        if self._loop.is_closed():
            self._loop = self._new_loop()
        asyncio.set_event_loop(self._loop)
        self._attempt = attempt

    def detach(self) -> None:
        """End an attempt."""
        self._attempt = None
        self._used = False
        self._tasks.clear()

    def call_soon(self, callback: Any) -> None:
        """Call something in the loop: now if it runs, else when it runs next. From any thread."""
        # A function may have closed the loop: then nothing is left in it to be told.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end and return what it returns; `cancel` cancels it first."""
        self._main = main = asyncio.Task(coroutine, loop=self._loop)
        try:
            return self._loop.run_until_complete(main)
        finally:
            self._main = None

    def cancel(self) -> None:
        """Cancel what runs: the coroutine that was given to `run`, else every task that the attempt made."""
        if self._main is not None:
            self._main.cancel()
            return
        for task in list(self._tasks):
            # On one that has failed it would count as a look at the error.
            if not task.done():
                task.cancel()

    def drain(self) -> BaseException | None:
        """Run every task that the attempt made to its end.

        Async generators that nothing refers to any more are closed on the way.

        Returns:
            The error of the first task (in order of creation) that failed and that nothing waited for.
        """
        self._loop.run_until_complete(asyncio.Task(self._settle(), loop=self._loop))
        for task in self._tasks:
            # The public `exception()` would count as a look at it; asyncio itself goes by this flag.
            if task.done() and task._log_traceback:  # noqa: SLF001
                return task.exception()
        return None

    def close(self) -> None:
        """Close the loop, with all that is left in it: tasks, async generators, its executor's threads."""
        loop = self._loop
        if not loop.is_closed():
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(_ends_of(left))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
        asyncio.set_event_loop(None)

    def discard(self) -> None:
        """Close a loop that was never used, from any thread."""
        self._loop.close()

    async def _settle(self) -> None:
        while True:
            # A dropped async generator is closed by a task that is made one turn later.
            await asyncio.sleep(0)
            pending = [task for task in self._tasks if not task.done()]
            if not pending:
                return
            await asyncio.wait(pending)

    def _new_loop(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        loop.set_task_factory(self._make_task)
        return loop

    def _make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, T] | Generator[Any, None, T],
        **options: Any,
    ) -> asyncio.Task[T]:
        task = asyncio.Task(coroutine, loop=loop, **options)
        if self._attempt is not None and running.get() is self._attempt:
            self._used = True
            self._tasks[task] = None
            task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        # One that failed is kept until the end: someone may still look at its error.
        if not task._log_traceback:  # noqa: SLF001 - see `drain`
            self._tasks.pop(task, None)


async def _ends_of(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
