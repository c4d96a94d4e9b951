"""The clock that tests move."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from rota.model.clock import Clock
from rota.testing.clock import FakeClock

START = datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_it_stands_still() -> None:
    clock: Clock = FakeClock(START)
    assert [clock.now() for _ in range(3)] == [START] * 3


@pytest.mark.parametrize("by", [90, 90.0, timedelta(minutes=1, seconds=30)])
def test_time_passes_when_told(by: float | timedelta) -> None:
    clock = FakeClock(START)
    assert clock.advance(by) == clock.now() == START + timedelta(seconds=90)


def test_parts_have_names() -> None:
    clock = FakeClock(START)
    assert clock.advance(1, days=1, hours=2, minutes=3, seconds=4) == START + timedelta(
        days=1, hours=2, minutes=3, seconds=5
    )


def test_steps_add_up_to_the_microsecond() -> None:
    clock = FakeClock(START)
    for _ in range(1_000):
        clock.advance(timedelta(microseconds=1))
    assert clock.now() == START + timedelta(milliseconds=1)


def test_it_is_set_to_any_moment_and_speaks_utc() -> None:
    clock = FakeClock(START)
    local = datetime(2020, 6, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert clock.set(local) == clock.now() == local
    assert clock.now().tzinfo is UTC
    assert FakeClock(local).now().tzinfo is UTC


def test_time_does_not_go_back_by_a_step() -> None:
    clock = FakeClock(START)
    with pytest.raises(ValueError, match=r"0:00:05.*set\(\)"):
        clock.advance(-5)
    assert clock.now() == START


def test_a_moment_without_a_zone_is_refused() -> None:
    naive = START.replace(tzinfo=None)
    with pytest.raises(ValueError, match="tzinfo=UTC"):
        FakeClock(naive)
    with pytest.raises(ValueError, match="tzinfo=UTC"):
        FakeClock(START).set(naive)
