"""Workers that a job brings down, that are killed or recycled: another takes over, and nothing is lost."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.acceptance.cli.commands import UserFolder

APP = """
import asyncio, ctypes, os, resource, signal, sys, time
from rota import JobFailedError, Rota, current

app = Rota(lease=1, extend_every=0.3, max_crashes=2)

def die(how):
    if how == "exit":
        os._exit(3)
    if how == "segfault":
        ctypes.string_at(0)
    os.kill(os.getpid(), signal.SIGKILL)

@app.task
async def good(n: int) -> int:
    await asyncio.sleep(0.01)  # the work itself
    return n

@app.task
def good_in_thread(n: int) -> int:
    return n

@app.task
async def bad(how: str) -> None:
    current().log.info("dying by %s", how)
    die(how)

@app.task
def bad_in_thread(how: str) -> None:
    current().log.info("dying by %s", how)
    die(how)

@app.task(executor="process")
def bad_in_process(how: str) -> None:
    current().log.info("dying by %s", how)
    die(how)

@app.task
def pid() -> int:
    return os.getpid()

@app.task
def grow(megabytes: int) -> int:
    global kept
    kept = b"x" * (megabytes << 20)
    return os.getpid()

@app.task
async def block(seconds: float) -> None:
    time.sleep(seconds)  # blocks the loop, which is what the test is about

if __name__ == "__main__":
    app.cli()
"""

BESIDE = """
import json, sys
from main import *
name, how = sys.argv[1:]
task = app.tasks[name]
def some(kind, number):
    return kind.enqueue_many([(n,) for n in range(number)])
jobs = some(good, 25) + some(good_in_thread, 25)
poison = task.enqueue(how)
jobs += some(good, 25) + some(good_in_thread, 24)
print(sum(job.result(timeout=40) is not None for job in jobs))
try:
    poison.result(timeout=40)
except JobFailedError as error:
    crash = error.crash
    crashes = poison.record().crashes_alone
    print(json.dumps([error.kind, crash.signal, crash.exit_code, crash.log[-1], crashes]))
"""
SERVES = " serves "


ASYNC, THREAD, PROCESS = "bad", "bad_in_thread", "bad_in_process"
SEGFAULT, KILL, EXIT = ("segfault", ["SIGSEGV", None]), ("kill", ["SIGKILL", None]), ("exit", [None, 3])


@pytest.mark.parametrize(
    ("any_folder", "task", "how", "end"),
    [
        ("sqlite", ASYNC, *SEGFAULT),
        ("sqlite", PROCESS, *EXIT),
        ("postgres", THREAD, *KILL),
        *(
            pytest.param(store, task, *end, marks=pytest.mark.soak)
            for store in ("sqlite", "postgres")
            for task in (ASYNC, THREAD, PROCESS)
            for end in (SEGFAULT, KILL, EXIT)
        ),
    ],
    indirect=["any_folder"],
)
def test_99_good_jobs_beside_a_bad_one_all_succeed_and_it_is_parked_with_the_evidence(
    any_folder: UserFolder, task: str, how: str, end: list[object]
) -> None:
    any_folder.write(APP)
    with any_folder.started("rota", "worker", "main:app") as process:
        process.wait_for(SERVES)
        done = any_folder.python("-c", BESIDE, task, how)
        assert done.returncode == 0, done.stderr
        succeeded, evidence = done.stdout.splitlines()
        assert succeeded == "99"
        assert json.loads(evidence) == ["WorkerCrashedError", *end, f"info dying by {how}", 2]
        (job,) = any_folder.json("jobs", "list", "--state", "failed")["jobs"]
        why = any_folder.json("jobs", "why", job["id"])
        assert why["reasons"][0]["code"] == "poison"
        assert process.stop() == 0
    if task != PROCESS:
        assert process.wait_for("in the middle of its work" if how == "exit" else f"was killed by {end[0]}")


def test_a_worker_is_replaced_after_so_many_jobs_and_loses_none(any_folder: UserFolder) -> None:
    any_folder.write(APP)
    any_folder.environment["ROTA_RECYCLE_AFTER_JOBS"] = "20"
    with any_folder.started("rota", "worker", "main:app") as process:
        process.wait_for(SERVES)
        # Few at a time: a worker finishes all that it has begun.
        code = """
from main import pid
print(len({job.result(timeout=30) for _ in range(10) for job in pid.enqueue_many([()] * 6)}))
"""
        assert int(any_folder.code(code)) >= 2
        assert "recycle_after_jobs=20" in process.wait_for("is replaced: it has run")
        assert process.stop() == 0
    counts = {row["state"]: row["count"] for row in any_folder.json("jobs", "stats")["counts"]}
    assert counts == {"succeeded": 60}
    assert not any("took back" in line for line in process.lines)


def test_a_worker_is_replaced_when_it_has_grown(folder: UserFolder) -> None:
    folder.write(APP)
    folder.environment["ROTA_RECYCLE_MEMORY"] = str(200 << 20)
    with folder.started("worker") as process:
        process.wait_for(SERVES)
        code = """
from main import grow
one = grow.enqueue(250).result(timeout=30)
while grow.enqueue(1).result(timeout=30) == one:
    pass
"""
        folder.code(code)
        assert "recycle_memory=200 MB" in process.wait_for("is replaced: it takes")
        assert process.stop() == 0


def test_a_killed_worker_is_started_again(folder: UserFolder) -> None:
    folder.write(APP)
    with folder.started("rota", "run", "main:app") as process:
        process.wait_for(SERVES)
        first = int(folder.code("from main import pid; print(pid.enqueue().result(timeout=30))"))
        assert first != process.pid
        os.kill(first, signal.SIGKILL)
        process.wait_for(f"worker process {first} was killed by SIGKILL; again in 0.5 s")
        second = int(folder.code("from main import pid; print(pid.enqueue().result(timeout=30))"))
        assert second not in {first, process.pid}
        assert process.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "terminated"])
def test_a_worker_does_not_outlive_its_parent(folder: UserFolder, number: int) -> None:
    folder.write(APP)
    with folder.started("worker") as process:
        process.wait_for(SERVES)
        worker = int(folder.code("from main import pid; print(pid.enqueue().result(timeout=30))"))
        # Both hold its standard error: it ends when they have.
        assert process.stop(number) == (0 if number == signal.SIGTERM else -number)
    assert not Path(f"/proc/{worker}").exists() or "Z" in Path(f"/proc/{worker}/stat").read_text().split()


def test_without_supervision_there_is_one_process(folder: UserFolder) -> None:
    folder.write(APP)
    folder.environment["ROTA_SUPERVISE"] = "false"
    with folder.started("rota", "worker", "main:app") as process:
        process.wait_for(SERVES)
        assert (
            int(folder.code("from main import pid; print(pid.enqueue().result(timeout=30))")) == process.pid
        )
        assert process.stop() == 0


def test_a_task_that_blocks_the_loop_is_named_and_runs_once(any_folder: UserFolder) -> None:
    any_folder.write(APP)
    any_folder.environment["ROTA_BLOCKED_AFTER"] = "300ms"
    with (
        any_folder.started("rota", "worker", "main:app") as process,
        any_folder.started("rota", "worker", "main:app") as other,
    ):
        process.wait_for(SERVES)
        other.wait_for(SERVES)
        # Five leases, and more than one look of whoever would take it back.
        code = "from main import block; job = block.enqueue(5.0); job.result(timeout=30)"
        assert any_folder.code(code + "; print(job.record().attempt)") == "1"
        lines = [line for line in (*process.lines, *other.lines) if "has blocked the event loop" in line]
        assert any(" of block has " in line and "in block" in line for line in lines)
        assert process.stop() == 0
        assert other.stop() == 0
    assert not any("took back" in line for line in (*process.lines, *other.lines))
