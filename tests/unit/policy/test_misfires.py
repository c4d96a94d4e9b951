"""Which due moments run after some were missed."""

from datetime import UTC, datetime, timedelta

import pytest

from rota.model.errors import ConfigurationError
from rota.policy.misfires import ON_TIME, WALKED, Decision, decide
from rota.triggers.cron import cron
from rota.triggers.interval import every

DUE = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURLY = every(hours=1)


@pytest.mark.parametrize("catch_up", ["one", "all", "none"])
def test_a_moment_that_is_on_time_runs(catch_up: str) -> None:
    assert decide(HOURLY, DUE, DUE + ON_TIME, catch_up) == Decision(
        DUE, runs=True, missed=0, next_at=DUE + HOUR
    )


def test_one_runs_the_latest_and_the_others_are_missed() -> None:
    now = DUE + 5 * HOUR + timedelta(minutes=1)
    assert decide(HOURLY, DUE, now, "one") == Decision(
        DUE + 5 * HOUR, runs=True, missed=5, next_at=DUE + 6 * HOUR
    )


def test_one_runs_a_single_moment_however_late() -> None:
    assert decide(every(days=9, anchor=DUE), DUE, DUE + 99 * HOUR, "one").runs


def test_all_runs_each_in_its_turn_the_oldest_first() -> None:
    now = DUE + 2 * HOUR
    assert decide(HOURLY, DUE, now, "all") == Decision(DUE, runs=True, missed=0, next_at=DUE + HOUR)
    assert decide(HOURLY, DUE + 2 * HOUR, now, "all").next_at == DUE + 3 * HOUR


def test_all_runs_at_most_the_latest_hundred() -> None:
    exactly = DUE + 99 * HOUR
    assert decide(HOURLY, DUE, exactly, "all").at == DUE
    assert decide(HOURLY, DUE, exactly + HOUR, "all") == Decision(
        DUE + HOUR, runs=True, missed=1, next_at=DUE + 2 * HOUR
    )
    assert decide(cron("0 * * * *"), DUE, DUE + 1000 * HOUR, "all") == Decision(
        DUE + 901 * HOUR, runs=True, missed=901, next_at=DUE + 902 * HOUR
    )


def test_none_runs_only_what_is_on_time() -> None:
    late = DUE + ON_TIME + timedelta(seconds=1)
    assert decide(HOURLY, DUE, late, "none") == Decision(DUE, runs=False, missed=0, next_at=DUE + HOUR)
    assert decide(HOURLY, DUE, DUE + 3 * HOUR + ON_TIME, "none") == Decision(
        DUE + 3 * HOUR, runs=True, missed=3, next_at=DUE + 4 * HOUR
    )
    assert decide(HOURLY, DUE, DUE + 3 * HOUR + 2 * ON_TIME, "none") == Decision(
        DUE + 3 * HOUR, runs=False, missed=3, next_at=DUE + 4 * HOUR
    )


def test_the_last_moment_of_a_trigger_ends_it() -> None:
    trigger = every(hours=1, anchor=DUE, end=DUE + 2 * HOUR)
    assert decide(trigger, DUE, DUE + 9 * HOUR, "one") == Decision(
        DUE + 2 * HOUR, runs=True, missed=2, next_at=None
    )
    assert decide(trigger, DUE + 2 * HOUR, DUE + 9 * HOUR, "all").next_at is None


def test_a_year_of_seconds_takes_a_moment_and_is_counted_exactly() -> None:
    now = DUE + timedelta(days=365)
    assert decide(every(seconds=1), DUE, now, "one") == Decision(
        now, runs=True, missed=365 * 86_400, next_at=now + timedelta(seconds=1)
    )
    assert decide(every(seconds=1), DUE, now, "all").missed == 365 * 86_400 - 99
    assert decide(every(microseconds=1), DUE, now, "one").missed == 1_000_000_000


def test_missed_moments_of_a_cron_are_counted_up_to_a_bound() -> None:
    decision = decide(cron("* * * * *", "Europe/Amsterdam"), DUE, DUE + timedelta(days=365), "one")
    assert decision.at == DUE + timedelta(days=365)
    assert decision.missed == WALKED


def test_a_stored_moment_that_is_none_of_the_triggers_is_handled_all_the_same() -> None:
    """Rules of a zone may change between the day a moment was stored and the day it comes."""
    odd = DUE + timedelta(minutes=7)
    assert decide(HOURLY, odd, odd, "one") == Decision(odd, runs=True, missed=0, next_at=DUE + HOUR)
    assert decide(HOURLY, odd, DUE + HOUR, "one") == Decision(
        DUE + HOUR, runs=True, missed=1, next_at=DUE + 2 * HOUR
    )


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"catch_up 'oen' is unknown\. Did you mean 'one'"):
        decide(HOURLY, DUE, DUE, "oen")
