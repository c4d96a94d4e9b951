"""Cron against oracles that share no code with it: cronsim, croniter, and a clock that is looked at."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from cronsim import CronSim
from hypothesis import assume, given
from hypothesis import strategies as st

from rota.model.errors import TriggerError
from rota.triggers.cron import Cron, cron
from rota.triggers.parse import from_json
from tests.property import walls
from tests.property.crontabs import Field, Line, fields, lines, special_lines

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


turned = st.sampled_from(ZONES).flatmap(
    lambda zone: st.tuples(
        st.just(zone),
        st.sampled_from([change.at for change in walls.changes(zone)] or [datetime(2020, 1, 1, tzinfo=UTC)]),
    )
)


def defaults(line: Line) -> dict[str, Any]:
    """Return what is said of crontab lines when clocks are turned."""
    skipped, repeated = ("skip", "both") if line.wildcard else ("shift", "first")
    return {"skipped": skipped, "repeated": repeated}


def ticks(trigger: Cron, start: datetime, end: datetime) -> Iterator[datetime]:
    tick = trigger.next_after(start)
    while tick is not None and tick <= end:
        yield tick
        tick = trigger.next_after(tick)


@given(line=lines, change=turned, hours=st.integers(-25, 2))
def test_around_changes_of_clocks_it_agrees_with_every_minute_of_local_time(
    line: Line, change: tuple[str, datetime], hours: int
) -> None:
    zone, at = change
    assume(line.possible)
    start = at + timedelta(hours=hours)
    end = start + timedelta(days=1)
    expected = walls.ticks(line.fits, zone, start, end, **defaults(line))
    assert list(ticks(cron(line.text, zone), start, end)) == expected


@given(
    line=lines,
    change=turned,
    minutes=st.integers(-300, 300),
    skipped=st.sampled_from(["skip", "shift"]),
    repeated=st.sampled_from(["first", "second", "both"]),
)
def test_every_choice_for_turned_clocks_agrees_with_every_minute_of_local_time(
    line: Line, change: tuple[str, datetime], minutes: int, skipped: Any, repeated: Any
) -> None:
    zone, at = change
    assume(line.possible)
    start = at + timedelta(minutes=minutes)
    end = start + timedelta(hours=5)
    trigger = cron(line.text, zone, skipped=skipped, repeated=repeated)
    expected = walls.ticks(line.fits, zone, start, end, skipped=skipped, repeated=repeated)
    assert list(ticks(trigger, start, end)) == expected


@given(
    line=lines,
    seconds=fields(0, 59),
    number=st.integers(0, 60),
    offset=st.integers(-3_000, 2_000),
)
def test_with_seconds_it_agrees_with_every_second_of_local_time(
    line: Line, seconds: Field, number: int, offset: int
) -> None:
    assume(line.possible)
    zone = "Australia/Lord_Howe"  # half an hour back and forth
    at = walls.changes(zone)[number].at
    start = at + timedelta(seconds=offset)
    end = start + timedelta(minutes=15)
    expected = walls.ticks(
        lambda wall: wall.second in seconds.numbers and line.fits(wall),
        zone,
        start,
        end,
        **defaults(line),
        step=timedelta(seconds=1),
        margin=timedelta(minutes=31),
    )
    assert list(ticks(cron(f"{seconds.text} {line.text}", zone), start, end)) == expected


@given(
    line=lines,
    change=turned,
    minutes=st.integers(-60 * 30, 60 * 30),
    micros=st.integers(0, 59_999_999),
)
def test_from_any_moment_around_a_change_it_finds_the_first_tick_that_follows(
    line: Line, change: tuple[str, datetime], minutes: int, micros: int
) -> None:
    zone, at = change
    assume(line.possible)
    moment = at + timedelta(minutes=minutes, microseconds=micros)
    start = moment.replace(second=0, microsecond=0)
    expected = walls.ticks(line.fits, zone, start, start + timedelta(days=1), **defaults(line))
    found = cron(line.text, zone).next_after(moment)
    assert found is not None
    assert found == expected[0] if expected else found > start + timedelta(days=1)


@given(line=lines, moment=moments)
def test_in_utc_it_agrees_with_cronsim(line: Line, moment: datetime) -> None:
    assume(line.possible)
    trigger, oracle, tick = cron(line.text), CronSim(line.text, moment), moment
    for _ in range(10):
        tick = trigger.next_after(tick) or datetime.max.replace(tzinfo=UTC)
        assert tick == next(oracle)


def croniter_means_the_same(line: Line) -> bool:
    """Return False for what docs/time.md says it reads otherwise."""
    range_of_one = re.search(r"\b0?(\d+)-\1\b|dec-12", line.text, re.IGNORECASE)  # `12-12` is `*`
    star_in_list = any(
        "," in day.text and "*" in day.text for day in (line.day, line.weekday)
    )  # `1,*` is `*`
    step_from_weekday = re.search(r"(^|,)\d/", line.weekday.text)  # `1/2` ends on Saturday
    return not range_of_one and not star_in_list and not step_from_weekday


@given(line=lines, moment=moments)
def test_in_utc_it_agrees_with_croniter(line: Line, moment: datetime) -> None:
    """With its option that days must fit both fields where one begins with `*`, as in crontab(5)."""
    assume(line.possible)
    assume(croniter_means_the_same(line))
    trigger, tick = cron(line.text), moment
    oracle = croniter(line.text, moment, implement_cron_bug=True, max_years_between_matches=80)
    for _ in range(5):
        tick = trigger.next_after(tick) or datetime.max.replace(tzinfo=UTC)
        assert tick == oracle.get_next(datetime)


@given(line=special_lines, moment=moments)
def test_special_days_agree_with_cronsim(line: str, moment: datetime) -> None:
    trigger, oracle, tick = cron(line), CronSim(line, moment), moment
    for _ in range(10):
        tick = trigger.next_after(tick) or datetime.max.replace(tzinfo=UTC)
        assert tick == next(oracle)


@given(line=special_lines, moment=moments)
def test_special_days_agree_with_croniter(line: str, moment: datetime) -> None:
    assume("LW" not in line)  # it does not know it
    theirs = re.sub(r"\b(\d|[A-Z]{3})L\b", r"L\1", line)
    trigger, oracle, tick = cron(line), croniter(theirs, moment, implement_cron_bug=True), moment
    for _ in range(5):
        tick = trigger.next_after(tick) or datetime.max.replace(tzinfo=UTC)
        assert tick == oracle.get_next(datetime)


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
