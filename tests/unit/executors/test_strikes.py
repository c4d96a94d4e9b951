"""A stop raises in the thread that runs the attempt, and never in the one after it."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable

import pytest

from rota.definitions.attempt import Attempt, current
from rota.executors.threads import ThreadExecutor
from rota.model.errors import AttemptStoppedError
from rota.model.outcome import Cancelled, Outcome, Succeeded
from tests.unit.executors.attempts import attempt_to


@pytest.fixture
async def executor() -> AsyncIterator[ThreadExecutor]:
    made = ThreadExecutor(slots=1)
    await made.start()
    yield made
    await made.stop()


def spin() -> None:
    while True:
        pass


async def stopped(executor: ThreadExecutor, attempt: Attempt, begun: threading.Event, reason: str) -> Outcome:
    running = asyncio.create_task(executor.run(attempt))
    await asyncio.to_thread(begun.wait, 10)
    attempt.stop(reason)
    return await running


@pytest.mark.parametrize("reason", ["timeout", "cancelled"])
async def test_a_busy_function_is_interrupted(executor: ThreadExecutor, reason: str) -> None:
    begun, errors = threading.Event(), []

    def work() -> None:
        begun.set()
        try:
            spin()
        except AttemptStoppedError as error:
            errors.append(error)
            raise

    attempt = attempt_to(work)

    assert await stopped(executor, attempt, begun, reason) == Cancelled(reason)
    assert [(error.job_id, error.reason) for error in errors] == [(attempt.job.id, reason)]


async def test_a_thread_that_was_struck_is_replaced(executor: ThreadExecutor) -> None:
    begun, threads = threading.Event(), []

    def work() -> None:
        threads.append(threading.current_thread())
        begun.set()
        spin()

    await stopped(executor, attempt_to(work), begun, "timeout")
    await executor.run(attempt_to(lambda: threads.append(threading.current_thread())))
    threads[0].join(10)

    assert threads[0] is not threads[1]
    assert not threads[0].is_alive()


@pytest.mark.parametrize("reason", ["lost", "shutdown"])
async def test_other_reasons_only_ask(executor: ThreadExecutor, reason: str) -> None:
    begun = threading.Event()

    def work() -> str:
        begun.set()
        while not current().cancelled:
            time.sleep(0.001)  # a task polls; its thread must give way to the loop's
        return "ended by itself"

    assert await stopped(executor, attempt_to(work), begun, reason) == Succeeded(b'"ended by itself"')


async def test_a_function_that_asks_by_heartbeat_is_cancelled(executor: ThreadExecutor) -> None:
    begun = threading.Event()

    def work() -> None:
        begun.set()
        while True:
            current().heartbeat()

    assert await stopped(executor, attempt_to(work), begun, "lost") == Cancelled("lost")


async def test_a_function_that_catches_the_interruption_and_returns_has_succeeded(
    executor: ThreadExecutor,
) -> None:
    begun = threading.Event()

    def stubborn() -> str:
        begun.set()
        try:
            spin()
        except AttemptStoppedError:
            # It comes once: what is in hand can be finished.
            return f"finished, {sum(range(100_000))}"
        return "never"

    outcome = await stopped(executor, attempt_to(stubborn), begun, "timeout")

    assert outcome == Succeeded(b'"finished, 4999950000"')


async def test_a_blocking_call_holds_the_attempt_until_it_returns(executor: ThreadExecutor) -> None:
    begun, gate, after = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        gate.wait(10)
        after.append(1)

    attempt = attempt_to(work)
    running = asyncio.create_task(executor.run(attempt))
    await asyncio.to_thread(begun.wait, 10)
    attempt.stop("cancelled")
    await asyncio.sleep(0.05)  # long enough for a wrong outcome to show
    held = not running.done()
    gate.set()

    assert await running == Cancelled("cancelled")
    assert held
    assert after == []


async def test_a_coroutine_function_that_blocks_its_loop_is_struck(
    executor: ThreadExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rota.executors.threads.DEAF_AFTER", 0.01)
    begun = threading.Event()

    async def work() -> None:
        begun.set()
        spin()

    attempt = attempt_to(work, executor="thread")

    assert await stopped(executor, attempt, begun, "timeout") == Cancelled("timeout")


async def test_a_task_of_the_function_that_blocks_the_loop_is_struck(
    executor: ThreadExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rota.executors.threads.DEAF_AFTER", 0.01)
    begun = threading.Event()

    async def errand() -> None:
        begun.set()
        spin()

    def work() -> None:
        _ = asyncio.get_event_loop().create_task(errand())

    outcome = await stopped(executor, attempt_to(work), begun, "timeout")

    assert outcome == Cancelled("timeout")
    assert await executor.run(attempt_to(lambda: None)) == Succeeded()


async def test_the_tasks_of_a_function_that_was_struck_are_cancelled(executor: ThreadExecutor) -> None:
    begun, ended = threading.Event(), []

    async def errand() -> None:
        ended.append("never begun")

    def work() -> None:
        _ = asyncio.get_event_loop().create_task(errand())
        begun.set()
        spin()

    assert await stopped(executor, attempt_to(work), begun, "cancelled") == Cancelled("cancelled")
    assert ended == []


def shortly(turns: int) -> Callable[[], None]:
    def work() -> None:
        for _ in range(turns):
            pass

    return work


async def test_a_stop_at_the_last_moment_never_strikes_the_next_attempt() -> None:
    """The stop comes at every distance from the end, thousands of times; the job after it must not notice."""
    executor = ThreadExecutor(slots=1)
    await executor.start()
    struck = missed = 0
    for number in range(3000):
        first, second = attempt_to(shortly(number % 600)), attempt_to(shortly(200))
        one = asyncio.create_task(executor.run(first))
        other = asyncio.create_task(executor.run(second))
        await asyncio.sleep(0)
        for _ in range(number % 37):
            pass
        first.stop("timeout")
        outcome = await one
        assert outcome in {Cancelled("timeout"), Succeeded()}
        struck += isinstance(outcome, Cancelled)
        missed += isinstance(outcome, Succeeded)
        assert await other == Succeeded()
    await executor.stop()

    assert struck, "no stop came in time: the race was not run"


async def test_a_stop_from_another_thread_never_strikes_the_next_attempt(executor: ThreadExecutor) -> None:
    """As in a child process: who stops runs truly beside the attempt."""
    outcomes = []
    for number in range(1000):
        first = attempt_to(shortly(number % 1000))
        stopper = threading.Thread(target=first.stop, args=("cancelled",))
        one = asyncio.create_task(executor.run(first))
        await asyncio.sleep(0)
        stopper.start()
        outcomes.append(await one)
        assert await executor.run(attempt_to(shortly(500))) == Succeeded()
        stopper.join()

    assert set(map(type, outcomes)) <= {Cancelled, Succeeded}
