"""Definitions that child processes load, as a user's app would hold them."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import Any

from rota.definitions.attempt import current
from rota.definitions.registry import Registry
from rota.definitions.resources import Resource
from rota.definitions.task import Task
from rota.model.errors import AttemptStoppedError
from rota.model.outcome import Snooze

HERE = "tests.integration.executors.apps"

registry = Registry()
colour: ContextVar[str] = ContextVar("colour", default="none")


def load(argument: str) -> Registry:
    """Be the loader: `argument` may ask for one that fails."""
    if argument == "broken":
        raise LookupError("there is no such app")
    if argument == "dying":
        os._exit(7)
    if argument == "worker":
        from rota.executors.processes import ProcessExecutor

        ProcessExecutor(1, loader=f"{HERE}:load")
    if argument == "leaking":
        registry.provide(Resource.of(unavailable))
        registry.add(Task(registry, use_unavailable, executor="process"))
    return registry


class Refused(ConnectionError):  # noqa: N818 - named as users name theirs
    """An error of the app's own, which the worker's process never imports."""

    retry_after = 12.5


class Client:
    """A resource: counts how often it was opened, and works in the loop that it was opened in."""

    opened = 0

    def __init__(self) -> None:
        Client.opened += 1
        self.beats = 0
        self.heart = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            self.beats += 1
            await asyncio.sleep(0)


class Unavailable:
    """A resource that cannot be opened."""


async def client() -> AsyncIterator[Client]:
    made = Client()
    yield made
    made.heart.cancel()
    leave_note()


def leave_note() -> None:
    path = os.environ.get("ROTA_TEST_CLOSED")
    if path:
        Path(path).write_text(str(os.getpid()))


def unavailable() -> Unavailable:
    raise LookupError("no server")


def use_unavailable(it: Unavailable) -> None: ...


def add(a: int, b: int) -> int:
    return a + b


def whoami() -> int:
    return os.getpid()


def where() -> list[Any]:
    return [threading.current_thread() is threading.main_thread(), os.getpid() == os.getsid(0)]


def paint(colour_: str) -> str:
    before = colour.get()
    colour.set(colour_)
    return before


def about() -> list[Any]:
    me = current()
    return [str(me.job_id), me.attempt, me.headers["user"]]


def tell(lines: int) -> None:
    me = current()
    for number in range(lines):
        me.log.info("line %d", number, number=number)
    me.progress(lines, 2 * lines)


def count(rows: int) -> None:
    """Tell of every row, then be silent for long."""
    me = current()
    for number in range(1, rows + 1):
        me.progress(number, rows)
    while not me.cancelled:
        time.sleep(0.001)  # a task polls
    me.progress(rows + 1, rows)


def mumble() -> None:
    current().log.info("lone surrogate \udc80", big=2**70, lone="\udc80")


def fail() -> None:
    raise Refused("come back later")


def huge(size: int) -> str:
    return "x" * size


def snooze() -> Snooze:
    return Snooze(timedelta(seconds=90), "not yet")


def nonsense() -> Snooze:
    return Snooze("soon")  # type: ignore[arg-type]  # as a careless task might


def unspeakable() -> Snooze:
    return Snooze(timedelta(0), "\udc80")


def leave(code: int) -> None:
    os._exit(code)


def talk_and_leave(lines: int) -> None:
    for number in range(lines):
        current().log.info("line %d", number)
    sys.stderr.write("x" * 10_000 + "\nlast words\n")
    sys.stderr.flush()
    os._exit(1)


def hog() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    return len(bytearray(1 << 31))


def kill_yourself(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(60)  # the signal may take a moment; this is not reached


def spin() -> None:
    current().log.info("begun")
    while True:
        pass


def nap(path: str) -> None:
    """Sleep in a system call, and leave a note when interrupted."""
    try:
        current().log.info("begun")
        time.sleep(60)  # what a stop has to interrupt
    finally:
        Path(path).write_text("cleaned up")


def deaf() -> None:
    """Take no notice of a stop, which interrupts once."""
    try:
        current().log.info("begun")
        time.sleep(60)  # what a stop interrupts
    except AttemptStoppedError:
        time.sleep(60)  # … in vain


def obey() -> str:
    current().log.info("begun")
    while not current().cancelled:
        time.sleep(0.001)  # a task polls
    return f"stopped: {current().stop_reason}"


def with_program() -> None:
    """Start a program of its own and wait for it."""
    program = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    current().log.info("program", pid=program.pid)
    program.wait()


def crash_with_fork() -> None:
    """Die while a fork of this process, in a session of its own, still holds all that it had open."""
    pid = os.fork()
    if not pid:
        os.setsid()
        signal.pause()
    current().log.info("fork", pid=pid)
    os._exit(9)


def signals_of_programs() -> list[str]:
    """Say how a program and a fork of this process take SIGTERM."""
    code = "import signal; print(signal.getsignal(signal.SIGTERM).name)"
    program = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(writing, str(signal.getsignal(signal.SIGTERM)).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    return [program.stdout.strip(), os.read(reading, 100).decode()]


def log_from_fork() -> None:
    """Log here, and in a fork of this process."""
    pid = os.fork()
    if not pid:
        for _ in range(100):
            current().log.info("from the fork")
        os._exit(0)
    os.waitpid(pid, 0)
    current().log.info("from the task")


def errand() -> None:
    async def later() -> None:
        await asyncio.sleep(0)
        current().log.info("from a task")

    _ = asyncio.get_event_loop().create_task(later())


async def coroutine() -> str:
    await asyncio.sleep(0)
    return threading.current_thread().name


async def wait_forever() -> None:
    current().log.info("begun")
    await asyncio.Event().wait()


async def use(it: Client) -> list[int]:
    before = it.beats
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return [Client.opened, int(it.beats > before)]


def speak() -> None:
    print("spoken")  # noqa: T201 - tasks print


def scribble() -> None:
    """Write into every line that leads out of this process."""
    for number in range(3, 64):
        try:
            os.write(number, b"\xff" * 64)
        except OSError:
            continue
    time.sleep(60)  # until the worker has seen it


NO_TASKS = (load, client, leave_note, unavailable, use_unavailable)
registry.provide(Resource.of(client))
for function in [value for value in list(globals().values()) if getattr(value, "__module__", "") == __name__]:
    if not isinstance(function, type) and function not in NO_TASKS:
        registry.add(Task(registry, function, executor="process"))
