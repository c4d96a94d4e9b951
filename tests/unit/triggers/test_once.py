"""`once`: one moment."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from rota.model.errors import TriggerError
from rota.triggers.once import once

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)


def test_it_ticks_once() -> None:
    trigger = once(NOON)
    assert trigger.next_after(NOON - timedelta(days=9)) == NOON
    assert trigger.next_after(NOON) is None
    assert trigger.count(NOON - timedelta(1), NOON, 10) == 1
    assert trigger.count(NOON - timedelta(1), NOON, 0) == 0
    assert trigger.count(NOON, NOON + timedelta(1), 10) == 0


def test_equality_is_by_meaning_and_a_zone_changes_nothing() -> None:
    assert once(NOON) == once(NOON.astimezone(timezone(timedelta(hours=5))))
    assert once(NOON).in_zone("Asia/Tokyo") == once(NOON)
    assert once(NOON, jitter=5).jitter == timedelta(seconds=5)


def test_text_is_for_people() -> None:
    assert str(once(NOON)) == "once at 2026-03-28 12:00 UTC"
    assert str(once(NOON + timedelta(seconds=5), jitter=60)) == (
        "once at 2026-03-28 12:00:05 UTC, delayed by up to 1 minute"
    )


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(TriggerError, match=r"once: at '2026-01-01 00:00:00' has no time zone"):
        once(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test
    with pytest.raises(TriggerError, match=r"once: at 'tomorrow' is no moment"):
        once("tomorrow")  # type: ignore[arg-type]  # what a user without a type checker writes
