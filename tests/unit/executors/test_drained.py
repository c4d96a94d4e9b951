"""The event loop of a thread: what a plain function puts into it is run before the attempt ends."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from rota.definitions.attempt import Attempt, current
from rota.executors.threads import ThreadExecutor
from rota.model.outcome import Cancelled, Failed, Outcome, Succeeded
from tests.unit.executors.attempts import Diary, attempt_to


@pytest.fixture
async def executor() -> AsyncIterator[ThreadExecutor]:
    made = ThreadExecutor(slots=1)
    await made.start()
    yield made
    await made.stop()


def later(coroutine: Coroutine[Any, Any, None]) -> None:
    _ = asyncio.get_event_loop().create_task(coroutine)


async def test_a_task_that_the_function_made_is_run_to_its_end(executor: ThreadExecutor) -> None:
    done = []

    async def errand() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        await asyncio.sleep(0.001)  # a timer of the loop has to be waited for, too
        done.append(threading.current_thread().name)

    def work() -> str:
        later(errand())
        assert done == []
        return "result"

    assert await executor.run(attempt_to(work)) == Succeeded(b'"result"')
    assert done == ["rota-thread"]


async def test_tasks_that_tasks_make_are_run_too(executor: ThreadExecutor) -> None:
    done = []

    async def errand(depth: int) -> None:
        await asyncio.sleep(0)
        done.append(depth)
        if depth:
            later(errand(depth - 1))

    await executor.run(attempt_to(lambda: later(errand(5))))

    assert done == [5, 4, 3, 2, 1, 0]


async def test_the_attempt_is_current_in_its_tasks(executor: ThreadExecutor) -> None:
    diary = Diary()

    async def errand() -> None:
        await asyncio.sleep(0)
        current().log.info("from a task")

    await executor.run(attempt_to(lambda: later(errand()), diary=diary))

    assert diary.messages == ["from a task"]


async def test_an_error_in_a_task_fails_the_attempt(executor: ThreadExecutor) -> None:
    async def errand() -> None:
        await asyncio.sleep(0)
        raise LookupError("in a task")

    outcome = await executor.run(attempt_to(lambda: later(errand())))

    assert isinstance(outcome, Failed)
    assert (outcome.fault.kind, outcome.fault.message) == ("LookupError", "in a task")
    assert "errand" in outcome.fault.traceback
    assert await executor.run(attempt_to(lambda: None)) == Succeeded()


async def test_an_error_in_a_task_that_ended_before_the_function_fails_it_too(
    executor: ThreadExecutor,
) -> None:
    async def errand() -> None:
        raise LookupError("early")

    def work() -> None:
        loop = asyncio.get_event_loop()
        later(errand())
        loop.run_until_complete(asyncio.sleep(0.001))  # as long as the task needs to fail

    outcome = await executor.run(attempt_to(work))

    assert isinstance(outcome, Failed)
    assert outcome.fault.kind == "LookupError"


async def test_an_error_that_someone_waited_for_is_theirs(executor: ThreadExecutor) -> None:
    seen: list[object] = []

    async def errand() -> None:
        await asyncio.sleep(0)
        raise LookupError("handled")

    async def parent() -> None:
        seen.extend(await asyncio.gather(asyncio.ensure_future(errand()), return_exceptions=True))

    def work() -> None:
        later(parent())

    assert await executor.run(attempt_to(work)) == Succeeded()
    assert [type(error) for error in seen] == [LookupError]


async def test_the_functions_own_error_counts_and_the_tasks_is_logged(executor: ThreadExecutor) -> None:
    diary, done = Diary(), []

    async def errand() -> None:
        await asyncio.sleep(0)
        done.append(1)
        raise LookupError("in a task")

    def work() -> None:
        later(errand())
        raise ValueError("in the function")

    outcome = await executor.run(attempt_to(work, diary=diary))

    assert isinstance(outcome, Failed)
    assert outcome.fault.kind == "ValueError"
    assert done == [1]
    assert diary.messages == ["a task that the attempt left running failed too: LookupError('in a task')"]


async def test_async_generators_that_are_left_behind_are_closed(executor: ThreadExecutor) -> None:
    closed = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    async def first() -> None:
        async for _ in numbers():
            break

    def in_a_task() -> None:
        later(first())

    def by_hand() -> None:
        asyncio.get_event_loop().run_until_complete(first())

    await executor.run(attempt_to(in_a_task))
    assert closed == [True]
    await executor.run(attempt_to(by_hand))
    assert closed == [True, True]


async def test_a_coroutine_function_runs_in_the_threads_loop_with_its_tasks(executor: ThreadExecutor) -> None:
    seen = []

    async def errand() -> None:
        await asyncio.sleep(0)
        seen.append(threading.current_thread().name)

    async def work() -> str:
        background = asyncio.create_task(errand())
        seen.append(type(background).__name__)
        return threading.current_thread().name

    assert await executor.run(attempt_to(work, executor="thread")) == Succeeded(b'"rota-thread"')
    assert seen == ["Task", "rota-thread"]


@pytest.mark.parametrize("spoil", ["close", "replace", "asyncio.run"])
async def test_a_function_cannot_spoil_the_loop_for_the_next(executor: ThreadExecutor, spoil: str) -> None:
    done = []

    def unruly() -> None:
        if spoil == "close":
            asyncio.get_event_loop().close()
        elif spoil == "replace":
            asyncio.set_event_loop(None)
        else:
            asyncio.run(asyncio.sleep(0))

    async def errand() -> None:
        done.append(1)

    await executor.run(attempt_to(unruly))
    await executor.run(attempt_to(lambda: later(errand())))

    assert done == [1]


async def test_a_callback_of_an_earlier_attempt_is_not_the_next_ones(executor: ThreadExecutor) -> None:
    """What is no task is not waited for; when it runs later, it must not fail whoever runs then."""

    async def stray() -> None:
        raise LookupError("stray")

    def leave() -> None:
        loop = asyncio.get_event_loop()
        loop.call_soon(lambda: loop.create_task(stray()))

    async def errand() -> None:
        await asyncio.sleep(0.001)  # long enough for the stray to come first

    await executor.run(attempt_to(leave))
    logged: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = logged.append  # type: ignore[assignment]  # the shortest handler
    logging.getLogger("asyncio").addHandler(handler)
    try:
        outcome = await executor.run(attempt_to(lambda: later(errand())))
    finally:
        logging.getLogger("asyncio").removeHandler(handler)

    assert outcome == Succeeded()
    assert any("never retrieved" in record.getMessage() for record in logged)


async def stopped(executor: ThreadExecutor, begun: threading.Event, attempt: Attempt, reason: str) -> Outcome:
    running = asyncio.create_task(executor.run(attempt))
    await asyncio.to_thread(begun.wait, 10)
    attempt.stop(reason)
    return await running


@pytest.mark.parametrize("reason", ["timeout", "cancelled", "lost", "shutdown"])
async def test_a_stop_cancels_the_tasks_that_are_left(executor: ThreadExecutor, reason: str) -> None:
    begun, ended = threading.Event(), []

    async def errand() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(1)

    def work() -> None:
        later(errand())
        later(errand())

    await stopped(executor, begun, attempt_to(work), reason)

    assert ended == [1, 1]
    assert await executor.run(attempt_to(lambda: None)) == Succeeded()


@pytest.mark.parametrize("reason", ["timeout", "cancelled", "lost", "shutdown"])
async def test_a_stop_cancels_a_coroutine_function_and_then_its_tasks(
    executor: ThreadExecutor, reason: str
) -> None:
    begun, order = threading.Event(), []

    async def connection() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            order.append("connection")

    async def work() -> None:
        later(connection())
        await asyncio.sleep(0)
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            order.append("work")

    outcome = await stopped(executor, begun, attempt_to(work, executor="thread"), reason)

    assert outcome == Cancelled(reason)
    assert order == ["work", "connection"]


async def test_a_coroutine_function_that_catches_the_cancellation_has_succeeded(
    executor: ThreadExecutor,
) -> None:
    begun = threading.Event()

    async def stubborn() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "done"

    assert await stopped(executor, begun, attempt_to(stubborn, executor="thread"), "timeout") == Succeeded(
        b'"done"'
    )


async def test_a_stop_reaches_what_the_function_itself_runs_in_the_loop(executor: ThreadExecutor) -> None:
    begun, ended = threading.Event(), []

    async def wait() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    def work() -> None:
        asyncio.get_event_loop().run_until_complete(wait())

    outcome = await stopped(executor, begun, attempt_to(work), "cancelled")

    assert not isinstance(outcome, Succeeded)
    assert ended == [1]
