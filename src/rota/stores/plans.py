"""Drivers of plans: a plan yields named statements and is sent their rows.

The plan knows no connection and no colour, so that submit is written once for every driver. An error of a
statement is thrown into the plan, which may yield others to clean up.
"""

from collections.abc import Awaitable, Callable, Generator
from typing import TypeVar

from rota.ports.jobs import Rows, Statement

__all__ = ["drive", "drive_async"]

_T = TypeVar("_T")


def drive(plan: Generator[Statement, Rows, _T], run: Callable[[Statement], Rows]) -> _T:
    """Run a plan's statements with `run` and return what the plan returns."""
    try:
        statement = next(plan)
        while True:
            try:
                rows = run(statement)
            except Exception as error:  # noqa: BLE001 - the plan decides; left alone, it comes out here again
                statement = plan.throw(error)
            else:
                statement = plan.send(rows)
    except StopIteration as end:
        result: _T = end.value
        return result


async def drive_async(
    plan: Generator[Statement, Rows, _T], run: Callable[[Statement], Awaitable[Rows]]
) -> _T:
    """Run a plan's statements with the coroutine function `run` and return what the plan returns."""
    try:
        statement = next(plan)
        while True:
            try:
                rows = await run(statement)
            except Exception as error:  # noqa: BLE001 - the plan decides; left alone, it comes out here again
                statement = plan.throw(error)
            else:
                statement = plan.send(rows)
    except StopIteration as end:
        result: _T = end.value
        return result
