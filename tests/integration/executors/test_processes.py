"""Jobs in child processes: what goes in, what comes back, and when children come and go."""

import asyncio
import os
import subprocess
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from rota.executors.processes import ProcessExecutor
from rota.model.errors import ConfigurationError
from rota.model.outcome import Cancelled, Failed, Snooze, Succeeded
from tests.integration.executors.apps import HERE
from tests.integration.executors.conftest import MakeExecutor
from tests.integration.executors.processes import attempt, is_there, pid_of
from tests.unit.executors.attempts import Diary

in_one_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[ProcessExecutor]:
    """One child for all tests that do it no harm."""
    executor = ProcessExecutor(1, loader=f"{HERE}:load", argument="app")
    await executor.start()
    yield executor
    await executor.stop()


@in_one_loop
async def test_a_result_comes_back(shared: ProcessExecutor) -> None:
    assert await shared.run(attempt("add", 1, 2)) == Succeeded(b"3")


@in_one_loop
async def test_it_runs_in_the_main_thread_of_another_process(shared: ProcessExecutor) -> None:
    assert await shared.run(attempt("where")) == Succeeded(b"[true,true]")
    assert await pid_of(shared) != os.getpid()


@in_one_loop
async def test_the_child_is_used_again(shared: ProcessExecutor) -> None:
    assert await pid_of(shared) == await pid_of(shared)


@in_one_loop
async def test_the_attempt_knows_itself(shared: ProcessExecutor) -> None:
    one = attempt("about")

    assert await shared.run(one) == Succeeded(f'["{one.job.id}",1,"ada"]'.encode())


@in_one_loop
async def test_variables_of_one_job_are_unknown_to_the_next(shared: ProcessExecutor) -> None:
    outcomes = [await shared.run(attempt("paint", "red")) for _ in range(2)]

    assert outcomes == [Succeeded(b'"none"')] * 2


@in_one_loop
async def test_log_lines_and_progress_come_in_order(shared: ProcessExecutor) -> None:
    diary = Diary()
    told = attempt("tell", 500, diary=diary)

    await shared.run(told)

    assert diary.messages == [f"line {number}" for number in range(500)]
    assert [line.seq for line in diary.lines] == list(range(1, 501))
    assert {(line.id, line.token, line.level) for line in diary.lines} == {
        (told.job.id, told.job.token, "info")
    }
    assert diary.lines[7].fields == {"number": 7}
    assert [(step.done, step.total) for step in diary.steps] == [(500, 1000)]


@in_one_loop
async def test_progress_is_told_at_intervals_and_the_last_word_is_never_lost(shared: ProcessExecutor) -> None:
    diary = Diary()
    counting = attempt("count", 50_000, diary=diary)
    running = asyncio.create_task(shared.run(counting))

    await asyncio.to_thread(diary.wait_for_step, 50_000)
    counting.stop("lost")

    assert await running == Succeeded()
    assert diary.steps[-1].done == 50_001
    assert len(diary.steps) < 1000


@in_one_loop
async def test_lines_are_numbered_after_those_of_middleware(shared: ProcessExecutor) -> None:
    diary = Diary()
    told = attempt("tell", 1, diary=diary)
    told.log.info("before")

    await shared.run(told)
    told.log.info("after")

    assert [(line.seq, line.message) for line in diary.lines] == [(1, "before"), (2, "line 0"), (3, "after")]


@in_one_loop
async def test_a_line_that_cannot_travel_as_it_is_goes_as_text(shared: ProcessExecutor) -> None:
    diary = Diary()

    assert await shared.run(attempt("mumble", diary=diary)) == Succeeded()

    assert diary.messages == [r"lone surrogate \udc80"]
    assert diary.lines[0].fields == {"big": str(2**70), "lone": r"'\udc80'"}


@in_one_loop
async def test_an_exception_comes_with_its_classes_and_the_delay_it_asks_for(shared: ProcessExecutor) -> None:
    outcome = await shared.run(attempt("fail"))

    assert isinstance(outcome, Failed)
    fault = outcome.fault
    assert (fault.kind, fault.message, fault.retry_after) == ("Refused", "come back later", 12.5)
    assert fault.kinds[:3] == (f"{HERE}.Refused", "builtins.ConnectionError", "builtins.OSError")
    assert "in fail" in fault.traceback


@in_one_loop
@pytest.mark.parametrize("size", [0, 65_536, 1_000_000])
async def test_a_large_result_comes_whole(shared: ProcessExecutor, size: int) -> None:
    outcome = await shared.run(attempt("huge", size))

    assert outcome == Succeeded(b'"' + b"x" * size + b'"')


@in_one_loop
async def test_the_workers_own_limit_of_results_holds(shared: ProcessExecutor) -> None:
    from tests.integration.executors.apps import registry

    limit = registry.result_limit
    registry.result_limit = 50_000_000
    try:
        fits = await shared.run(attempt("huge", 40_000_000))
    finally:
        registry.result_limit = limit
    too_much = await shared.run(attempt("huge", 2_000_000))

    assert isinstance(fits, Succeeded)
    assert isinstance(too_much, Failed)
    assert "the limit is 1048576" in too_much.fault.message


@in_one_loop
async def test_an_outcome_of_the_tasks_own_choosing_comes_back(shared: ProcessExecutor) -> None:
    assert await shared.run(attempt("snooze")) == Snooze(timedelta(seconds=90), "not yet")


@in_one_loop
@pytest.mark.parametrize("name", ["nonsense", "unspeakable"])
async def test_an_outcome_that_cannot_travel_is_a_failure(shared: ProcessExecutor, name: str) -> None:
    assert isinstance(await shared.run(attempt(name)), Failed)
    assert await shared.run(attempt("add", 1, 1)) == Succeeded(b"2")


@in_one_loop
async def test_tasks_that_a_plain_function_made_are_run_to_their_end(shared: ProcessExecutor) -> None:
    diary = Diary()

    assert await shared.run(attempt("errand", diary=diary)) == Succeeded()
    assert diary.messages == ["from a task"]


@in_one_loop
async def test_a_coroutine_function_runs_too(shared: ProcessExecutor) -> None:
    assert await shared.run(attempt("coroutine")) == Succeeded(b'"MainThread"')


@in_one_loop
async def test_a_resource_is_opened_once_and_lives_in_the_loop_of_the_tasks(shared: ProcessExecutor) -> None:
    outcomes = [await shared.run(attempt("use")) for _ in range(3)]

    assert outcomes == [Succeeded(b"[1,1]")] * 3


@in_one_loop
async def test_programs_that_a_task_starts_obey_signals_as_usual(shared: ProcessExecutor) -> None:
    assert await shared.run(attempt("signals_of_programs")) == Succeeded(b'["SIG_DFL","0"]')


@in_one_loop
async def test_a_fork_of_the_task_keeps_off_the_line(shared: ProcessExecutor) -> None:
    diary = Diary()

    assert await shared.run(attempt("log_from_fork", diary=diary)) == Succeeded()
    assert diary.messages == ["from the task"]


async def test_what_a_task_prints_is_written_at_once(
    capfd: pytest.CaptureFixture[str], make_executor: MakeExecutor
) -> None:
    await make_executor().run(attempt("speak"))

    assert capfd.readouterr().out == "spoken\n"


async def test_without_a_job_there_is_no_child(make_executor: MakeExecutor) -> None:
    before = os.listdir("/proc/self/task")  # noqa: PTH208 - threads, by name

    executor = make_executor(4)
    await executor.start()
    await executor.stop()

    assert os.listdir("/proc/self/task") == before  # noqa: PTH208


async def test_there_are_as_many_children_as_jobs_at_once(make_executor: MakeExecutor) -> None:
    executor = make_executor(2)

    one = {await pid_of(executor) for _ in range(5)}
    together = await asyncio.gather(*(executor.run(attempt("whoami")) for _ in range(50)))

    assert len(one) == 1
    assert len({outcome.result for outcome in together if isinstance(outcome, Succeeded)}) <= 2


async def test_a_stop_leaves_no_process_and_closes_resources(
    make_executor: MakeExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = tmp_path / "closed"
    monkeypatch.setenv("ROTA_TEST_CLOSED", str(note))
    executor = make_executor(1)
    await executor.run(attempt("use"))
    pid = await pid_of(executor)

    await executor.stop()

    assert not is_there(pid)
    assert note.read_text() == str(pid)


async def test_a_stop_ends_what_runs_and_what_waits(make_executor: MakeExecutor) -> None:
    executor = make_executor(1)
    pid = await pid_of(executor)
    running = asyncio.create_task(executor.run(attempt("spin")))
    waiting = asyncio.create_task(executor.run(attempt("spin")))
    await asyncio.sleep(0)

    await executor.stop()

    assert await running == Cancelled("shutdown")
    assert await waiting == Cancelled("shutdown")
    assert await executor.run(attempt("spin")) == Cancelled("shutdown")
    assert not is_there(pid)


@pytest.mark.parametrize(
    ("argument", "kind", "text"),
    [
        ("broken", "LookupError", "there is no such app"),
        ("dying", "WorkerCrashedError", "exited with code 7"),
        ("leaking", "ConfigurationError", "'unavailable' could not be opened: LookupError('no server')"),
        ("worker", "ConfigurationError", "under `if __name__ == '__main__':`"),
    ],
)
async def test_definitions_that_cannot_be_loaded_fail_each_job_in_words(
    make_executor: MakeExecutor, argument: str, kind: str, text: str
) -> None:
    executor = make_executor(2, argument=argument)

    outcomes = await asyncio.gather(*(executor.run(attempt("add", 1, 2)) for _ in range(3)))

    for outcome in outcomes:
        assert isinstance(outcome, Failed)
        assert outcome.fault.kind == kind
        assert text in outcome.fault.message


@pytest.mark.parametrize("missing", ["process", "thread"])
async def test_without_room_for_another_process_the_job_fails_in_words(
    make_executor: MakeExecutor, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise (OSError if missing == "process" else RuntimeError)("no room")

    executor = make_executor()
    with monkeypatch.context() as patched:
        if missing == "process":
            patched.setattr(subprocess, "Popen", refuse)
        else:
            patched.setattr(threading.Thread, "start", refuse)
        outcome = await executor.run(attempt("add", 1, 2))

    assert isinstance(outcome, Failed)
    assert outcome.fault.message == "no room"
    assert await executor.run(attempt("add", 1, 2)) == Succeeded(b"3")


async def test_a_task_that_the_child_does_not_know_fails_in_words(make_executor: MakeExecutor) -> None:
    from rota.definitions.registry import Registry
    from rota.definitions.task import Task
    from tests.unit.executors.attempts import attempt_at

    def unknown() -> None: ...

    outcome = await make_executor().run(attempt_at(Task(Registry(), unknown)))

    assert isinstance(outcome, Failed)
    assert outcome.fault.kind == "UnknownTaskError"
    assert "Known tasks" in outcome.fault.message


def test_it_works_on_uvloop() -> None:
    import uvloop

    async def work() -> tuple[object, ...]:
        executor = ProcessExecutor(2, loader=f"{HERE}:load", argument="app")
        diary = Diary()
        outcomes = await asyncio.gather(*(executor.run(attempt("huge", 300_000)) for _ in range(4)))
        told = await executor.run(attempt("tell", 1000, diary=diary))
        crashed = await executor.run(attempt("leave", 5))
        await executor.stop()
        return {type(outcome) for outcome in outcomes}, told, len(diary.lines), type(crashed)

    with closing(asyncio.Runner(loop_factory=uvloop.new_event_loop)) as runner:
        assert runner.run(work()) == ({Succeeded}, Succeeded(), 1000, Failed)


def test_windows_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")

    with pytest.raises(ConfigurationError, match="needs a POSIX system"):
        ProcessExecutor(1, loader=f"{HERE}:load")
