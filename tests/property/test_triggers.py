"""What holds for every trigger, and the algebra of those that are made of others."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from dateutil.relativedelta import relativedelta
from dateutil.rrule import rrulestr
from hypothesis import assume, given
from hypothesis import strategies as st

from rota.model.errors import TriggerError
from rota.triggers.base import Trigger
from rota.triggers.business import business_days
from rota.triggers.calendar import calendar
from rota.triggers.combine import all_of, any_of, excluding
from rota.triggers.cron import cron
from rota.triggers.interval import every
from rota.triggers.once import once
from rota.triggers.parse import from_json, parse
from rota.triggers.rrule import rrule
from tests.property import walls
from tests.property.crontabs import lines

START = datetime(2025, 1, 1, tzinfo=UTC)
ZONES = ("UTC", "Europe/Amsterdam", "America/St_Johns", "Australia/Lord_Howe")
SECOND = timedelta(seconds=1)

zones = st.sampled_from(ZONES)
moments = st.integers(0, 3 * 365 * 86_400).map(lambda second: START + second * SECOND)
days = st.dates(date(2024, 1, 1), date(2028, 1, 1))
times = st.times().map(lambda at: at.replace(microsecond=0))
skipped = st.sampled_from([None, "skip", "shift"])
repeated = st.sampled_from([None, "first", "second", "both"])
jitters = st.sampled_from([0, 0, 1.5, timedelta(minutes=3)])

intervals = st.builds(
    lambda minutes, anchor, jitter: every(minutes=minutes, anchor=anchor, jitter=jitter),
    st.integers(1, 5_000), moments, jitters,
)  # fmt: skip
crons = st.builds(
    lambda line, tz, jitter, skip, repeat: cron(line.text, tz, jitter=jitter, skipped=skip, repeated=repeat),
    lines.filter(lambda line: line.possible), zones, jitters, skipped, repeated,
)  # fmt: skip
periods = st.sampled_from(
    [
        {"days": 1},
        {"days": 9},
        {"weeks": 2},
        {"months": 1},
        {"months": 5},
        {"years": 1},
        {"months": 1, "days": 3},
    ]
)
calendars = st.builds(
    lambda period, at, anchor, tz, skip, repeat: calendar(
        **period, at=at, anchor=anchor, tz=tz, skipped=skip, repeated=repeat
    ),
    periods, times, days, zones, skipped, repeated,
)  # fmt: skip
working_days = st.builds(
    lambda at, nth, holidays, tz: business_days(at, nth=nth, holidays=holidays, tz=tz),
    times, st.sampled_from([None, 1, 5, -1]), st.lists(days, max_size=9), zones,
)  # fmt: skip
RULES = (
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3;BYMONTH=1,6",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=MONTHLY;INTERVAL=2",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY",
    "FREQ=YEARLY;BYWEEKNO=1,53;BYDAY=MO",
    "FREQ=YEARLY;INTERVAL=2;BYYEARDAY=-1",
    "FREQ=HOURLY;INTERVAL=7",
    "FREQ=MINUTELY;INTERVAL=1000;BYDAY=TU",
    "FREQ=DAILY;COUNT=40",
)
rules = st.builds(
    lambda rule, start, tz: rrule(rule, start=start, tz=tz), st.sampled_from(RULES), moments, zones
)
simple = st.one_of(intervals, crons, calendars, working_days, rules, moments.map(once))
plain = simple.map(lambda trigger: from_json(trigger.to_json() | {"jitter": "PT0S"}))
combined = st.one_of(
    st.builds(any_of, plain, plain, jitter=jitters),
    st.builds(lambda one, dates, tz: excluding(one, dates, tz=tz), crons.filter(lambda one: not one.jitter),
              st.lists(days, min_size=1, max_size=5), zones),
)  # fmt: skip
triggers = st.one_of(simple, combined)


def ticks(trigger: Trigger, start: datetime, number: int) -> list[datetime]:
    found: list[datetime] = []
    tick = trigger.next_after(start)
    while tick is not None and len(found) < number:
        found.append(tick)
        tick = trigger.next_after(tick)
    return found


@given(trigger=triggers, moment=moments)
def test_ticks_increase_strictly_and_none_is_left_out(trigger: Trigger, moment: datetime) -> None:
    found = ticks(trigger, moment, 6)
    for before, tick in pairwise([moment, *found]):
        assert tick > before
        assert tick.tzinfo is UTC
        assert trigger.next_after(before + (tick - before) / 2) == tick
        assert trigger.next_after(tick - timedelta.resolution) == tick
    if found:
        assert trigger.count(moment, found[-1], 100) == len(found)


@given(trigger=triggers, moment=moments)
def test_json_and_back_is_the_same_trigger(trigger: Trigger, moment: datetime) -> None:
    text = json.dumps(trigger.to_json())
    again = from_json(json.loads(text))
    assert again == trigger == parse(text)
    assert hash(again) == hash(trigger)
    assert str(again) == str(trigger)
    assert again.to_json() == json.loads(text) == trigger.to_json()
    assert ticks(again, moment, 3) == ticks(trigger, moment, 3)


@given(trigger=triggers, zone=zones)
def test_a_zone_is_given_once(trigger: Trigger, zone: str) -> None:
    settled = trigger.in_zone(zone)
    assert settled.in_zone("Asia/Tokyo") == settled


def days_from(anchor: date, years: int = 0, months: int = 0, weeks: int = 0, days: int = 0) -> Iterator[date]:
    """Yield the days of a calendar, from five years before its anchor to ten after it, as people count."""
    months += 12 * years
    reach = 60 if months else 5 * 366 // (7 * weeks + days)
    for number in range(-reach, 2 * reach):
        month = anchor.replace(day=1)
        if months:
            month += relativedelta(months=number * months)
        day = month + timedelta(days=anchor.day - 1)
        if day.month == month.month:
            yield day + timedelta(days=number * (7 * weeks + days))


@given(period=periods, at=times, anchor=days, zone=zones, moment=moments)
def test_calendar_agrees_with_a_walk_from_its_anchor(
    period: dict[str, Any], at: time, anchor: date, zone: str, moment: datetime
) -> None:
    at = at.replace(second=0)
    tick = calendar(**period, at=at, anchor=anchor, tz=zone).next_after(moment)
    assert tick is not None
    wanted = {datetime.combine(day, at) for day in days_from(anchor, **period)}
    near = walls.shown(moment, zone)
    following = sorted(wall for wall in wanted if wall > near - timedelta(days=2))[:4]
    half = timedelta(hours=16)
    expected = [
        found
        for start in (wall.replace(tzinfo=UTC) - half for wall in following)
        for found in walls.ticks(
            wanted.__contains__, zone, start, start + 2 * half, skipped="shift", repeated="first"
        )
        if found > moment
    ]
    assert tick == min(expected)


@given(rule=st.sampled_from(RULES), start=moments, later=st.integers(0, 3 * 365 * 24))
def test_rrule_agrees_with_dateutil_that_walks_from_the_start(rule: str, start: datetime, later: int) -> None:
    moment = start + timedelta(hours=later)
    theirs = rrulestr(rule, dtstart=start)
    assert rrule(rule, start=start, tz="UTC").next_after(moment) == theirs.after(moment)


@given(parts=st.lists(plain, min_size=2, max_size=3), moment=moments)
def test_any_of_ticks_exactly_where_one_does(parts: list[Trigger], moment: datetime) -> None:
    merged = sorted({tick for part in parts for tick in ticks(part, moment, 8)})[:8]
    assert ticks(any_of(*parts), moment, 8) == merged
    assert ticks(any_of(*reversed(parts)), moment, 8) == merged
    assert ticks(any_of(parts[0], any_of(*parts)), moment, 8) == merged
    assert ticks(any_of(parts[0], parts[0]), moment, 8) == ticks(parts[0], moment, 8)


minutes = st.builds(lambda period, phase: every(minutes=period, anchor=START + phase * SECOND * 60),
                    st.integers(1, 40), st.integers(0, 40))  # fmt: skip


@given(parts=st.lists(minutes, min_size=2, max_size=3), threshold=st.integers(0, 5), moment=moments)
def test_all_of_ticks_exactly_where_each_does_within_the_threshold(
    parts: list[Any], threshold: int, moment: datetime
) -> None:
    within, until = timedelta(minutes=threshold), moment + timedelta(hours=4)
    each = [ticks(part, moment, 300) for part in parts]
    expected = [
        tick
        for tick in sorted(set[datetime]().union(*each))
        if tick <= until and all(any(tick <= other <= tick + within for other in others) for others in each)
    ]
    try:
        trigger = all_of(*parts, threshold=within)
    except TriggerError:
        assert expected == []
        return
    found = [tick for tick in ticks(trigger, moment, len(expected) + 1) if tick <= until]
    assert found == expected
    assert ticks(all_of(*reversed(parts), threshold=within), moment, 3) == ticks(trigger, moment, 3)


@given(one=crons, other=crons, moment=moments)
def test_all_and_any_absorb_each_other(one: Any, other: Any, moment: datetime) -> None:
    assume(not one.jitter and not other.jitter)
    assert ticks(all_of(one, any_of(one, other)), moment, 4) == ticks(one, moment, 4)


@given(one=minutes, other=minutes, moment=moments)
def test_excluding_leaves_what_is_not_in_both(one: Any, other: Any, moment: datetime) -> None:
    until = moment + timedelta(hours=10)
    excluded = set(ticks(other, moment, 700))
    expected = [tick for tick in ticks(one, moment, 700) if tick <= until and tick not in excluded]
    try:
        left = excluding(one, other)
    except TriggerError:
        assert expected == []
        return
    assert [tick for tick in ticks(left, moment, len(expected) + 1) if tick <= until] == expected


@given(dates=st.sets(days, min_size=1, max_size=400), zone=zones, moment=moments)
def test_excluded_dates_are_those_of_the_zone(dates: set[date], zone: str, moment: datetime) -> None:
    trigger = excluding(cron("30 */5 * * *", zone), dates)
    expected = [
        tick
        for tick in ticks(cron("30 */5 * * *", zone), moment, 40)
        if walls.shown(tick, zone).date() not in dates
    ]
    assert ticks(trigger, moment, len(expected)) == expected
