"""Cron against oracles that share no code with it: cronsim, and a walk through every minute of local time."""

import functools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import assume, given
from hypothesis import strategies as st

from rota.model.errors import TriggerError
from rota.triggers.cron import Cron, cron
from rota.triggers.parse import from_json
from tests.property.crontabs import Line, lines

MINUTE = timedelta(minutes=1)
# Clocks turned by half an hour, two hours, a whole day; at midnight, a minute past it; back for Ramadan.
ZONES = (
    "Africa/Casablanca",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Amsterdam",
    "Europe/Dublin",
    "Pacific/Apia",
)
moments = st.integers(0, 70 * 365 * 86_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@functools.cache
def changes(zone: str) -> tuple[datetime, ...]:
    """Return the days from 2005 to 2037 within which a zone's offset from UTC changes."""
    days = [datetime(2005, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(33 * 365)]
    offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for day in days]
    return tuple(
        day for day, before, after in zip(days, offsets, offsets[1:], strict=False) if before != after
    )


days_of_change = st.sampled_from(ZONES).flatmap(
    lambda zone: st.tuples(
        st.just(zone), st.sampled_from(changes(zone) or (datetime(2020, 1, 1, tzinfo=UTC),))
    )
)


def ticks_by_minute(line: Line, zone: str, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the ticks after `start` and not after `end` by looking at a clock on the wall each minute."""
    # A day earlier, so that times which are repeated after `start` are known to have been there.
    moment = start - timedelta(days=1)
    before = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) - MINUTE
    shown: set[datetime] = set()
    while moment <= end:
        wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
        jumped = (before + MINUTE * step for step in range(1, (wall - before) // MINUTE))
        skipped = not line.wildcard and any(map(line.fits, jumped))
        repeated = not line.wildcard and wall in shown
        if (skipped or (line.fits(wall) and not repeated)) and moment > start:
            yield moment
        shown.add(wall)
        moment, before = moment + MINUTE, wall


def ticks(trigger: Cron, start: datetime, end: datetime) -> Iterator[datetime]:
    tick = trigger.next_after(start)
    while tick is not None and tick <= end:
        yield tick
        tick = trigger.next_after(tick)


@given(line=lines, change=days_of_change, hours=st.integers(-30, 30))
def test_around_changes_of_clocks_it_agrees_with_every_minute_of_local_time(
    line: Line, change: tuple[str, datetime], hours: int
) -> None:
    zone, day = change
    assume(line.possible)
    start = day + timedelta(hours=hours)
    end = start + timedelta(days=2)
    assert list(ticks(cron(line.text, zone), start, end)) == list(ticks_by_minute(line, zone, start, end))


@given(
    line=lines,
    change=days_of_change,
    minutes=st.integers(-60 * 30, 60 * 30),
    micros=st.integers(0, 59_999_999),
)
def test_from_any_moment_around_a_change_it_finds_the_first_tick_that_follows(
    line: Line, change: tuple[str, datetime], minutes: int, micros: int
) -> None:
    zone, day = change
    assume(line.possible)
    moment = day + timedelta(minutes=minutes, microseconds=micros)
    start, end = moment.replace(second=0, microsecond=0), moment + timedelta(days=1)
    expected = next(ticks_by_minute(line, zone, start, end), None)
    found = cron(line.text, zone).next_after(moment)
    assert found is not None
    assert found == expected if expected is not None else found > end


@given(line=lines, moment=moments)
def test_in_utc_it_agrees_with_cronsim(line: Line, moment: datetime) -> None:
    assume(line.possible)
    trigger, oracle, tick = cron(line.text), CronSim(line.text, moment), moment
    for _ in range(10):
        tick = trigger.next_after(tick) or datetime.max.replace(tzinfo=UTC)
        assert tick == next(oracle)


@given(line=lines, zone=st.sampled_from(ZONES), moment=moments)
def test_in_zones_it_agrees_with_cronsim(line: Line, zone: str, moment: datetime) -> None:
    assume(line.possible)
    local = moment.astimezone(ZoneInfo(zone))
    assume(local.fold == 0)  # cronsim takes a start in the second pass of a repeated hour for the first
    trigger, oracle, tick = cron(line.text, zone), CronSim(line.text, local), moment
    for _ in range(50):
        tick = trigger.next_after(tick) or datetime.max.replace(tzinfo=UTC)
        assert tick == next(oracle)


@given(line=lines)
def test_exactly_the_lines_that_can_never_fit_are_refused(line: Line) -> None:
    if line.possible:
        assert cron(line.text).next_after(datetime(2024, 1, 1, tzinfo=UTC)) is not None
    else:
        with pytest.raises(TriggerError, match="never comes"):
            cron(line.text)


@given(
    line=lines,
    zone=st.sampled_from(ZONES),
    moment=moments,
    later=st.timedeltas(timedelta(0), timedelta(days=500)),
)
def test_ticks_are_later_than_asked_monotone_and_without_a_gap(
    line: Line, zone: str, moment: datetime, later: timedelta
) -> None:
    assume(line.possible)
    trigger = cron(line.text, zone)
    first, second = trigger.next_after(moment), trigger.next_after(moment + later)
    assert first is not None
    assert second is not None
    assert first > moment
    assert second >= first
    # Nothing lies between the moment asked and the tick: every moment in between finds the same one.
    assert trigger.next_after(moment + (first - moment) / 2) == first
    assert trigger.next_after(first - timedelta.resolution) == first


@given(line=lines, zone=st.sampled_from([None, *ZONES]))
def test_json_and_back_is_the_same_trigger(line: Line, zone: str | None) -> None:
    assume(line.possible)
    trigger = cron(line.text, zone)
    again = from_json(json.loads(json.dumps(trigger.to_json())))
    assert again == trigger
    assert str(again) == str(trigger)
    assert hash(again) == hash(trigger)


@given(line=lines, moment=moments, hours=st.integers(0, 100), limit=st.integers(0, 300))
def test_count_is_the_number_of_ticks_up_to_the_limit(
    line: Line, moment: datetime, hours: int, limit: int
) -> None:
    assume(line.possible)
    trigger, until = cron(line.text, "Europe/Amsterdam"), moment + timedelta(hours=hours)
    assert trigger.count(moment, until, limit) == min(limit, len(list(ticks(trigger, moment, until))))
