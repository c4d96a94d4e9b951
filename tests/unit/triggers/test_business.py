"""`business_days`: working days, each of them or the n-th of a month."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rota.model.errors import TriggerError
from rota.triggers.business import business_days
from rota.triggers.parse import from_json

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MARCH = datetime(2026, 3, 1, tzinfo=UTC)  # a Sunday


class Library(dict[date, str]):
    """What holiday libraries give: it works out a year when it is asked about it, and is empty before."""

    def __contains__(self, day: object) -> bool:
        assert isinstance(day, date)
        self.setdefault(date(day.year, 3, 3), "Third of March")
        return (day.month, day.day) == (3, 3)


def days(options: dict[str, Any], count: int) -> list[str]:
    trigger, moment, shown = business_days("09:00", tz="Europe/Amsterdam", **options), MARCH, []
    for _ in range(count):
        tick = trigger.next_after(moment)
        assert tick is not None
        shown.append(tick.astimezone(AMSTERDAM).strftime("%a %m-%d %H:%M"))
        moment = tick
    return shown


@pytest.mark.parametrize(
    ("options", "ticks"),
    [
        ({}, ["Mon 03-02 09:00", "Tue 03-03 09:00"]),
        ({"holidays": [date(2026, 3, 2)]}, ["Tue 03-03 09:00", "Wed 03-04 09:00"]),
        ({"holidays": {date(2026, 3, 2): "A holiday"}}, ["Tue 03-03 09:00"]),
        ({"holidays": Library()}, ["Mon 03-02 09:00", "Wed 03-04 09:00"]),
        ({"holidays": iter([date(2026, 3, 3)])}, ["Mon 03-02 09:00", "Wed 03-04 09:00"]),
        ({"weekend": ["fri", "SAT"]}, ["Sun 03-01 09:00", "Mon 03-02 09:00"]),
        ({"nth": 1}, ["Mon 03-02 09:00", "Wed 04-01 09:00", "Fri 05-01 09:00"]),
        ({"nth": -1}, ["Tue 03-31 09:00", "Thu 04-30 09:00", "Fri 05-29 09:00"]),
        ({"nth": 1, "holidays": [date(2026, 3, 2)]}, ["Tue 03-03 09:00", "Wed 04-01 09:00"]),
        ({"nth": 23}, ["Fri 07-31 09:00", "Thu 12-31 09:00"]),
    ],
)
def test_it_ticks_on_days_that_are_worked(options: dict[str, Any], ticks: list[str]) -> None:
    assert days(options, len(ticks)) == ticks


def test_holidays_are_kept_as_dates() -> None:
    trigger = business_days(holidays=Library())
    assert trigger.holidays == tuple(date(year, 3, 3) for year in range(2000, 2050))
    assert from_json(trigger.to_json()) == trigger
    assert business_days(holidays={date(2026, 3, 2), date(2026, 3, 1)}) == business_days(
        holidays=[date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 1)]
    )


def test_it_ends_with_the_calendar() -> None:
    late = datetime(9999, 12, 31, 12, tzinfo=UTC)
    assert business_days().next_after(late) is None
    assert business_days(nth=1).next_after(late) is None


def test_text_is_for_people() -> None:
    assert str(business_days("09:00", tz="UTC")) == "every working day at 09:00 UTC"
    assert str(business_days(nth=-1)) == "on the last working day of the month at 00:00"
    assert str(business_days(nth=-2)) == "on working day 2 from the end of the month at 00:00"
    assert str(business_days(nth=3, holidays=[MARCH.date()])) == (
        "on working day 3 of the month at 00:00 except 1 holiday"
    )


def dates_with_times() -> Iterator[date]:
    yield MARCH


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"at": "9"}, "at '9' is no time of day"),
        ({"nth": 0}, "nth 0 is out of bounds. Give 1 for the first"),
        ({"nth": 24}, "nth 24 is out of bounds.*there are 23 at most"),
        ({"nth": -32}, "nth -32 is out of bounds"),
        ({"weekend": ["sat", "son"]}, "weekend 'son' is no weekday. Choose among sun, mon"),
        ({"weekend": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]}, "weekend .* leaves no working day"),
        ({"holidays": ["2026-01-01"]}, "dates '2026-01-01' is no date"),
        ({"holidays": dates_with_times()}, "dates '2026-03-01 00:00:00.*' is no date"),
        ({"tz": "Europe"}, "tz 'Europe' is not known"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TriggerError, match=message):
        business_days(**options)
