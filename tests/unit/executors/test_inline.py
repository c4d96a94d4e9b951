"""Coroutine functions in the worker's event loop."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator

import pytest

from rota.definitions.attempt import current
from rota.executors.inline import AsyncExecutor
from rota.model.outcome import Cancelled, Failed, Succeeded
from tests.unit.executors.attempts import Diary, attempt_to


@pytest.fixture
async def executor() -> AsyncIterator[AsyncExecutor]:
    made = AsyncExecutor()
    await made.start()
    yield made
    await made.stop()


async def test_a_result_is_kept(executor: AsyncExecutor) -> None:
    async def double(number: int) -> int:
        return 2 * number

    assert await executor.run(attempt_to(double, 21)) == Succeeded(b"42")


async def test_it_runs_in_the_task_that_calls(executor: AsyncExecutor) -> None:
    seen = []

    async def look() -> None:
        seen.append(asyncio.current_task())

    await executor.run(attempt_to(look))

    assert seen == [asyncio.current_task()]


async def test_an_error_is_an_outcome(executor: AsyncExecutor) -> None:
    async def fail() -> None:
        raise LookupError("nothing there")

    outcome = await executor.run(attempt_to(fail))

    assert isinstance(outcome, Failed)
    assert (outcome.fault.kind, outcome.fault.message) == ("LookupError", "nothing there")


async def test_the_attempt_is_current(executor: AsyncExecutor) -> None:
    async def log() -> None:
        await asyncio.sleep(0)
        current().log.info("here")

    diary = Diary()
    await executor.run(attempt_to(log, diary=diary))

    assert diary.messages == ["here"]


@pytest.mark.parametrize("reason", ["timeout", "cancelled", "lost", "shutdown"])
async def test_a_stop_cancels_what_the_task_awaits(executor: AsyncExecutor, reason: str) -> None:
    begun = asyncio.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    attempt = attempt_to(wait)
    running = asyncio.create_task(executor.run(attempt))
    await begun.wait()
    attempt.stop(reason)

    assert await running == Cancelled(reason)


async def test_a_task_that_catches_the_cancellation_and_returns_has_succeeded(
    executor: AsyncExecutor,
) -> None:
    begun = asyncio.Event()

    async def stubborn() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "done all the same"
        return "never"

    attempt = attempt_to(stubborn)
    running = asyncio.create_task(executor.run(attempt))
    await begun.wait()
    attempt.stop("cancelled")

    assert await running == Succeeded(b'"done all the same"')


async def test_what_follows_the_attempt_in_its_task_is_not_cancelled(executor: AsyncExecutor) -> None:
    begun = asyncio.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    attempt = attempt_to(wait)

    async def middleware() -> tuple[object, int]:
        outcome = await executor.run(attempt)
        attempt.stop("lost")
        await asyncio.sleep(0)
        task = asyncio.current_task()
        return outcome, task.cancelling() if task else -1

    running = asyncio.create_task(middleware())
    await begun.wait()
    attempt.stop("cancelled")

    assert await running == (Cancelled("cancelled"), 0)


async def test_a_late_stop_does_not_cancel_what_follows(executor: AsyncExecutor) -> None:
    async def quick() -> None:
        pass

    attempt = attempt_to(quick)

    async def middleware() -> str:
        await executor.run(attempt)
        attempt.stop("timeout")
        await asyncio.sleep(0)
        return "untouched"

    assert await asyncio.create_task(middleware()) == "untouched"


async def test_an_attempt_that_was_stopped_before_does_not_begin(executor: AsyncExecutor) -> None:
    calls = []

    async def work() -> None:
        calls.append(1)

    attempt = attempt_to(work)
    attempt.stop("cancelled")

    assert await executor.run(attempt) == Cancelled("cancelled")
    assert calls == []


async def test_a_cancel_of_the_caller_is_passed_on(executor: AsyncExecutor) -> None:
    begun = asyncio.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(executor.run(attempt_to(wait)))
    await begun.wait()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running


async def test_an_attempt_is_freed_without_the_garbage_collector(executor: AsyncExecutor) -> None:
    """At thousands of jobs a second, cycles would make the collector the largest cost."""

    class Payload:
        pass

    async def work() -> None:
        pass

    attempt = attempt_to(work)
    attempt.resources = {"mark": (mark := Payload())}
    gone = weakref.ref(mark)
    del mark
    gc.disable()
    try:
        await asyncio.create_task(executor.run(attempt))
        del attempt
        await asyncio.sleep(0)
        assert gone() is None
    finally:
        gc.enable()
