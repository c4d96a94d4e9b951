"""Calling a task's function: arguments in, an outcome out, in whatever place it runs."""

import asyncio
import traceback
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import structs

from rota.definitions.attempt import Attempt, running, storable
from rota.definitions.jsonable import NotJsonError, check_builtins
from rota.model.errors import AttemptStoppedError, RotaError
from rota.model.outcome import (
    Cancelled,
    Failed,
    Fault,
    Handed,
    Outcome,
    Retried,
    Snooze,
    Succeeded,
    Suspended,
)
from rota.policy.retry_after import retry_after_of

if TYPE_CHECKING:
    from rota.definitions.task import Task

__all__ = ["ResultError", "call_async", "call_sync", "fault_of", "outcome_of"]

_LONGEST_TRACEBACK = 64 * 1024
_LONGEST_MESSAGE = 8 * 1024
_CONTROL = (Cancelled, Handed, Retried, Snooze, Succeeded, Suspended)
_NOTHING = Succeeded()


class ResultError(RotaError):
    """A task returned what cannot be kept as JSON, or too much of it."""


async def call_async(attempt: Attempt) -> Outcome:
    """Run an attempt's coroutine function in this asyncio task."""
    running.set(attempt)
    try:
        args, kwargs = attempt.task.decode(attempt.job.payload, attempt.resources)
        value = await attempt.task.function(*args, **kwargs)
    except asyncio.CancelledError:
        if attempt.stop_reason is None:
            raise
        return Cancelled(attempt.stop_reason)
    except BaseException as error:  # noqa: BLE001 - a task may raise anything, SystemExit too, and only it fails
        return outcome_of_error(attempt, error)
    return outcome_of(attempt, value)


def call_sync(attempt: Attempt) -> Outcome:
    """Run an attempt's plain function in this thread."""
    token = running.set(attempt)
    try:
        args, kwargs = attempt.task.decode(attempt.job.payload, attempt.resources)
        value = attempt.task.function(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - as above
        return outcome_of_error(attempt, error)
    finally:
        running.reset(token)
    return outcome_of(attempt, value)


def outcome_of_error(attempt: Attempt, error: BaseException) -> Outcome:
    """Return the outcome for what a task raised."""
    if isinstance(error, AttemptStoppedError | asyncio.CancelledError) and attempt.stop_reason is not None:
        return Cancelled(attempt.stop_reason)
    attempt.error = error
    return Failed(fault_of(error))


def outcome_of(attempt: Attempt, value: Any) -> Outcome:
    """Return the outcome for what a task returned: one of its own choosing, or success with a result."""
    task = attempt.task
    if value is None:
        return _NOTHING
    if isinstance(value, Failed):
        return structs.replace(value, final=True)
    if isinstance(value, _CONTROL):
        return value
    if not task.keeps_result:
        return Succeeded(b"", task.result_ttl)
    try:
        return Succeeded(_encode_result(task, value), task.result_ttl)
    except ResultError as error:
        # The work is done: doing it again would end alike.
        return Failed(fault_of(error), final=True)


def _encode_result(task: "Task[Any, Any]", value: Any) -> bytes:
    try:
        plain = msgspec.to_builtins(value, enc_hook=task.arguments.hooks.encode, str_keys=True)
        check_builtins(plain, "result")
        encoded = msgspec.json.encode(plain)
    except (NotJsonError, NotImplementedError, TypeError, OverflowError) as error:
        raise ResultError(
            f"the result of {task.name!r} cannot be kept: {error}. Return JSON, or set result_ttl=0"
        ) from None
    if len(encoded) > task.result_limit:
        raise ResultError(
            f"the result of {task.name!r} takes {len(encoded)} bytes and the limit is {task.result_limit}. "
            "Store it elsewhere and return a reference, or raise ROTA_RESULT_LIMIT"
        )
    return encoded


def fault_of(error: BaseException) -> Fault:
    """Return an exception as data: class names over its MRO, message, traceback, the delay it asks for."""
    lines = traceback.format_exception(error)
    return Fault(
        kind=type(error).__name__,
        message=storable(str(error))[:_LONGEST_MESSAGE],
        traceback=storable("".join(lines))[-_LONGEST_TRACEBACK:],
        kinds=tuple(f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__),
        retry_after=retry_after_of(error),
    )
