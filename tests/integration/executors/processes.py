"""Jobs in child processes, and processes whose end a test waits for."""

import asyncio
import os
import select
from typing import Any

from rota.definitions.attempt import Attempt
from rota.executors.processes import ProcessExecutor
from rota.model.outcome import Outcome, Succeeded
from tests.integration.executors.apps import registry
from tests.unit.executors.attempts import Diary, attempt_at


def attempt(name: str, *args: Any, diary: Diary | None = None) -> Attempt:
    """Make an attempt at a task of the test's app."""
    return attempt_at(registry.get(name), *args, diary=diary)


async def begin(
    executor: ProcessExecutor, name: str, *args: Any, line: str = "begun"
) -> tuple[Attempt, "asyncio.Task[Outcome]", Diary]:
    """Start an attempt and return once it has logged a line."""
    diary = Diary()
    begun = attempt(name, *args, diary=diary)
    running = asyncio.create_task(executor.run(begun))
    await asyncio.to_thread(diary.wait_for, line)
    return begun, running, diary


async def pid_of(executor: ProcessExecutor) -> int:
    """Return the process id of the child that takes the next job."""
    outcome = await executor.run(attempt("whoami"))
    assert isinstance(outcome, Succeeded)
    assert outcome.result is not None
    return int(outcome.result)


def is_there(pid: int) -> bool:
    """Tell whether a process exists; a zombie does."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for_end(pid: int, seconds: float = 20) -> None:
    """Block until a process has ended, whoever's child it is; it may be a zombie after that."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        readable, _, _ = select.select([descriptor], [], [], seconds)
    finally:
        os.close(descriptor)
    assert readable, f"process {pid} still runs after {seconds} s"
