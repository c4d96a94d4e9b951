"""Moments and whole microseconds."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.model.clock import SystemClock, from_micros, to_micros

MOMENTS = st.datetimes(timezones=st.just(UTC))
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
WHEREVER = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=ZONES)  # noqa: DTZ001 - zones come beside


@given(moment=MOMENTS)
def test_there_and_back_is_exact(moment: datetime) -> None:
    assert from_micros(to_micros(moment)) == moment


@given(first=MOMENTS, second=MOMENTS)
def test_the_order_and_the_distance_are_kept(first: datetime, second: datetime) -> None:
    assert (to_micros(first) < to_micros(second)) is (first < second)
    assert timedelta(microseconds=to_micros(second) - to_micros(first)) == second - first


@given(moment=WHEREVER)
def test_one_instant_is_one_number_in_every_zone(moment: datetime) -> None:
    micros = to_micros(moment)
    assert micros == to_micros(moment.astimezone(UTC))
    assert from_micros(micros) == moment
    assert from_micros(micros).tzinfo is UTC


@pytest.mark.parametrize(
    ("moment", "micros"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        # Floating point seconds have no room for these microseconds.
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 253_402_300_799_999_999),
        (datetime(2026, 1, 5, 12, 0, 0, 1, tzinfo=UTC), 1_767_614_400_000_001),
    ],
)
def test_known_moments(moment: datetime, micros: int) -> None:
    assert to_micros(moment) == micros
    assert from_micros(micros) == moment


def test_the_systems_clock_is_aware_and_goes_on() -> None:
    first, second = SystemClock().now(), SystemClock().now()
    assert first.tzinfo is UTC
    assert first <= second
