"""Child processes that die by themselves, and children whose worker dies."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rota.executors import processes
from rota.model.outcome import Failed, Succeeded
from tests.integration.executors.apps import HERE
from tests.integration.executors.conftest import MakeExecutor
from tests.integration.executors.processes import attempt, begin, is_there, pid_of, wait_for_end

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("name", "argument", "text"),
    [
        ("leave", 0, "exited with code 0 before the attempt had ended"),
        ("leave", 3, "exited with code 3 before the attempt had ended"),
        (
            "kill_yourself",
            signal.SIGKILL,
            "was killed by SIGKILL: from outside, or by the system for want of",
        ),
        ("kill_yourself", signal.SIGSEGV, "was killed by SIGSEGV: a fault in a C extension"),
    ],
)
async def test_a_crash_fails_the_attempt_and_names_how(
    make_executor: MakeExecutor, name: str, argument: int, text: str
) -> None:
    executor = make_executor()
    pid = await pid_of(executor)

    outcome = await executor.run(attempt(name, int(argument)))

    assert isinstance(outcome, Failed)
    assert outcome.fault.kind == "WorkerCrashedError"
    assert text in outcome.fault.message
    assert f"pid {pid}" in outcome.fault.message
    assert "builtins.Exception" in outcome.fault.kinds
    assert not is_there(pid)
    assert await executor.run(attempt("add", 1, 2)) == Succeeded(b"3")


async def test_a_kill_9_from_outside_is_such_a_crash(make_executor: MakeExecutor) -> None:
    executor = make_executor(2)
    await asyncio.gather(*(executor.run(attempt("whoami")) for _ in range(10)))
    patient, steady, _ = await begin(executor, "obey")
    pid = await pid_of(executor)
    _, running, _ = await begin(executor, "spin")

    os.kill(pid, signal.SIGKILL)

    outcome = await running
    assert isinstance(outcome, Failed)
    assert outcome.fault.kind == "WorkerCrashedError"
    patient.stop("lost")
    assert await steady == Succeeded(b'"stopped: lost"')


async def test_a_kill_for_want_of_memory_is_told_by_the_system_s_own_count(
    make_executor: MakeExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = itertools.count()
    monkeypatch.setattr(processes, "oom_kills", lambda: next(counts))
    executor = make_executor()

    killed = await executor.run(attempt("kill_yourself", int(signal.SIGKILL)))
    left = await executor.run(attempt("leave", 3))

    assert isinstance(killed, Failed)
    assert isinstance(left, Failed)
    assert [one.fault.crash and one.fault.crash.out_of_memory for one in (killed, left)] == [True, False]
    assert "was killed by SIGKILL: by the system, for want of memory" in killed.fault.message


async def test_a_memory_error_is_a_failure_and_no_crash(make_executor: MakeExecutor) -> None:
    executor = make_executor()
    outcome = await executor.run(attempt("hog"))
    assert isinstance(outcome, Failed)
    assert (outcome.fault.kind, outcome.fault.crash) == ("MemoryError", None)


async def test_the_evidence_has_the_last_lines_and_the_end_of_standard_error(
    make_executor: MakeExecutor, capfd: pytest.CaptureFixture[str]
) -> None:
    executor = make_executor(overhear=True)
    outcome = await executor.run(attempt("talk_and_leave", 30))
    assert isinstance(outcome, Failed)
    crash = outcome.fault.crash
    assert crash is not None
    assert crash.log == tuple(f"info line {number}" for number in range(20, 30))
    assert crash.stderr.endswith("last words\n")
    assert len(crash.stderr) <= 4096
    assert "last words" in outcome.fault.traceback
    # It still comes through.
    assert capfd.readouterr().err.endswith("last words\n")


async def test_a_job_is_not_lost_on_a_child_that_died_unseen(make_executor: MakeExecutor) -> None:
    executor = make_executor()
    pid = await pid_of(executor)

    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)

    assert await executor.run(attempt("add", 1, 2)) == Succeeded(b"3")


async def test_a_crash_is_seen_while_a_fork_of_the_child_lives_on(make_executor: MakeExecutor) -> None:
    """The fork holds the line open: its end alone would not show the death."""
    executor = make_executor()
    _, running, diary = await begin(executor, "crash_with_fork", line="fork")

    outcome = await running
    os.kill(int((diary.lines[0].fields or {})["pid"]), signal.SIGKILL)

    assert isinstance(outcome, Failed)
    assert "exited with code 9" in outcome.fault.message


async def test_a_task_that_writes_into_the_line_fails_alone(make_executor: MakeExecutor) -> None:
    executor = make_executor()

    outcome = await executor.run(attempt("scribble"))

    assert isinstance(outcome, Failed)
    assert await executor.run(attempt("add", 1, 2)) == Succeeded(b"3")


@pytest.mark.parametrize("busy", ["spin", "deaf", "with_program"])
def test_children_end_when_their_worker_is_killed(busy: str) -> None:
    """Whatever they do: compute, sleep, or wait for a program of their own, which ends too."""
    code = f"""
import asyncio, os, sys
from rota.executors.processes import ProcessExecutor
from tests.integration.executors.processes import attempt, begin, pid_of

async def main():
    executor = ProcessExecutor(1, loader="{HERE}:load", argument="app")
    pid = await pid_of(executor)
    _, _, diary = await begin(executor, "{busy}", line=sys.argv[1])
    print(pid, *((diary.lines[0].fields or {{}}).values()), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
    command = [sys.executable, "-c", code, "program" if busy == "with_program" else "begun"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        pids = [int(pid) for pid in worker.stdout.readline().split()]
        worker.kill()

    assert len(pids) == (2 if busy == "with_program" else 1)
    for pid in pids:
        wait_for_end(pid)
