"""Sees, from a thread, that a task blocks the event loop: says which, and keeps the worker's claims."""

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType

from rota.definitions.attempt import Attempt, running
from rota.engine.announcer import Announcer
from rota.engine.heartbeat import Heartbeat
from rota.engine.runner import Runner
from rota.model.errors import StoreError
from rota.model.events import LoopBlocked, ServiceFailed
from rota.ports.store import Store

__all__ = ["Watchdog"]

STACK = 8
SHORTEST_PATIENCE = 2.0


class Watchdog:
    """Looks twice in `after` seconds whether the loop has turned since.

    While it has not, nothing else can: timers, heartbeats, other tasks. The task at fault is named in the
    worker's log and in its job's, with the line where it stands, after 1, 2, 4, 8 … times `after`. After
    `interval` seconds the claims are extended from here, by a store of this thread's own, so that a task that
    blocks for longer than the lease is not started a second time elsewhere, nor are its neighbours. That ends
    when the task has blocked for longer than its own timeout: it is lost then, and its neighbours should run.

    What keeps Python's lock as well (a C extension) cannot be seen from a thread.

    Args:
        runner: has the running attempts.
        heartbeat: knows what to extend.
        after: how long the loop may stand still, in seconds.
        interval: how often claims are extended, in seconds.
        make_store: makes another store of the same database, not open; None: claims are not extended.
    """

    def __init__(
        self,
        runner: Runner,
        heartbeat: Heartbeat,
        announcer: Announcer,
        *,
        after: float,
        interval: float,
        make_store: Callable[[], Store] | None,
    ) -> None:
        self._runner = runner
        self._heartbeat = heartbeat
        self._announcer = announcer
        self._pause = after / 2
        self._interval = interval
        self._make_store = make_store
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._turns = 0
        self._ticker: asyncio.TimerHandle | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="rota-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._tick()
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()
        if self._ticker is not None:
            self._ticker.cancel()

    def _tick(self) -> None:
        self._turns += 1
        self._ticker = self._loop.call_later(self._pause, self._tick)

    def _watch(self) -> None:
        seen, missed, next_word = 0, 0, 2
        extended_at = 0.0
        # Looks are counted, not seconds: after a pause of the whole process the loop is not to blame.
        while not self._stopped.wait(self._pause):
            if self._turns != seen:
                seen, missed, next_word = self._turns, 0, 2
                extended_at = time.monotonic()
                continue
            missed += 1
            blocked = missed * self._pause
            attempt = self._culprit()
            if missed >= next_word:
                next_word *= 2
                self._tell(attempt, blocked)
            if time.monotonic() - extended_at >= self._interval and _may_go_on(attempt, blocked):
                extended_at = time.monotonic()
                self._extend()

    def _culprit(self) -> Attempt | None:
        """Return the attempt whose code the loop runs now."""
        task = asyncio.current_task(self._loop)
        if task is None:
            return None
        attempt = self._runner.attempt_of(task)
        if attempt is None and hasattr(task, "get_context"):
            # A task that an attempt made has its context (Python 3.12).
            attempt = task.get_context().get(running)
        return attempt

    def _tell(self, attempt: Attempt | None, blocked: float) -> None:
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 - there is no other way to see another thread
        stack = _stack(frame)
        where = stack[-1] if stack else ""
        job, task = (attempt.job.id, attempt.task.name) if attempt is not None else (None, "")
        self._announcer.announce(LoopBlocked(job, task, blocked, where, tuple(stack)))
        if attempt is not None:
            text = "blocked the worker's event loop for %.1f s at %s; a plain function runs in a thread"
            attempt.log.warning(text, blocked, where)

    def _extend(self) -> None:
        if self._make_store is None:
            return
        try:
            asyncio.run(self._extend_once(self._make_store()))
        except (StoreError, OSError, TimeoutError) as error:
            self._announcer.announce(ServiceFailed("watchdog", str(error), self._interval))

    async def _extend_once(self, store: Store) -> None:
        began = time.monotonic()
        async with asyncio.timeout(max(self._interval, SHORTEST_PATIENCE)):
            await store.open()
            try:
                # What the answer orders, the next answer will say again.
                await store.workers.beat(self._heartbeat.beat())
            finally:
                await store.close()
        self._heartbeat.extended(began)


def _may_go_on(attempt: Attempt | None, blocked: float) -> bool:
    limit = attempt.task.timeout if attempt is not None else None
    return limit is None or blocked < limit


def _stack(frame: FrameType | None) -> list[str]:
    """Return the innermost lines of a stack, the innermost last."""
    lines = traceback.extract_stack(frame)[-STACK:] if frame is not None else []
    return [f"{line.filename}:{line.lineno} in {line.name}" for line in lines]
