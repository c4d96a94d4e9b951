"""Runs attempts in child processes, which can be killed."""

import asyncio
import os
import signal
import sys
from collections import deque
from contextlib import suppress

from rota.definitions.attempt import Attempt
from rota.definitions.invocation import fault_of
from rota.executors.bootstrap import is_main, main_of_this_process, refuse_while_loading
from rota.executors.child_process import ChildProcess
from rota.executors.crashes import Exit, crash_fault, oom_kills
from rota.executors.messages import (
    Boot,
    Close,
    Ended,
    FromChild,
    Line,
    Reached,
    Ready,
    Start,
    Stop,
    Unfit,
    frame,
    unpack_outcome,
)
from rota.executors.stopping import ignore_stop
from rota.model.errors import ConfigurationError
from rota.model.outcome import Cancelled, Failed, Fault, Outcome

__all__ = ["NotBegunError", "ProcessExecutor"]

CLOSE_GRACE = 5.0
LAST_WORD = 5.0
LINES_KEPT = 10
LONGEST_LINE = 500
_IN_A_SHELL = (
    "executor='process': child processes cannot import an app that was typed into a shell or notebook. "
    "Put it into a module, or use executor='thread'"
)


class NotBegunError(Exception):
    """No child could begin an attempt: none starts, or its definitions do not load or lack the task."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(f"{fault.kind}: {fault.message}")


class ProcessExecutor:
    """Runs each attempt in one of `slots` child processes; none is started before the first job.

    A child is a fresh Python (no fork, whatever threads there are): it loads the definitions, opens the
    resources that its tasks ask for, and is used again and again. Jobs and outcomes travel as data; log lines
    and progress arrive while the task runs.

    A timeout kills the child at once, together with the processes that the task has started. Any other stop
    is told to the task first (see `ThreadExecutor`) and kills after `grace`. A child that dies by itself
    fails its attempt with `WorkerCrashedError` and the evidence (`Fault.crash`); the others do not notice. A
    new one takes its place.

    A script that holds the app is imported by each child, as by `multiprocessing`: what starts the program
    has to stand under `if __name__ == "__main__":`. Without that the first job fails and says so.

    Args:
        slots: how many children at most; None: as many as this process may use processor cores.
        loader: "module:function", called in each child with `argument`; returns the `Registry`.
        argument: for the loader. "" and "__main__:name" stand for the script that was started: each child
            imports it first.
        grace: seconds between telling a task to stop and killing it.
        overhear: keep the end of what a child writes to standard error as evidence, should it crash.
        recycle_after_jobs: replace a child after so many jobs; 0: never.
        recycle_memory: replace one when its memory has peaked at so many bytes; 0: never.

    Raises:
        ConfigurationError: this system cannot do it, or a child's own import makes a worker.
    """

    name = "process"

    def __init__(
        self,
        slots: int | None = None,
        *,
        loader: str,
        argument: str = "",
        grace: float = 1.0,
        overhear: bool = False,
        recycle_after_jobs: int = 0,
        recycle_memory: int = 0,
    ) -> None:
        if sys.platform == "win32":
            raise ConfigurationError(["executor='process' needs a POSIX system; use executor='thread' here"])
        refuse_while_loading()
        self.slots = slots or _cores()
        module, path = main_of_this_process() if is_main(argument) else (None, None)
        if is_main(argument) and module is path is None:
            raise ConfigurationError([_IN_A_SHELL])
        self._boot = frame(
            Boot(loader, argument, list(sys.argv), module, path, recycle_after_jobs, recycle_memory)
        )
        self._grace = grace
        self.overhear = overhear
        self._waiting: deque[_Call] = deque()
        self._children: set[_Child] = set()
        self._idle: list[_Child] = []
        # Killed or closing: they have no place in the pool, and are not dead yet.
        self._leaving: set[_Child] = set()
        self._left = asyncio.Event()
        self._closing = False

    async def start(self) -> None:
        """Make ready: the first job starts the first child."""
        self._closing = False

    async def run(self, attempt: Attempt) -> Outcome:
        """Run one attempt to its outcome; a stop is obeyed as the class says."""
        try:
            return await self.run_in_child(attempt)
        except NotBegunError as error:
            return Failed(error.fault)

    async def run_in_child(self, attempt: Attempt) -> Outcome:
        """Run one attempt, as `run` does.

        Raises:
            NotBegunError: no child could begin it; it may run elsewhere.
        """
        if attempt.stop_reason is not None:
            return Cancelled(attempt.stop_reason)
        if self._closing:
            return Cancelled("shutdown")
        call = _Call(attempt)
        attempt.on_stop(lambda reason: self._end(call, reason))
        self._waiting.append(call)
        self._dispatch()
        try:
            return await call.waiter
        except asyncio.CancelledError:
            # Nobody waits any more, and the job will run elsewhere.
            self._end(call, "timeout")
            raise
        finally:
            # Also breaks the circle attempt → call → attempt, which would wait for the garbage collector.
            attempt.on_stop(ignore_stop)

    async def stop(self) -> None:
        """End every child: those without a job close their resources, the others are killed."""
        self._closing = True
        while self._waiting:
            self._waiting.popleft().finish(Cancelled("shutdown"))
        for child in list(self._children):
            if child in self._idle:
                self._retire(child)
            else:
                self._kill(child)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_GRACE + LAST_WORD):
                while self._leaving:
                    self._left.clear()
                    await self._left.wait()

    def free(self, child: "_Child", *, spent: bool) -> None:
        """Take a child that is ready, or through with its job; a spent one is replaced."""
        if child not in self._children:
            return
        if spent:
            self._retire(child)
        else:
            self._idle.append(child)
        self._dispatch()

    def bury(self, child: "_Child", fault: Fault) -> None:
        """Take note that a child is dead; `fault` says how it died."""
        self._leaving.discard(child)
        self._left.set()
        if child in self._children:
            self._forget(child)
            if not child.ready and not self._boot_failed(fault):
                return
        self._dispatch()

    def _dispatch(self) -> None:
        """Give waiting calls to idle children, and start children for those that are left."""
        while self._waiting and self._idle:
            # The one that worked last: its memory is the warmest.
            if self._idle.pop().take(self._waiting[0]):
                self._waiting.popleft()
        booting = sum(1 for child in self._children if not child.ready)
        for _ in range(len(self._waiting) - booting):
            self._add_child()

    def _add_child(self) -> None:
        if self._closing or len(self._children) >= self.slots:
            return
        try:
            child = _Child(self)
        except (OSError, RuntimeError) as error:
            self._boot_failed(fault_of(error))
            return
        self._children.add(child)
        child.process.send(self._boot)

    def _boot_failed(self, fault: Fault) -> bool:
        """Fail the call that waits longest, unless a ready child will come to it; tells whether it did."""
        if any(child.ready for child in self._children) or not self._waiting:
            return False
        self._waiting.popleft().refuse(fault)
        return True

    def _end(self, call: "_Call", reason: str) -> None:
        child = call.child
        if child is None:
            if call in self._waiting:
                self._waiting.remove(call)
                call.finish(Cancelled(reason))
        elif child.call is not call:
            return
        elif reason == "timeout":
            self._kill(child)
        else:
            child.process.send(frame(Stop(call.attempt.job.token, reason)))
            asyncio.get_running_loop().call_later(self._grace, self._end, call, "timeout")

    def _kill(self, child: "_Child") -> None:
        child.process.kill()
        child.killed = True
        self._leaving.add(child)
        self._forget(child)

    def _retire(self, child: "_Child") -> None:
        child.process.send(frame(Close()))
        asyncio.get_running_loop().call_later(CLOSE_GRACE, child.process.kill)
        self._leaving.add(child)
        self._forget(child)

    def _forget(self, child: "_Child") -> None:
        """Take a child out of the pool. One that had work is replaced: there will be more."""
        self._children.discard(child)
        if child in self._idle:
            self._idle.remove(child)
        elif child.ready:
            self._add_child()


class _Call:
    """An attempt, who waits for its outcome, and the child that has it."""

    __slots__ = ("attempt", "child", "lines", "message", "waiter")

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.waiter: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        # Made first of all: a job that cannot travel fails here, and not in the hands of the pool.
        limits = attempt.task.registry
        self.message = frame(Start(attempt.job, limits.log_limit, limits.result_limit))
        self.child: _Child | None = None
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)

    def refuse(self, fault: Fault) -> None:
        """Say that no child could begin the attempt."""
        if not self.waiter.done():
            self.waiter.set_exception(NotBegunError(fault))

    def finish(self, outcome: Outcome) -> None:
        """Hand over the outcome."""
        if not self.waiter.done():
            self.waiter.set_result(outcome)


class _Child:
    """A process of the pool and the call that it has in hand."""

    def __init__(self, pool: ProcessExecutor) -> None:
        self.ready = False
        self.killed = False
        self.call: _Call | None = None
        self._pool = pool
        self._unfit: Fault | None = None
        self._oom_kills = 0
        self.process = ChildProcess(self._heard, self._gone, overhear=pool.overhear)

    def take(self, call: _Call) -> bool:
        """Run a call's attempt; returns False when the child has just died, idle."""
        self.process.forget_words()
        self._oom_kills = oom_kills()
        if not self.process.send(call.message):
            return False
        self.call, call.child = call, self
        return True

    def _heard(self, message: FromChild) -> None:
        match message:
            case Ready():
                self.ready = True
                self._pool.free(self, spent=False)
            case Unfit():
                self._unfit = message.fault
            case _:
                if self.call is not None and self.call.attempt.job.token == message.token:
                    self._relay(self.call, message)

    def _relay(self, call: _Call, message: Line | Reached | Ended) -> None:
        match message:
            case Line():
                # Numbered here: middleware may have logged before.
                call.attempt.log.write(message.level, message.message, message.fields)
                call.lines.append(f"{message.level} {message.message}"[:LONGEST_LINE])
            case Reached():
                call.attempt.progress(message.done, message.total)
            case Ended():
                self.call = None
                outcome = unpack_outcome(message)
                if not message.begun and isinstance(outcome, Failed):
                    call.refuse(outcome.fault)
                else:
                    call.finish(outcome)
                self._pool.free(self, spent=message.spent)

    def _gone(self, end: Exit) -> None:
        call, self.call = self.call, None
        fault = self._unfit or self._evidence(end, call)
        if call is not None:
            reason = call.attempt.stop_reason or ("shutdown" if self.killed else None)
            call.finish(Failed(fault) if reason is None else Cancelled(reason))
        self._pool.bury(self, fault)

    def _evidence(self, end: Exit, call: _Call | None) -> Fault:
        return crash_fault(
            self.process.pid,
            end,
            out_of_memory=end.code == -signal.SIGKILL and oom_kills() > self._oom_kills,
            log=call.lines if call is not None else (),
            stderr=self.process.last_words,
        )


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
