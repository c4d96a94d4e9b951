"""Plain functions in threads: outcomes, contexts, and how threads come and go."""

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator
from contextvars import ContextVar

import pytest

from rota.definitions.attempt import current
from rota.definitions.attempt import running as running_attempt
from rota.executors.threads import ThreadExecutor
from rota.model.outcome import Cancelled, Failed, Snooze, Succeeded
from tests.unit.executors.attempts import Diary, attempt_to

colour: ContextVar[str] = ContextVar("colour", default="none")


@pytest.fixture
async def executor() -> AsyncIterator[ThreadExecutor]:
    made = ThreadExecutor(slots=4)
    await made.start()
    yield made
    await made.stop()


def job_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "rota-thread"]


async def test_a_result_is_kept(executor: ThreadExecutor) -> None:
    def double(number: int) -> int:
        return 2 * number

    assert await executor.run(attempt_to(double, 21)) == Succeeded(b"42")


async def test_it_runs_in_another_thread(executor: ThreadExecutor) -> None:
    seen = []

    await executor.run(attempt_to(lambda: seen.append(threading.current_thread())))

    assert seen[0] is not threading.current_thread()
    assert seen[0].daemon


@pytest.mark.parametrize("error", [LookupError("gone"), SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
async def test_an_error_is_an_outcome_and_the_thread_lives_on(
    executor: ThreadExecutor, error: BaseException
) -> None:
    def fail() -> None:
        raise error

    outcome = await executor.run(attempt_to(fail))

    assert isinstance(outcome, Failed)
    assert outcome.fault.kind == type(error).__name__
    assert await executor.run(attempt_to(lambda: None)) == Succeeded()
    assert len(job_threads()) == 1


async def test_an_outcome_of_the_tasks_own_choosing_is_passed_on(executor: ThreadExecutor) -> None:
    from datetime import timedelta

    snooze = Snooze(timedelta(seconds=3), "later")

    assert await executor.run(attempt_to(lambda: snooze)) == snooze


async def test_the_attempt_is_current_while_it_runs_and_not_after(executor: ThreadExecutor) -> None:
    diary = Diary()

    await executor.run(attempt_to(lambda: current().log.info("here"), diary=diary))
    seen: list[object] = []
    # The same thread, in the context that it starts with.
    await asyncio.gather(
        *(executor.run(attempt_to(lambda: seen.append(running_attempt.get()))) for _ in "ab")
    )

    assert diary.messages == ["here"]
    assert None not in seen
    assert seen[0] is not seen[1]


async def test_variables_of_one_job_are_unknown_to_the_next(executor: ThreadExecutor) -> None:
    seen = []

    def paint() -> None:
        seen.append((threading.get_ident(), colour.get()))
        colour.set("red")

    for _ in range(3):
        await executor.run(attempt_to(paint))

    assert len({thread for thread, _ in seen}) == 1
    assert [value for _, value in seen] == ["none", "none", "none"]


async def test_variables_of_middleware_reach_the_task(executor: ThreadExecutor) -> None:
    seen = []

    async def middleware() -> None:
        colour.set("blue")
        await executor.run(attempt_to(lambda: seen.append(colour.get())))

    await asyncio.create_task(middleware())

    assert seen == ["blue"]


async def test_an_attempt_is_freed_without_the_garbage_collector(executor: ThreadExecutor) -> None:
    class Payload:
        pass

    attempt = attempt_to(lambda: None)
    attempt.resources = {"mark": (mark := Payload())}
    gone = weakref.ref(mark)
    del mark
    gc.disable()
    try:
        await asyncio.create_task(executor.run(attempt))
        del attempt
        # The thread lets go of one before it takes the next.
        await executor.run(attempt_to(lambda: None))
        assert gone() is None
    finally:
        gc.enable()


def test_it_works_on_uvloop() -> None:
    import uvloop

    async def work() -> list[object]:
        executor = ThreadExecutor(slots=4)
        await executor.start()
        outcomes = await asyncio.gather(*(executor.run(attempt_to(lambda: 1)) for _ in range(100)))
        await executor.stop()
        return list(outcomes)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(work()) == [Succeeded(b"1")] * 100


async def test_threads_start_when_they_are_needed(executor: ThreadExecutor) -> None:
    assert job_threads() == []

    for _ in range(5):
        await executor.run(attempt_to(lambda: None))
    one_after_another = len(job_threads())
    meeting = threading.Barrier(4, timeout=10)
    await asyncio.gather(*(executor.run(attempt_to(lambda: meeting.wait() and None)) for _ in range(4)))

    assert one_after_another == 1
    assert len(job_threads()) == 4


async def test_more_attempts_than_threads_wait_in_line(executor: ThreadExecutor) -> None:
    outcomes = await asyncio.gather(*(executor.run(attempt_to(lambda: 1)) for _ in range(100)))

    assert outcomes == [Succeeded(b"1")] * 100
    assert len(job_threads()) <= 4


async def test_one_that_is_stopped_in_line_does_not_begin() -> None:
    executor = ThreadExecutor(slots=1)
    await executor.start()
    gate = threading.Event()
    calls = []
    first = asyncio.create_task(executor.run(attempt_to(lambda: gate.wait(10) and None)))
    waiting = attempt_to(lambda: calls.append(1))
    second = asyncio.create_task(executor.run(waiting))
    await asyncio.sleep(0)
    waiting.stop("cancelled")
    gate.set()

    assert await first == Succeeded()
    assert await second == Cancelled("cancelled")
    assert calls == []
    await executor.stop()


async def test_one_that_was_stopped_before_does_not_begin(executor: ThreadExecutor) -> None:
    attempt = attempt_to(lambda: None)
    attempt.stop("cancelled")

    assert await executor.run(attempt) == Cancelled("cancelled")
    assert job_threads() == []


async def test_a_stop_of_the_executor_ends_idle_threads() -> None:
    executor = ThreadExecutor(slots=4)
    await executor.start()
    await asyncio.gather(*(executor.run(attempt_to(lambda: None)) for _ in range(50)))
    threads = job_threads()

    await executor.stop()
    for thread in threads:
        thread.join(10)

    assert threads
    assert job_threads() == []


async def test_a_stop_of_the_executor_leaves_a_stuck_thread_behind() -> None:
    executor = ThreadExecutor(slots=2)
    await executor.start()
    begun, gate = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def stuck() -> None:
        loop.call_soon_threadsafe(begun.set)
        gate.wait(10)

    running = asyncio.create_task(executor.run(attempt_to(stuck)))
    await begun.wait()
    await executor.stop()

    assert not running.done()
    gate.set()
    assert await running == Succeeded()


def test_a_thread_that_ends_after_the_loop_was_closed_is_quiet() -> None:
    gate = threading.Event()
    threads = []

    async def leave() -> None:
        executor = ThreadExecutor(slots=1)
        await executor.start()
        begun, loop = asyncio.Event(), asyncio.get_running_loop()

        def stuck() -> None:
            threads.append(threading.current_thread())
            loop.call_soon_threadsafe(begun.set)
            gate.wait(10)

        running = asyncio.create_task(executor.run(attempt_to(stuck)))
        await begun.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await executor.stop()

    asyncio.run(leave())
    gate.set()
    threads[0].join(10)

    assert not threads[0].is_alive()


async def test_without_another_thread_to_be_had_those_that_are_there_do_the_work(
    executor: ThreadExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await executor.run(attempt_to(lambda: None))

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    outcomes = await asyncio.gather(*(executor.run(attempt_to(lambda: 1)) for _ in range(10)))

    assert outcomes == [Succeeded(b"1")] * 10


async def test_without_any_thread_the_attempt_does_not_run_later(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = ThreadExecutor(slots=2)
    await executor.start()
    calls: list[int] = []

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            await executor.run(attempt_to(lambda: calls.append(1)))
    await executor.run(attempt_to(lambda: calls.append(2)))

    assert calls == [2]
    await executor.stop()
