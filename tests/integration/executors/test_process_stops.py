"""Attempts in child processes that have to end early."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from rota.model.outcome import Cancelled, Succeeded
from tests.integration.executors.conftest import MakeExecutor
from tests.integration.executors.processes import attempt, begin, is_there, pid_of, wait_for_end


async def test_a_timeout_kills_at_once_and_another_child_takes_over(make_executor: MakeExecutor) -> None:
    executor = make_executor(grace=60)
    pid = await pid_of(executor)
    stopped, running, _ = await begin(executor, "deaf")

    stopped.stop("timeout")

    assert await running == Cancelled("timeout")
    assert not is_there(pid)
    assert await pid_of(executor) != pid


@pytest.mark.parametrize("reason", ["cancelled", "lost", "shutdown"])
async def test_any_other_stop_is_told_first(make_executor: MakeExecutor, reason: str) -> None:
    executor = make_executor(grace=60)
    stopped, running, _ = await begin(executor, "obey" if reason != "cancelled" else "wait_forever")

    stopped.stop(reason)

    expected = Cancelled(reason) if reason == "cancelled" else Succeeded(f'"stopped: {reason}"'.encode())
    assert await running == expected


@pytest.mark.parametrize("reason", ["cancelled", "lost", "shutdown"])
async def test_a_task_that_does_not_listen_is_killed_after_the_grace(
    make_executor: MakeExecutor, reason: str
) -> None:
    executor = make_executor(grace=0.05)
    pid = await pid_of(executor)
    stopped, running, _ = await begin(executor, "deaf")

    stopped.stop(reason)

    assert await running == Cancelled(reason)
    assert not is_there(pid)


async def test_a_cancel_interrupts_a_system_call_so_that_the_task_can_clean_up(
    make_executor: MakeExecutor, tmp_path: Path
) -> None:
    executor = make_executor(grace=60)
    stopped, running, _ = await begin(executor, "nap", str(tmp_path / "note"))

    stopped.stop("cancelled")

    assert await running == Cancelled("cancelled")
    assert (tmp_path / "note").read_text() == "cleaned up"


async def test_a_busy_task_is_interrupted_and_its_child_replaced(make_executor: MakeExecutor) -> None:
    executor = make_executor(grace=60)
    pid = await pid_of(executor)
    stopped, running, _ = await begin(executor, "spin")

    stopped.stop("cancelled")

    assert await running == Cancelled("cancelled")
    assert await pid_of(executor) != pid
    await asyncio.to_thread(wait_for_end, pid)


async def test_a_kill_takes_along_the_programs_that_the_task_started(make_executor: MakeExecutor) -> None:
    executor = make_executor()
    stopped, running, diary = await begin(executor, "with_program", line="program")
    fields = diary.lines[0].fields or {}

    stopped.stop("timeout")
    await running

    await asyncio.to_thread(wait_for_end, int(fields["pid"]))


async def test_a_stop_while_the_child_boots_kills_nothing(make_executor: MakeExecutor) -> None:
    executor = make_executor()
    stopped = attempt("spin")
    running = asyncio.create_task(executor.run(stopped))
    await asyncio.sleep(0)
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 - one of them waits for the child

    stopped.stop("timeout")

    assert await running == Cancelled("timeout")
    assert len(os.listdir("/proc/self/task")) == threads  # noqa: PTH208
    assert await executor.run(attempt("add", 1, 2)) == Succeeded(b"3")


async def test_a_stop_in_line_kills_nothing(make_executor: MakeExecutor) -> None:
    executor = make_executor()
    first, running, _ = await begin(executor, "obey")
    waiting = attempt("spin")
    second = asyncio.create_task(executor.run(waiting))
    await asyncio.sleep(0)

    waiting.stop("timeout")

    assert await second == Cancelled("timeout")
    assert not running.done()
    first.stop("lost")
    assert isinstance(await running, Succeeded)


async def test_one_that_was_stopped_before_does_not_begin(make_executor: MakeExecutor) -> None:
    stopped = attempt("spin")
    stopped.stop("cancelled")

    assert await make_executor().run(stopped) == Cancelled("cancelled")


async def test_a_cancel_of_the_caller_kills_the_child(make_executor: MakeExecutor) -> None:
    executor = make_executor()
    pid = await pid_of(executor)
    _, running, _ = await begin(executor, "deaf")

    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.to_thread(wait_for_end, pid)


async def test_a_stop_at_the_last_moment_never_hits_the_next_job(make_executor: MakeExecutor) -> None:
    executor = make_executor(grace=60)
    for number in range(200):
        first = attempt("add", 1, 2)
        running = asyncio.create_task(executor.run(first))
        await asyncio.sleep(number / 200 * 0.001)  # the distance from the end is what varies here
        first.stop("cancelled")
        assert await running in {Succeeded(b"3"), Cancelled("cancelled")}
        assert await executor.run(attempt("add", 2, 2)) == Succeeded(b"4")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_to_all_processes_leaves_the_decision_to_the_worker(
    make_executor: MakeExecutor, number: signal.Signals
) -> None:
    executor = make_executor()
    pid = await pid_of(executor)
    asked, running, _ = await begin(executor, "obey")

    os.kill(pid, number)
    await asyncio.sleep(0.05)  # long enough for a process that obeys to die
    asked.stop("lost")

    assert await running == Succeeded(b'"stopped: lost"')
    assert await pid_of(executor) == pid


async def test_the_other_jobs_go_on_while_one_is_killed(make_executor: MakeExecutor) -> None:
    executor = make_executor(2)
    await asyncio.gather(*(executor.run(attempt("whoami")) for _ in range(10)))
    patient, steady, _ = await begin(executor, "obey")
    stopped, running, _ = await begin(executor, "deaf")

    began = time.monotonic()
    stopped.stop("timeout")
    await running
    took = time.monotonic() - began
    patient.stop("lost")

    assert await steady == Succeeded(b'"stopped: lost"')
    assert took < 5
