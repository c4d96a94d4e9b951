"""Dates that somebody gives: one, a collection, or an object of a holiday library."""

from collections.abc import Container, Iterable
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from rota.model.errors import TriggerError

__all__ = ["Holidays", "dates_of", "is_dates"]

Holidays: TypeAlias = Iterable[date] | Container[date]

_ASKED_FROM = date(2000, 1, 1)
_ASKED_UNTIL = date(2050, 1, 1)


def is_dates(what: object) -> bool:
    """Whether something is a date, or holds dates."""
    return isinstance(what, date) or hasattr(what, "__contains__") or hasattr(what, "__iter__")


def dates_of(kind: str, what: Any) -> list[date]:
    """Return the dates that something means, in no order.

    Collections of Python itself and what can only be walked through are walked through. Any other object that
    answers `day in holidays` is asked for each day from 2000 to 2049: the objects of holiday libraries work
    out a year when they are asked, and hold nothing before.

    Raises:
        TriggerError: something in it is no date.
    """
    if isinstance(what, date):
        found: list[Any] = [what]
    elif type(what).__module__ != "builtins" and hasattr(what, "__contains__"):
        days = (_ASKED_UNTIL - _ASKED_FROM).days
        found = [day for number in range(days) if (day := _ASKED_FROM + timedelta(days=number)) in what]
    else:
        found = list(what)
    for day in found:
        if isinstance(day, datetime) or not isinstance(day, date):
            remedy = "Give datetime.date values, without a time of day"
            raise TriggerError(kind, "dates", str(day), "is no date", remedy)
    return found
