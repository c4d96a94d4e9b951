"""`calendar`: local days, weeks, months and years, in phase with an anchor."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rota.model.errors import TriggerError
from rota.triggers.calendar import calendar

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday


def following(options: dict[str, Any], after: datetime, count: int) -> list[str]:
    trigger, moment, shown = calendar(tz="Europe/Amsterdam", **options), after, []
    for _ in range(count):
        tick = trigger.next_after(moment)
        assert tick is not None
        shown.append(tick.astimezone(AMSTERDAM).strftime("%a %Y-%m-%d %H:%M"))
        moment = tick
    return shown


@pytest.mark.parametrize(
    ("options", "ticks"),
    [
        ({"days": 1, "at": "08:00"}, ["Thu 2026-01-01 08:00", "Fri 2026-01-02 08:00"]),
        ({"days": 10, "anchor": date(2026, 1, 5)}, ["Mon 2026-01-05 00:00", "Thu 2026-01-15 00:00"]),
        ({"weeks": 1, "at": time(8)}, ["Mon 2026-01-05 08:00", "Mon 2026-01-12 08:00"]),
        ({"weeks": 2, "anchor": date(2025, 12, 26)}, ["Fri 2026-01-09 00:00", "Fri 2026-01-23 00:00"]),
        ({"months": 1}, ["Sun 2026-02-01 00:00", "Sun 2026-03-01 00:00", "Wed 2026-04-01 00:00"]),
        ({"months": 1, "anchor": date(2020, 1, 31)}, ["Sat 2026-01-31 00:00", "Tue 2026-03-31 00:00"]),
        ({"months": 5, "anchor": date(2027, 1, 15)}, ["Sun 2026-03-15 00:00", "Sat 2026-08-15 00:00"]),
        ({"years": 1, "anchor": date(2024, 2, 29)}, ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00"]),
        ({"years": 1, "months": 6}, ["Fri 2027-01-01 00:00", "Sat 2028-07-01 00:00"]),
        (
            {"months": 1, "days": 1, "anchor": date(2026, 1, 1)},
            ["Mon 2026-02-02 00:00", "Tue 2026-03-03 00:00"],
        ),
    ],
)
def test_it_counts_local_days_from_its_anchor(options: dict[str, Any], ticks: list[str]) -> None:
    assert following(options, NEW_YEAR, len(ticks)) == ticks


def test_a_day_is_a_local_day_when_clocks_are_turned() -> None:
    assert following({"days": 1, "at": "08:00"}, datetime(2026, 3, 28, tzinfo=UTC), 2) == [
        "Sat 2026-03-28 08:00",
        "Sun 2026-03-29 08:00",
    ]


@pytest.mark.parametrize(
    ("skipped", "tick"), [(None, "Sun 2026-03-29 03:00"), ("skip", "Mon 2026-03-30 02:30")]
)
def test_a_time_that_is_skipped_ticks_right_after_the_gap_or_not(skipped: Any, tick: str) -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert following({"days": 1, "at": "02:30", "skipped": skipped}, before, 1) == [tick]


@pytest.mark.parametrize(
    ("repeated", "hours"), [(None, [0, 25]), ("first", [0, 25]), ("second", [1, 25]), ("both", [0, 1])]
)
def test_a_time_that_is_repeated_ticks_in_the_pass_that_was_chosen(repeated: Any, hours: list[int]) -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    trigger = calendar(days=1, at="02:30", tz="Europe/Amsterdam", repeated=repeated)
    tick: datetime | None = first - timedelta(hours=1)
    for hour in hours:
        assert tick is not None
        tick = trigger.next_after(tick)
        assert tick == first + timedelta(hours=hour)


def test_the_day_of_the_start_is_the_anchor() -> None:
    start = datetime(2026, 1, 6, 12, tzinfo=AMSTERDAM)
    trigger = calendar(days=3, start=start, tz="Europe/Amsterdam")
    assert trigger.anchor == date(2026, 1, 6)
    assert trigger.next_after(NEW_YEAR) == datetime(2026, 1, 9, tzinfo=AMSTERDAM)


def test_the_calendar_ends_quietly_at_both_ends() -> None:
    trigger = calendar(months=1, tz="Asia/Tokyo")
    assert trigger.next_after(datetime.max.replace(tzinfo=UTC)) is None
    assert trigger.next_after(datetime.min.replace(tzinfo=UTC)) is not None
    assert calendar(years=9000).next_after(NEW_YEAR) is None
    assert calendar(days=5_000, anchor=date(9999, 1, 1)).next_after(datetime(9999, 1, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"days": 1, "at": "08:00"}, "every day at 08:00"),
        ({"days": 2}, "every 2 days at 00:00 counted from 2000-01-01"),
        ({"weeks": 1, "at": "08:00:30"}, "every week at 08:00:30 on Mondays"),
        ({"weeks": 2}, "every 2 weeks at 00:00 on Mondays counted from 2000-01-03"),
        ({"months": 1, "tz": "UTC"}, "every month at 00:00 counted from 2000-01-01 UTC"),
        ({"years": 1, "months": 6}, "every 1 year 6 months at 00:00 counted from 2000-01-01"),
    ],
)
def test_text_is_for_people(options: dict[str, Any], text: str) -> None:
    assert str(calendar(**options)) == text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "period '0' is empty. Give at least one of years, months, weeks or days"),
        ({"days": -1}, "days -1 is no number of them. Give a whole number"),
        ({"months": 1.5}, "months 1.5 is no number of them"),
        ({"days": 1, "at": "25:00"}, "at '25:00' is no time of day. Give hours and minutes"),
        ({"days": 1, "at": 8}, "at '8' is no time of day"),
        ({"days": 1, "at": time(8, tzinfo=UTC)}, "at .* is no time of day"),
        ({"days": 1, "at": time(8, microsecond=1)}, "at .* is no time of day"),
        ({"days": 1, "anchor": NEW_YEAR}, "anchor .* is no date"),
        ({"days": 1, "start": NEW_YEAR, "end": NEW_YEAR - timedelta(1)}, "end .* is before start"),
        ({"months": 1, "start": datetime(2026, 1, 2, tzinfo=UTC), "anchor": date(2026, 1, 1),
          "end": datetime(2026, 1, 3, tzinfo=UTC)}, "end .* leaves no tick after start"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TriggerError, match=f"calendar: {message}"):
        calendar(**options)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(TriggerError, match="tz 'Mars' is not known"):
        calendar(days=1, tz="Mars")
