"""`every`: elapsed time in phase with an anchor."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from rota.model.errors import ConfigurationError, TriggerError
from rota.triggers.interval import every

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("parts", "tick"),
    [
        ({"hours": 1}, datetime(2026, 3, 28, 13, tzinfo=UTC)),
        ({"minutes": 5}, datetime(2026, 3, 28, 12, 5, tzinfo=UTC)),
        ({"days": 1}, datetime(2026, 3, 29, tzinfo=UTC)),
        ({"weeks": 1}, datetime(2026, 4, 2, tzinfo=UTC)),
        ({"microseconds": 1}, NOON + timedelta(microseconds=1)),
        ({"seconds": 0.5}, NOON + timedelta(milliseconds=500)),
        ({"hours": 1, "minutes": 30}, datetime(2026, 3, 28, 13, 30, tzinfo=UTC)),
    ],
)
def test_without_an_anchor_machines_agree_on_the_phase(parts: dict[str, float], tick: datetime) -> None:
    assert every(**parts).next_after(NOON) == tick  # type: ignore[arg-type]  # the moments are not among them


def test_a_restart_at_any_moment_keeps_the_phase() -> None:
    trigger = every(minutes=7)
    tick = trigger.next_after(NOON)
    assert all(trigger.next_after(NOON + timedelta(seconds=n)) == tick for n in range(60))


def test_the_anchor_is_a_tick_and_so_is_each_period_before_and_after_it() -> None:
    trigger = every(hours=10, anchor=NOON)
    assert trigger.next_after(NOON - timedelta(seconds=1)) == NOON
    assert trigger.next_after(NOON) == NOON + timedelta(hours=10)
    assert trigger.next_after(NOON - timedelta(hours=11)) == NOON - timedelta(hours=10)


def test_start_is_the_anchor_unless_there_is_one() -> None:
    start = NOON + timedelta(minutes=13)
    assert every(hours=1, start=start).next_after(NOON) == start
    assert every(hours=1, start=start, anchor=NOON).next_after(NOON) == NOON + timedelta(hours=1)


def test_start_and_end_bound_the_ticks_inclusively() -> None:
    trigger = every(hours=1, start=NOON, end=NOON + timedelta(hours=2))
    assert trigger.next_after(NOON - timedelta(days=9)) == NOON
    assert trigger.next_after(NOON + timedelta(hours=1)) == NOON + timedelta(hours=2)
    assert trigger.next_after(NOON + timedelta(hours=2)) is None


def test_a_day_is_24_hours_also_when_clocks_are_turned() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Europe/Amsterdam"))
    tick = every(days=1, anchor=before).next_after(before)
    assert tick == before.astimezone(UTC) + timedelta(days=1)


def test_there_is_no_tick_beyond_the_calendar() -> None:
    assert every(days=400, anchor=NOON).next_after(datetime(9999, 12, 1, tzinfo=UTC)) is None
    assert every(weeks=100_000_000, anchor=NOON).next_after(NOON) is None


def test_a_year_of_seconds_is_counted_without_walking() -> None:
    assert every(seconds=1).count(NOON, NOON + timedelta(days=365), limit=10) == 365 * 86_400


def test_equality_is_by_meaning_of_the_moments() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))
    assert every(hours=1, anchor=NOON) == every(minutes=60, anchor=elsewhere)
    assert every(hours=1) != every(hours=1, anchor=NOON)


def test_text_is_for_people() -> None:
    assert str(every(weeks=2)) == "every 2 weeks"
    assert str(every(hours=1)) == "every hour"
    assert str(every(hours=1, minutes=30, microseconds=5)) == "every 1 hour 30 minutes 5 microseconds"
    assert str(every(days=1, anchor=NOON, end=NOON, jitter=2)) == (
        "every day in phase with 2026-03-28 12:00 UTC until 2026-03-28 12:00 UTC, delayed by up to 2 seconds"
    )
    assert str(every(days=1, start=NOON)) == "every day from 2026-03-28 12:00 UTC"


def test_a_zone_changes_nothing() -> None:
    trigger = every(days=1)
    assert trigger.in_zone("Europe/Amsterdam") == trigger


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, "period '0:00:00' is not above zero"),
        ({"seconds": 0}, "period '0:00:00' is not above zero"),
        ({"microseconds": 0.1}, "period '0:00:00' is not above zero"),
        ({"hours": -1}, "hours -1 is no length of time"),
        ({"hours": 1, "minutes": -1}, "minutes -1 is no length of time"),
        ({"hours": 1, "jitter": timedelta(-1)}, "jitter '-1 day, 0:00:00' is below zero"),
        ({"hours": 1, "jitter": "x"}, "jitter 'x' is no length of time"),
        ({"days": float("nan")}, "days nan is no length of time"),
        ({"days": float("inf")}, "days inf is no length of time"),
        ({"days": "1"}, "days '1' is no length of time"),
        ({"weeks": 1e12}, "period 'weeks=1000000000000.0' is too long"),
        ({"hours": 1, "anchor": datetime(2026, 1, 1)}, "anchor '2026-01-01 00:00:00' has no time zone"),  # noqa: DTZ001
        (
            {"hours": 1, "start": NOON, "end": NOON - timedelta(hours=1)},
            "end '2026-03-28 11:00:00.*is before start",
        ),
        (
            {
                "hours": 5,
                "anchor": NOON,
                "start": NOON + timedelta(hours=1),
                "end": NOON + timedelta(hours=2),
            },
            "end .* leaves no tick after start",
        ),
        (
            {"hours": 1, "end": datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))},
            "end .* is beyond the calendar",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(parts: dict[str, object], message: str) -> None:
    with pytest.raises(TriggerError, match=f"every: {message}") as caught:
        every(**parts)  # type: ignore[arg-type]  # what a user without a type checker writes
    assert isinstance(caught.value, ConfigurationError)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(TriggerError, match=r"moment .* has no time zone"):
        every(hours=1).next_after(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test
