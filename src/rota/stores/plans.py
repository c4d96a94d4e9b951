"""Drivers of plans: a plan yields named statements and is sent their rows.

The plan knows no connection and no colour, so that submit is written once for every driver. An error of a
statement is thrown into the plan, which may yield others to clean up.
"""

from collections.abc import Awaitable, Callable, Generator
from operator import attrgetter
from typing import TypeVar

from rota.model.job import Submission
from rota.ports.jobs import Rows, Statement

__all__ = ["common", "drive", "drive_async"]

_T = TypeVar("_T")

common = attrgetter(*(name for name in Submission.__struct_fields__ if name not in {"id", "payload"}))
"""Returns what the submissions of one call mostly have in common."""


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
