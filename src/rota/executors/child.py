"""A child process: it loads the definitions once, then runs one job after another."""

import faulthandler
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress
from queue import SimpleQueue
from typing import Any

from rota.definitions.attempt import Attempt
from rota.definitions.invocation import fault_of
from rota.definitions.registry import Registry
from rota.definitions.resources import open_resources
from rota.definitions.task import PROCESS, Task
from rota.executors.bootstrap import import_main, load_definitions, loading
from rota.executors.crashes import own_peak
from rota.executors.drained import DrainedLoop
from rota.executors.messages import (
    Boot,
    Close,
    Frames,
    Line,
    Reached,
    Ready,
    Start,
    Stop,
    Unfit,
    decode_to_child,
    frame,
    pack_outcome,
)
from rota.executors.thread_run import ThreadRun
from rota.model.errors import UnknownTaskError
from rota.model.events import LogEntry, Progress
from rota.model.outcome import Failed, Outcome

__all__ = ["main"]

CHUNK = 64 * 1024
PROGRESS_EVERY = 0.05


def main(descriptor: int) -> None:
    """Serve the worker at the other end of a socket until it says so, or is gone.

    Args:
        descriptor: the number of this process's end.
    """
    _outlive_stop_signals()
    # Says where it was, when a C extension brings this process down.
    faulthandler.enable()
    with socket.socket(fileno=descriptor) as line:
        # The task's own children get none of it.
        line.set_inheritable(False)
        wire = _Wire(line)
        wire.start()
        _serve(wire)


def _serve(wire: "_Wire") -> None:
    boot = wire.inbox.get()
    if not isinstance(boot, Boot):
        return
    loop, stack = DrainedLoop(), AsyncExitStack()
    loop.attach(None)
    try:
        with loading(boot.main_module or boot.main_path or boot.argument):
            desk = _load(boot, loop, stack)
    except BaseException as error:  # noqa: BLE001 - a user's module may raise anything, SystemExit too
        wire.send(frame(Unfit(fault_of(error))))
    else:
        wire.registry = desk.registry
        wire.send(frame(Ready()))
        _work(wire, desk, boot)
    loop.attach(None)
    loop.run(stack.aclose())
    loop.close()


def _work(wire: "_Wire", desk: "_Desk", boot: Boot) -> None:
    spent = False
    jobs = 0
    while not spent and isinstance(errand := wire.inbox.get(), _Errand):
        outcome = desk.perform(errand)
        errand.journal.close()
        _flush_streams()
        # Struck by an exception out of nowhere, this process is not trusted with another job.
        spent = errand.run is not None and errand.run.struck
        jobs += 1
        if boot.recycle_after_jobs and jobs >= boot.recycle_after_jobs:
            spent = True
        if boot.recycle_memory and own_peak() >= boot.recycle_memory:
            spent = True
        wire.send(pack_outcome(errand.token, outcome, spent=spent, begun=errand.run is not None))


def _load(boot: Boot, loop: DrainedLoop, stack: AsyncExitStack) -> "_Desk":
    sys.argv[:] = boot.argv
    import_main(boot.main_module, boot.main_path)
    registry = load_definitions(boot.loader, boot.argument)
    desk = _Desk(registry, loop, stack)
    # Now, and not at the first job, whose time it would take; and only what such tasks ask for.
    desk.provide(task for task in registry.tasks.values() if task.executor == PROCESS)
    return desk


class _Errand:
    """A job that came, made ready to run; without a run its task is unknown here."""

    def __init__(self, start: Start, registry: Registry, wire: "_Wire") -> None:
        self.token = start.job.token
        self.name = start.job.task
        self.journal = _Journal(wire, self.token)
        self.run: ThreadRun | None = None
        registry.result_limit = start.result_limit
        task = registry.find(start.job.task)
        if task is not None:
            attempt = Attempt(start.job, task, journal=self.journal, resources={}, log_limit=start.log_limit)
            with registry.child_context(attempt.headers):
                self.run = ThreadRun(attempt)
            attempt.on_stop(self.run.stop)

    def stop(self, reason: str) -> None:
        """Stop the job, from the thread that listens."""
        if self.run is None:
            return
        self.run.attempt.stop(reason)
        if self.run.struck:
            # The main thread may sleep in a system call. A signal ends that, and our handler lets it go on
            # with what was raised in it meanwhile.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


class _Desk:
    """Runs jobs in the main thread, with the resources that their tasks ask for."""

    def __init__(self, registry: Registry, loop: DrainedLoop, stack: AsyncExitStack) -> None:
        self.registry = registry
        self._loop = loop
        self._stack = stack
        self._resources: dict[Any, Any] = {}

    def perform(self, errand: _Errand) -> Outcome:
        """Run a job to its outcome."""
        run = errand.run
        if run is None:
            return Failed(fault_of(UnknownTaskError(errand.name, self.registry.tasks)))
        try:
            self.provide([run.attempt.task])
        except Exception as error:  # noqa: BLE001 - a user's factory may raise anything; the job says what
            return Failed(fault_of(error))
        run.attempt.resources = self._resources
        return run.perform(self._loop)

    def provide(self, tasks: Iterable[Task[Any, Any]]) -> None:
        """Open the resources of some tasks that are not open yet."""
        wanted = {kind for task in tasks for kind in task.arguments.injected.values()}
        missing = [self.registry.resources[kind] for kind in wanted - self._resources.keys()]
        if missing:
            self._loop.attach(None)
            self._resources.update(self._loop.run(open_resources(missing, self._stack)))


class _Wire(threading.Thread):
    """The line to the worker, with a thread that listens: a busy task, too, must end when the worker does."""

    def __init__(self, line: socket.socket) -> None:
        super().__init__(name="rota-wire", daemon=True)
        self.inbox: SimpleQueue[Boot | _Errand | Close] = SimpleQueue()
        self.registry = Registry()
        self._line = line
        self._sending = threading.Lock()
        self._errand: _Errand | None = None
        os.register_at_fork(after_in_child=self._cut)

    def run(self) -> None:
        """Listen until the worker is gone."""
        frames = Frames()
        try:
            while data := self._line.recv(CHUNK):
                for body in frames.feed(data):
                    self._take(decode_to_child(body))
        finally:
            _vanish()

    def send(self, data: bytes) -> None:
        """Send a message, from any thread; waits while the worker is behind with reading."""
        # Nobody there: `run` sees it too and ends the process.
        with suppress(OSError), self._sending:
            self._line.sendall(data)

    def _cut(self) -> None:
        """Let go of the line, in a process that the task forked: two cannot speak on it."""
        self._line.close()
        self._sending = threading.Lock()

    def _take(self, message: Boot | Start | Stop | Close) -> None:
        match message:
            case Start():
                self._errand = _Errand(message, self.registry, self)
                self.inbox.put(self._errand)
            case Stop():
                if self._errand is not None and self._errand.token == message.token:
                    self._errand.stop(message.reason)
            case Boot() | Close():
                self.inbox.put(message)


class _Journal:
    """Sends what an attempt writes to the worker."""

    def __init__(self, wire: _Wire, token: int) -> None:
        self._wire = wire
        self._token = token
        self._reached: Progress | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.RLock()

    def log(self, entry: LogEntry) -> None:
        """Send a log line."""
        self._wire.send(frame(Line(self._token, entry.level, entry.message, entry.fields)))

    def progress(self, entry: Progress) -> None:
        """Send the latest progress, at once and then at intervals: tasks tell of every row that they read."""
        with self._lock:
            self._reached = entry
            if self._timer is None:
                self._send_progress()
                self._timer = threading.Timer(PROGRESS_EVERY, self._next_interval)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """Send what is left."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._send_progress()

    def _next_interval(self) -> None:
        with self._lock:
            self._timer = None
            if self._reached is not None:
                self.progress(self._reached)

    def _send_progress(self) -> None:
        entry, self._reached = self._reached, None
        if entry is not None:
            self._wire.send(frame(Reached(self._token, entry.done, entry.total)))


def _flush_streams() -> None:
    # Kept in a buffer, a task's `print` would be lost when the process is killed. Users may have closed both.
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()


def _outlive_stop_signals() -> None:
    """Leave the decision to stop to the worker, which gets the same signals from systemd or a terminal.

    By a handler and not by SIG_IGN: programs that a task starts would inherit that and could not be
    terminated. Processes that it forks get Python's own handling back.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _outlive)
    os.register_at_fork(after_in_child=_obey_stop_signals)


def _outlive(_number: int, _frame: object) -> None:
    pass


def _obey_stop_signals() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _vanish() -> None:
    """End now, with every process that the task has started: nobody waits for it any more."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)
