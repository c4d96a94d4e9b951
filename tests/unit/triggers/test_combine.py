"""`any_of`, `all_of`, `excluding`."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from rota.model.errors import TriggerError
from rota.triggers.base import Trigger
from rota.triggers.combine import all_of, any_of, excluding
from rota.triggers.cron import cron
from rota.triggers.interval import every
from rota.triggers.once import once
from rota.triggers.parse import from_json

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday
SECOND = timedelta(seconds=1)
WRONG: Any = "x"  # what a user without a type checker writes
NUMBER: Any = 5


def following(trigger: Trigger, count: int, after: datetime = NEW_YEAR) -> list[str]:
    moment, shown = after, []
    for _ in range(count):
        tick = trigger.next_after(moment)
        if tick is None:
            break
        shown.append(tick.strftime("%a %m-%d %H:%M:%S").removesuffix(":00"))
        moment = tick
    return shown


def test_any_of_ticks_with_each_once_and_ends_with_the_last() -> None:
    trigger = any_of(every(hours=2), every(hours=3), once(NEW_YEAR + timedelta(hours=1)))
    assert following(trigger, 5) == [f"Thu 01-01 0{hour}:00" for hour in (1, 2, 3, 4, 6)]
    assert trigger.count(NEW_YEAR, NEW_YEAR + timedelta(hours=6), 100) == 5
    assert any_of(once(NEW_YEAR), once(NEW_YEAR + SECOND)).next_after(NEW_YEAR + SECOND) is None


def test_all_of_ticks_where_all_do_and_ends_with_the_first() -> None:
    assert following(all_of(every(hours=2), every(hours=3)), 2) == ["Thu 01-01 06:00", "Thu 01-01 12:00"]
    rare = all_of(cron("0 0 29 2 *"), cron("0 0 * * mon"))
    assert rare.next_after(NEW_YEAR) == datetime(2044, 2, 29, tzinfo=UTC)
    ends = all_of(every(hours=2), every(hours=3, end=NEW_YEAR + timedelta(hours=6)))
    assert following(ends, 9) == ["Thu 01-01 06:00"]


def test_all_of_ticks_at_the_earliest_of_moments_within_its_threshold() -> None:
    late = every(minutes=1, anchor=NEW_YEAR + 2 * SECOND)
    assert following(all_of(every(minutes=1), late, threshold=2), 2) == ["Thu 01-01 00:01", "Thu 01-01 00:02"]
    with pytest.raises(
        TriggerError, match=r"do not meet in 10,000 steps. Give triggers that meet more often"
    ):
        all_of(every(minutes=1), late, threshold=timedelta(seconds=1))


def test_triggers_that_never_meet_are_refused_at_once_and_never_hang() -> None:
    started = time.perf_counter()
    with pytest.raises(TriggerError, match=r"all_of: triggers .* do not meet"):
        all_of(cron("0 * * * *"), cron("30 * * * *"))
    with pytest.raises(TriggerError, match=r"all_of: triggers .* never tick together"):
        all_of(once(NEW_YEAR), once(NEW_YEAR + SECOND))
    with pytest.raises(TriggerError, match=r"excluding: what .* excludes 10,000 ticks in a row"):
        excluding(every(seconds=2), every(seconds=1))
    assert time.perf_counter() - started < 20


def test_excluding_dates_leaves_out_local_days() -> None:
    dates = [date(2026, 1, 2), date(2026, 1, 5)]
    trigger = excluding(cron("0 8 * * 1-5", "Asia/Tokyo"), dates)
    assert following(trigger, 2) == ["Mon 01-05 23:00", "Tue 01-06 23:00"]
    assert trigger.tz == "Asia/Tokyo"
    assert following(excluding(cron("0 23 * * 1-5", "UTC"), *dates, tz="Asia/Tokyo"), 2) == [
        "Fri 01-02 23:00",
        "Mon 01-05 23:00",
    ]


def test_a_long_list_of_dates_is_passed_day_by_day() -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(2_000)]
    trigger = excluding(every(microseconds=100), days, tz="Europe/Amsterdam")
    assert trigger.next_after(NEW_YEAR) == datetime(2031, 6, 23, 22, tzinfo=UTC)


def test_excluding_a_trigger_leaves_out_its_moments() -> None:
    trigger = excluding(every(minutes=30), cron("* 1-2 * * *"))
    assert following(trigger, 3) == ["Thu 01-01 00:30", "Thu 01-01 03:00", "Thu 01-01 03:30"]
    assert trigger.count(NEW_YEAR, NEW_YEAR + timedelta(hours=3, minutes=30), 100) == 3


@pytest.mark.parametrize(
    "trigger",
    [
        any_of(every(hours=1), cron("@daily", "Asia/Tokyo")),
        all_of(every(hours=1), cron("@daily"), threshold=1.5, jitter=3),
        excluding(any_of(every(hours=1), cron("@daily")), date(2026, 1, 1), cron("0 8 * * *")),
    ],
    ids=str,
)
def test_json_and_back_is_the_same_trigger(trigger: Trigger) -> None:
    again = from_json(trigger.to_json())
    assert again == trigger
    assert hash(again) == hash(trigger)
    assert again.to_json() == trigger.to_json()


def test_a_zone_goes_to_the_parts_that_name_none() -> None:
    parts = cron("@hourly"), cron("@daily", "UTC")
    moved = cron("@hourly", "Asia/Tokyo"), cron("@daily", "UTC")
    assert any_of(*parts).in_zone("Asia/Tokyo") == any_of(*moved)
    left = excluding(parts[0], date(2026, 1, 1), parts[1]).in_zone("Asia/Tokyo")
    assert left == excluding(moved[0], date(2026, 1, 1), moved[1])


def test_text_is_for_people() -> None:
    assert str(any_of(every(hours=1), cron("@daily"))) == "(every hour) or (every day at 00:00)"
    assert str(all_of(every(hours=1), cron("@daily"), threshold=2, jitter=1)) == (
        "(every hour) and (every day at 00:00), delayed by up to 1 second within 2 seconds"
    )
    assert str(excluding(cron("@hourly"), [date(2026, 1, 1)], cron("@daily"))) == (
        "(every hour) except 1 date and (every day at 00:00)"
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: any_of(every(hours=1)), "any_of: triggers 1 are too few"),
        (all_of, "all_of: triggers 0 are too few"),
        (lambda: any_of(every(hours=1), WRONG), "any_of: triggers 'x' is no trigger"),
        (
            lambda: any_of(every(hours=1), every(hours=2, jitter=5)),
            "any_of: jitter .* Give the jitter to any_of",
        ),
        (lambda: all_of(every(hours=1), every(hours=2), threshold=-1), "all_of: threshold .* is below zero"),
        (
            lambda: all_of(every(hours=1), every(hours=2), threshold=WRONG),
            "all_of: threshold 'x' is no length",
        ),
        (lambda: excluding(every(hours=1)), "excluding: what .* excludes nothing"),
        (lambda: excluding(every(hours=1), []), "excluding: what .* excludes nothing"),
        (lambda: excluding(every(hours=1), [WRONG]), "excluding: dates 'x' is no date"),
        (lambda: excluding(every(hours=1), NUMBER), "excluding: triggers 5 is no trigger"),
        (lambda: excluding(once(NEW_YEAR), NEW_YEAR.date()), "excluding: what .* leaves no tick"),
        (lambda: excluding(every(hours=1), NEW_YEAR.date(), tz="Mars"), "tz 'Mars' is not known"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_makes_no_sense_is_refused_by_name(make: Any, message: str) -> None:
    with pytest.raises(TriggerError, match=message):
        make()
