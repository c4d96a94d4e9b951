"""One attempt in the hands of one thread, which another thread may stop."""

import asyncio
import contextvars
import ctypes
import threading
from contextlib import suppress

from rota.definitions.attempt import Attempt, running
from rota.definitions.invocation import call_async, call_sync, outcome_of_error
from rota.executors.drained import DrainedLoop
from rota.executors.stopping import FORCED
from rota.model.errors import AttemptStoppedError
from rota.model.outcome import Cancelled, Failed, Outcome

__all__ = ["StruckError", "ThreadRun"]


class StruckError(AttemptStoppedError):
    """The interpreter raises this in the middle of a task that has to stop."""

    def __init__(self) -> None:
        # Made by the interpreter, without arguments, in the thread and context that it strikes.
        attempt = running.get()
        job, reason = (attempt.job.id, attempt.stop_reason) if attempt is not None else ("", None)
        super().__init__(job, reason or "stopped")


class ThreadRun:
    """Performs an attempt in the calling thread.

    A stop tells the thread's event loop to cancel what the attempt runs there; a stop for one of the reasons
    in `FORCED` also raises `StruckError` in the thread (`PyThreadState_SetAsyncExc`) while it is in plain
    code. That exception comes between two bytecode instructions, so it cannot end a blocking call in C (a
    read, a lock, `time.sleep`, a loop inside an extension): it strikes when that call returns. It comes once:
    code that catches it goes on, and sees `attempt.cancelled`. It never strikes after `perform` has returned.

    Made where the attempt comes from: the context of that place (variables of middleware) holds in the task.

    Args:
        attempt: what to run.
    """

    __slots__ = ("_context", "_lock", "_loop", "_told", "attempt", "struck", "thread")

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.thread: int | None = None
        self.struck = False
        self._loop: DrainedLoop | None = None
        self._told = False
        # Held while a strike is aimed, so that it cannot fall after the end of the attempt. Should the strike
        # itself leave it locked, then only its own thread asks for it again: hence the reentrant kind.
        self._lock = threading.RLock()
        self._context = contextvars.copy_context()

    def perform(self, loop: DrainedLoop) -> Outcome:
        """Run the attempt to its outcome in this thread, whose event loop is `loop`; never raises."""
        attempt = self.attempt
        outcome: Outcome | None = None
        try:
            try:
                outcome = self._begin_and_call(loop)
            except BaseException as error:  # noqa: BLE001 - whatever it was, only this attempt fails
                outcome = outcome_of_error(attempt, error)
            self._end()
        except StruckError:
            # Struck in our own code: the function was over, or not begun. None follows: there is one only.
            self._end()
            outcome = outcome or Cancelled(attempt.stop_reason or "stopped")
        if loop.used and attempt.stop_reason is not None:
            _abandon(loop)
        loop.detach()
        return outcome

    def stop(self, reason: str) -> None:
        """Stop the attempt, from another thread; `strike_if_deaf` does what this cannot."""
        with self._lock:
            if self.thread is None or self._loop is None:
                return
            # Asked before the cancel, which may bring the loop to its end.
            in_plain_code = not self._loop.is_running
            self._loop.call_soon(self._cancel)
            if in_plain_code and reason in FORCED:
                self._strike()

    def strike_if_deaf(self) -> None:
        """Strike an attempt that blocks its event loop, so that it has not heard of the stop."""
        if self.struck:
            return
        with self._lock:
            if not self._told:
                self._strike()

    def _begin_and_call(self, loop: DrainedLoop) -> Outcome:
        loop.attach(self.attempt)
        with self._lock:
            if self.attempt.stop_reason is not None:
                return Cancelled(self.attempt.stop_reason)
            self._loop = loop
            self.thread = threading.get_ident()
        return self._context.run(self._call, loop)

    def _call(self, loop: DrainedLoop) -> Outcome:
        attempt = self.attempt
        outcome = loop.run(call_async(attempt)) if attempt.task.is_async else call_sync(attempt)
        if not loop.used:
            return outcome
        if attempt.stop_reason is not None:
            loop.cancel()
        error = loop.drain()
        if error is None:
            return outcome
        if isinstance(outcome, Failed | Cancelled):
            attempt.log.error("a task that the attempt left running failed too: %r", error)
            return outcome
        return outcome_of_error(attempt, error)

    def _end(self) -> None:
        with self._lock:
            thread, self.thread = self.thread, None
        if self.struck and thread is not None:
            # The strike may still be on its way: take it back.
            _set_async_exception(thread, None)

    def _strike(self) -> None:
        if self.thread is not None:
            self.struck = True
            _set_async_exception(self.thread, StruckError)

    def _cancel(self) -> None:
        # In the loop, perhaps long after the attempt: then it is none of the next one's business.
        if self.thread is not None and self._loop is not None:
            self._told = True
            self._loop.cancel()


def _abandon(loop: DrainedLoop) -> None:
    """Cancel what a stopped attempt left in its loop, and see it end."""
    # A strike may have hit the loop's own code and left it unusable; the thread is not used again.
    with suppress(Exception, asyncio.CancelledError):
        loop.cancel()
        loop.drain()


def _set_async_exception(thread: int, kind: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if kind is None else ctypes.py_object(kind)
    )
