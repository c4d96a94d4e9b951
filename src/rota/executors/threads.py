"""Runs plain functions in threads of its own."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from rota.definitions.attempt import Attempt
from rota.executors.drained import DrainedLoop
from rota.executors.stopping import FORCED, ignore_stop
from rota.executors.thread_run import ThreadRun
from rota.model.outcome import Cancelled, Outcome

__all__ = ["ThreadExecutor"]

DEAF_AFTER = 1.0
LAST_WORD = 1.0


class _Errand:
    """An attempt on its way through a thread, and whoever waits for its outcome."""

    __slots__ = ("outcome", "run", "waiter")

    def __init__(self, run: ThreadRun, waiter: asyncio.Future[Outcome]) -> None:
        self.run = run
        self.waiter = waiter
        self.outcome: Outcome | None = None


class ThreadExecutor:
    """Runs each attempt in one of `slots` threads; none is started before it is needed.

    Each thread has an event loop that is its current one and at rest while a plain function runs: tasks that
    the function puts there (`asyncio.get_event_loop().create_task(...)`) are run to their end before the
    attempt ends, and an error in one of them that nothing waited for fails the attempt. A coroutine function
    runs in that loop. `rota.current()` holds in all of them.

    A stop makes `attempt.cancelled` true and cancels what runs in the thread's loop. For a timeout or a
    cancel an `AttemptStoppedError` is raised in plain code as well; what it cannot interrupt is a blocking
    call in C (see `ThreadRun`). The attempt ends when its thread really is through with it, so that the claim
    is held as long as the work goes on. The threads are daemons: a stuck one does not block the exit.

    Args:
        slots: how many threads at most.
    """

    name = "thread"

    def __init__(self, slots: int = 8) -> None:
        self.slots = slots
        self._inbox: SimpleQueue[_Errand | None] = SimpleQueue()
        self._outbox: deque[_Errand | _Thread] = deque()
        self._collecting = False
        self._threads: set[_Thread] = set()
        self._unfinished = 0
        self._emptied = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Make ready, in the event loop that will call `run`."""
        self._loop = asyncio.get_running_loop()

    async def run(self, attempt: Attempt) -> Outcome:
        """Run one attempt to its outcome; a stop is obeyed as the class says."""
        if attempt.stop_reason is not None:
            return Cancelled(attempt.stop_reason)
        loop = asyncio.get_running_loop()
        run = ThreadRun(attempt)
        waiter: asyncio.Future[Outcome] = loop.create_future()
        self._add_threads(self._unfinished + 1)
        self._unfinished += 1
        attempt.on_stop(lambda reason: _stop(run, reason, loop))
        self._inbox.put(_Errand(run, waiter))
        try:
            return await waiter
        finally:
            # Also breaks the circle attempt → run → attempt, which would wait for the garbage collector.
            attempt.on_stop(ignore_stop)

    async def stop(self) -> None:
        """End the threads that are idle; one that is stuck in a task stays behind."""
        with suppress(Empty):
            while True:
                errand = self._inbox.get_nowait()
                if errand is not None:
                    errand.outcome = Cancelled("shutdown")
                    self._hand_back(errand)
        self._collect()
        for _ in self._threads:
            self._inbox.put(None)
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD):
                while len(self._threads) > self._unfinished:
                    self._emptied.clear()
                    await self._emptied.wait()

    def _add_threads(self, wanted: int) -> None:
        while len(self._threads) < min(self.slots, wanted):
            try:
                self._threads.add(_Thread.begin(self._inbox, self._hand_back))
            except (OSError, RuntimeError):
                # No more files or threads to be had: those that are there will do.
                if self._threads:
                    return
                raise

    def _hand_back(self, done: "_Errand | _Thread") -> None:
        """Give something back to the event loop, from a thread: one wake-up for all that is there by then."""
        self._outbox.append(done)
        if not self._collecting and self._loop is not None:
            self._collecting = True
            # The worker's loop may be closed: then nobody waits any more.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._collect)

    def _collect(self) -> None:
        # First: what is handed back from here on asks for another round.
        self._collecting = False
        while self._outbox:
            done = self._outbox.popleft()
            if isinstance(done, _Thread):
                self._threads.discard(done)
                self._emptied.set()
                self._add_threads(self._unfinished)
                continue
            self._unfinished -= 1
            if not done.waiter.done() and done.outcome is not None:
                done.waiter.set_result(done.outcome)


class _Thread(threading.Thread):
    """Performs errands until it gets None, or was struck: then it is not trusted with another one."""

    def __init__(
        self,
        inbox: SimpleQueue[_Errand | None],
        hand_back: "Callable[[_Errand | _Thread], None]",
        events: DrainedLoop,
    ) -> None:
        super().__init__(name="rota-thread", daemon=True)
        self._inbox = inbox
        self._hand_back = hand_back
        self._events = events

    @classmethod
    def begin(
        cls, inbox: SimpleQueue[_Errand | None], hand_back: "Callable[[_Errand | _Thread], None]"
    ) -> "_Thread":
        """Start a thread.

        Raises:
            OSError: there is no room for its event loop.
            RuntimeError: there is none for the thread.
        """
        # Made here, since a thread that fails on its own would leave its errand lying.
        events = DrainedLoop()
        thread = cls(inbox, hand_back, events)
        try:
            thread.start()
        except RuntimeError:
            events.discard()
            raise
        return thread

    def run(self) -> None:
        """Work."""
        struck = False
        while not struck and (errand := self._inbox.get()) is not None:
            errand.outcome = errand.run.perform(self._events)
            struck = errand.run.struck
            self._hand_back(errand)
            # Waiting for the next one must not keep the last one's arguments and results alive.
            del errand
        # A user's loop may be in any state; a thread that ends must still say so.
        with suppress(Exception):
            self._events.close()
        self._hand_back(self)


def _stop(run: ThreadRun, reason: str, loop: asyncio.AbstractEventLoop) -> None:
    run.stop(reason)
    if reason in FORCED:
        loop.call_later(DEAF_AFTER, run.strike_if_deaf)
