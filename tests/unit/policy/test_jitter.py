"""A delay that is always the same for one schedule and tick."""

from datetime import UTC, datetime, timedelta

from rota.policy.jitter import jitter_of

DUE = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_it_is_the_same_whoever_asks() -> None:
    assert jitter_of("nightly", DUE, MINUTE) == timedelta(microseconds=55110617)


def test_it_is_below_its_span_and_spread() -> None:
    delays = [jitter_of(f"s{number}", DUE, MINUTE) for number in range(2000)]
    assert min(delays) >= timedelta(0)
    assert max(delays) < MINUTE
    quarters = [sum(delay // (MINUTE / 4) == quarter for delay in delays) for quarter in range(4)]
    assert all(400 < number < 600 for number in quarters)


def test_each_tick_has_its_own() -> None:
    assert len({jitter_of("nightly", DUE + number * MINUTE, MINUTE) for number in range(100)}) == 100


def test_none_is_none() -> None:
    assert jitter_of("nightly", DUE, timedelta(0)) == timedelta(0)
