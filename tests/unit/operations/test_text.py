"""Lengths of time and moments in words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from rota.operations.text import clock, counted, relative, span

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(0), "0 ms"),
        (timedelta(microseconds=400), "0.4 ms"),
        (timedelta(microseconds=12_400), "12 ms"),
        (timedelta(milliseconds=999.6), "1 s"),
        (timedelta(seconds=1), "1 s"),
        (timedelta(seconds=1.26), "1.3 s"),
        (timedelta(seconds=59.4), "59 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(seconds=61), "1 min 1 s"),
        (timedelta(hours=1, seconds=5), "1 h"),
        (timedelta(hours=25, minutes=3), "1 d 1 h"),
        (timedelta(days=400), "400 d"),
        (timedelta(seconds=-61), "1 min 1 s"),
    ],
)
def test_a_length_of_time_by_its_two_largest_units(length: timedelta, text: str) -> None:
    assert span(length) == text


def test_a_moment_before_and_after_now() -> None:
    assert relative(NOW + timedelta(minutes=2), NOW) == "in 2 min"
    assert relative(NOW - timedelta(minutes=2), NOW) == "2 min ago"


def test_a_moment_is_shown_in_its_own_zone() -> None:
    assert clock(NOW) == "2026-01-05 12:00:00 UTC"
    assert clock(NOW.astimezone(timezone(timedelta(hours=2)))) == "2026-01-05 14:00:00 UTC+02:00"


def test_numbers_with_their_nouns() -> None:
    assert [counted(1, "job"), counted(0, "job"), counted(12_000, "job")] == [
        "1 job",
        "0 jobs",
        "12,000 jobs",
    ]
    assert counted(2, "process", "processes") == "2 processes"
