"""Properties of the decisions: bounds that hold for any policy, and results that depend on nothing hidden."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rota.model.outcome import Failed, Fault, Retried
from rota.policy.prefetch import Prefetch
from rota.policy.queue_order import QueueOrder
from rota.policy.retry_after import parse_retry_after
from rota.policy.retrying import Retry, decide

FAULT = Fault("ValueError", "x", kinds=("builtins.ValueError", "builtins.Exception"))
randoms = st.floats(0, 1)
policies = st.builds(
    Retry,
    st.integers(0, 50),
    delay=st.floats(0, 3000),
    backoff=st.sampled_from(["exponential", "linear", "constant"]),
    factor=st.floats(1, 1e9),
    max_delay=st.floats(3000, 30_000_000),
    jitter=st.floats(0, 1),
)


@given(policy=policies, failures=st.integers(1, 10_000), random=randoms)
def test_a_computed_delay_is_bounded(policy: Retry, failures: int, random: float) -> None:
    pause = policy.pause(failures, random)
    # A microsecond: floats and timedeltas round.
    assert timedelta(0) <= pause <= policy.max_delay + timedelta(microseconds=1)
    assert pause >= min(policy.delay, policy.max_delay / 2) * (1 - policy.jitter) - timedelta(microseconds=1)


@given(policy=policies, failures=st.integers(1, 10_000), random=randoms)
def test_delays_never_shrink_with_failures(policy: Retry, failures: int, random: float) -> None:
    assert policy.pause(failures, random) <= policy.pause(failures + 1, random)


@given(policy=policies, failures=st.integers(1, 100), random=randoms, asked=st.floats(0, 1e12))
def test_a_delay_that_was_asked_for_is_never_shortened_below_a_day(
    policy: Retry, failures: int, random: float, asked: float
) -> None:
    pause = policy.pause(failures, random, asked)
    assert pause <= timedelta(hours=24)
    assert pause == timedelta(hours=24) or pause >= timedelta(seconds=asked) - timedelta(microseconds=1)


@given(policy=policies, crashes=st.lists(st.booleans(), max_size=200), limit=st.none() | st.integers(1, 60))
def test_a_task_that_always_fails_is_tried_as_often_as_promised(
    policy: Retry, crashes: list[bool], limit: int | None
) -> None:
    """Crashes (True) come in between as they like; they never use up an attempt."""
    script, attempt, crashed, tried = iter(crashes), 0, 0, 0
    while True:
        attempt += 1
        if next(script, False):
            crashed += 1
            continue
        tried += 1
        outcome = decide(policy, FAULT, attempt=attempt, crashes=crashed, max_attempts=limit, random=0.5)
        if isinstance(outcome, Failed):
            break
        assert isinstance(outcome, Retried)
    assert tried == (policy.times + 1 if limit is None else limit)


@given(seconds=st.integers(0, 10**7), at=st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 - UTC below
def test_a_date_in_the_future_asks_for_the_time_until_then(seconds: int, at: datetime) -> None:
    now = at.replace(microsecond=0, tzinfo=UTC)
    header = (now + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert parse_retry_after(header, now) == seconds
    assert parse_retry_after(str(seconds), now) == seconds


@given(text=st.text(max_size=60))
def test_no_header_breaks_it(text: str) -> None:
    seconds = parse_retry_after(text, datetime(2026, 1, 1, tzinfo=UTC))
    assert seconds is None or 0 <= seconds <= 366 * 86_400


weights = st.dictionaries(st.text(min_size=1, max_size=5), st.floats(1e-6, 1e6), min_size=1, max_size=8)


@given(weights=weights, seed=st.integers())
def test_every_draw_is_an_order_of_all_queues(weights: dict[str, float], seed: int) -> None:
    order = QueueOrder(tuple(weights), weights)
    assert sorted(order.draw(Random(seed))) == sorted(weights)
    assert order.draw(Random(seed)) == order.draw(Random(seed))


@given(durations=st.lists(st.floats(0, 100), min_size=1, max_size=200))
def test_the_average_lies_among_the_durations(durations: list[float]) -> None:
    pace = Prefetch()
    for seconds in durations:
        pace = pace.after(seconds)
    assert min(durations) - 1e-9 <= pace.average <= max(durations) + 1e-9
    assert pace.extra() in {0, Prefetch.LARGEST}


@given(first=st.floats(0, 1), then=st.floats(0, 1), jobs=st.integers(1, 300))
def test_a_group_counts_as_its_jobs_one_by_one(first: float, then: float, jobs: int) -> None:
    one_by_one = together = Prefetch().after(first, Prefetch.PROOF)
    for _ in range(jobs):
        one_by_one = one_by_one.after(then)
    assert together.after(then, jobs).average == pytest.approx(one_by_one.average, abs=1e-9)


@given(slow=st.floats(0.2, 10), short=st.floats(0, 0.009))
def test_one_slow_job_always_ends_the_prefetch(slow: float, short: float) -> None:
    busy = Prefetch().after(short, 1000)
    assume(busy.extra())
    assert busy.after(slow).extra() == 0
