"""Jobs that bring their process down: they run alone, and are parked with what is known of their end."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from rota import State
from rota.model.events import IsolationRefused
from rota.model.job import ISOLATED, Submission
from rota.settings import change_settings
from rota.wiring import make_store
from tests.integration.engine import apps
from tests.integration.engine.conftest import QUICK, Stage


@pytest.fixture
async def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A stage whose app child processes can import."""
    monkeypatch.setenv("ROTA_TEST_SPARED", str(os.getpid()))
    app = apps.app
    before = app.settings
    url = f"sqlite:///{tmp_path}/rota.db"
    # The children's copy of the app is on the same store.
    monkeypatch.setenv("ROTA_TEST_URL", url)
    app.settings = change_settings(before, {"url": url, "max_crashes": 2, "isolated_slots": 1, **QUICK})
    store = make_store(app.settings)
    await store.open()
    app.connection.adopt(store)
    yield Stage(app, store, None, f"{apps.__name__}:app")
    app.connection.adopt(None)
    await store.close()
    app.settings = before


async def suspect(stage: Stage, task: str, *args: Any) -> Submission:
    """Submit a job that has killed a worker before."""
    found = stage.app.registry.get(task)
    job = Submission(task=task, payload=found.encode(args, {}), executor=ISOLATED)
    await stage.store.jobs.submit([job])
    return job


@pytest.mark.parametrize(
    ("how", "exit_code", "signal", "said"),
    [("exit", 7, None, ""), ("kill", None, "SIGKILL", ""), ("segfault", None, "SIGSEGV", "in die")],
)
async def test_a_job_that_crashes_alone_is_parked_with_the_evidence(
    importable: Stage, how: str, exit_code: int | None, signal: str | None, said: str
) -> None:
    job = await suspect(importable, "crash", how)
    async with importable.worker():
        record = await importable.finished(job)
    assert (record.state, record.attempt, record.crashes, record.crashes_alone) == (State.FAILED, 2, 2, 2)
    assert record.fault is not None
    assert record.fault.kind == "WorkerCrashedError"
    assert record.fault.message.startswith("parked: it brought its process down 2 times")
    crash = record.fault.crash
    assert crash is not None
    assert (crash.exit_code, crash.signal, crash.out_of_memory) == (exit_code, signal, False)
    assert crash.log == (f"info about to crash by {how}",)
    assert said in crash.stderr
    assert said in record.fault.traceback
    assert crash.memory_peak is not None
    assert crash.memory_peak > 1_000_000
    assert crash.pid not in {0, os.getpid()}
    events = await importable.store.insight.events(job.id)
    assert [event.kind for event in events] == ["crash"]


@pytest.mark.parametrize("task", ["crash_in_thread", "crash_in_process"])
async def test_whatever_kind_of_task_it_is(importable: Stage, task: str) -> None:
    job = await suspect(importable, task, "exit")
    async with importable.worker():
        record = await importable.finished(job)
    assert (record.state, record.crashes_alone) == (State.FAILED, 2)


async def test_innocent_suspects_run_one_after_another_in_one_process_that_is_not_the_worker_s(
    importable: Stage,
) -> None:
    jobs = [await suspect(importable, "where") for _ in range(10)]
    async with importable.worker():
        for job in jobs:
            assert (await importable.finished(job)).state is State.SUCCEEDED
    results = await importable.store.insight.results([job.id for job in jobs])
    (pid,) = {result.value for result in results.values()}
    assert pid != str(os.getpid()).encode()


async def test_a_process_task_that_crashes_runs_alone_from_then_on(importable: Stage) -> None:
    job = await importable.app.tasks["crash_in_process"].enqueue_async("kill")
    async with importable.worker():
        record = await importable.finished(job)
    assert (record.state, record.executor, record.crashes_alone) == (State.FAILED, ISOLATED, 2)


async def test_a_suspect_may_enqueue(importable: Stage) -> None:
    job = await suspect(importable, "enqueues")
    async with importable.worker():
        await importable.finished(job)
        result = (await importable.store.insight.results([job.id]))[job.id].value
        record = await importable.finished(importable.app.job(json.loads(result or b"")))
    assert (record.state, record.executor) == (State.SUCCEEDED, "async")


async def test_redriven_it_starts_with_a_clean_slate_and_still_alone(importable: Stage) -> None:
    job = await suspect(importable, "crash", "exit")
    async with importable.worker():
        await importable.finished(job)
        assert await importable.app.job(job.id).retry_async()
        record = await importable.finished(job)
    assert (record.executor, record.attempt, record.crashes_alone) == (ISOLATED, 2, 2)


async def test_without_the_guard_a_crash_is_a_failure_like_others(importable: Stage) -> None:
    importable.app.settings = change_settings(importable.app.settings, {"max_crashes": 0})
    job = await importable.app.tasks["crash_in_process"].enqueue_async("kill")
    async with importable.worker():
        record = await importable.finished(job)
    assert (record.state, record.executor, record.crashes) == (State.FAILED, "process", 0)


async def test_what_cannot_be_imported_runs_beside_others_and_says_so(stage: Stage) -> None:
    refused: list[IsolationRefused] = []
    stage.announcer.subscribe(IsolationRefused, refused.append)

    @stage.app.task
    async def here() -> int:
        return os.getpid()

    jobs = [await suspect(stage, "here") for _ in range(3)]
    async with stage.worker():
        for job in jobs:
            await stage.finished(job)
    results = await stage.store.insight.results([job.id for job in jobs])
    assert {result.value for result in results.values()} == {str(os.getpid()).encode()}
    assert {event.task for event in refused} == {"here"}
    (line,) = await stage.store.insight.logs(jobs[0].id)
    assert line.message.startswith("not isolated: ")
