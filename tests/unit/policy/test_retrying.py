"""Retries: whether, and after how long."""

import asyncio
import pickle
from datetime import timedelta

import pytest

from rota.definitions.invocation import fault_of
from rota.model.errors import ConfigurationError
from rota.model.outcome import Failed, Fault, Retried
from rota.policy.retrying import Retry, decide


class ShopError(Exception):
    """A user's own."""

    class RefusedError(Exception):
        """A class inside a class."""


class GoneError(ShopError):
    """Derived from it."""


def delays(policy: Retry, count: int, random: float = 0.5) -> list[float]:
    return [policy.pause(failures, random).total_seconds() for failures in range(1, count + 1)]


def test_delays_double_from_a_second_to_an_hour() -> None:
    assert delays(Retry(20, jitter=0), 14) == [2**n for n in range(12)] + [3600, 3600]


def test_other_backoffs() -> None:
    assert delays(Retry(5, delay=10, backoff="constant", jitter=0), 3) == [10, 10, 10]
    assert delays(Retry(5, delay=10, backoff="linear", jitter=0), 3) == [10, 20, 30]
    assert delays(Retry(5, delay=timedelta(minutes=1), factor=10, jitter=0), 3) == [60, 600, 3600]


def test_jitter_spreads_both_ways_and_never_beyond_the_longest_delay() -> None:
    policy = Retry(5, delay=10, backoff="constant", jitter=0.2)
    assert [policy.pause(1, random).total_seconds() for random in (0, 0.5, 1)] == [8, 10, 12]
    capped = Retry(5, delay=100, max_delay=100, jitter=0.25)
    assert [capped.pause(1, random).total_seconds() for random in (0, 0.5, 1)] == [60, 80, 100]


def test_a_long_delay_needs_no_longer_cap() -> None:
    assert delays(Retry(3, delay=timedelta(hours=2)), 2) == [7200, 7200]


def test_a_delay_that_was_asked_for_wins_within_bounds() -> None:
    policy = Retry(5, delay=2, jitter=0.5, max_delay=60)
    assert policy.pause(1, 0, asked=90).total_seconds() == 90
    assert policy.pause(1, 1, asked=90).total_seconds() == 135
    assert policy.pause(9, 0, asked=5).total_seconds() == 5
    assert policy.pause(1, 0, asked=0).total_seconds() == 2
    assert policy.pause(1, 0, asked=1e9) == timedelta(hours=24)


@pytest.mark.parametrize(
    ("on", "never", "error", "covered"),
    [
        ((Exception,), (), GoneError(), True),
        ((ShopError,), (), GoneError(), True),
        ((GoneError,), (), ShopError(), False),
        ((Exception,), (ShopError,), GoneError(), False),
        ((Exception,), (GoneError,), ShopError(), True),
        ((OSError,), (ConnectionResetError,), ConnectionResetError(), False),
        (("OSError",), (), TimeoutError(), True),
        (("builtins.OSError",), (), TimeoutError(), True),
        ("OSError", (), TimeoutError(), True),
        (OSError, ValueError, TimeoutError(), True),
        ((f"{__name__}.ShopError",), (), GoneError(), True),
        ((f"{__name__}.ShopError.RefusedError",), (), ShopError.RefusedError(), True),
        ((ShopError.RefusedError,), (), ShopError(), False),
        ((Exception,), (), SystemExit(), False),
        ((BaseException,), (), SystemExit(), True),
        ((Exception,), (), asyncio.CancelledError(), False),
        ((), (), ValueError(), False),
    ],
)
def test_rules_match_classes_and_their_bases_by_qualified_name(
    on: tuple[type[BaseException] | str, ...],
    never: tuple[type[BaseException] | str, ...],
    error: BaseException,
    covered: bool,
) -> None:
    assert Retry(1, on=on, never=never).covers(fault_of(error)) is covered


def test_a_fault_without_classes_counts_as_an_exception() -> None:
    fault = Fault("Killed", "by the kernel")
    assert Retry(1).covers(fault)
    assert not Retry(1, on=(OSError,)).covers(fault)


@pytest.mark.parametrize(
    ("policy", "attempt", "crashes", "limit", "retried"),
    [
        (Retry(2), 1, 0, None, True),
        (Retry(2), 2, 0, None, True),
        (Retry(2), 3, 0, None, False),
        (Retry(2), 3, 1, None, True),
        (Retry(2), 5, 3, None, True),
        (Retry(2), 6, 3, None, False),
        (Retry(0), 1, 0, None, False),
        (None, 1, 0, None, False),
        (None, 1, 0, 2, True),
        (None, 2, 0, 2, False),
        (Retry(9), 1, 0, 1, False),
        (Retry(1), 4, 0, 5, True),
        (Retry(1, on=()), 1, 0, 5, False),
    ],
)
def test_attempts_that_count_are_those_that_did_not_crash(
    policy: Retry | None,
    attempt: int,
    crashes: int,
    limit: int | None,
    retried: bool,
) -> None:
    fault = fault_of(ValueError("x"))
    outcome = decide(policy, fault, attempt=attempt, crashes=crashes, max_attempts=limit, random=0.5)
    assert isinstance(outcome, Retried if retried else Failed)
    assert outcome.fault is fault


def test_a_crash_does_not_lengthen_the_next_delay() -> None:
    fault = Fault("ValueError", "x")
    outcome = decide(Retry(5, jitter=0), fault, attempt=4, crashes=2, max_attempts=None, random=0)
    assert outcome == Retried(timedelta(seconds=2), fault)


def test_it_is_a_value() -> None:
    policy = Retry(3, delay=30, on=(ShopError,))
    assert pickle.loads(pickle.dumps(policy)) == policy  # noqa: S301 - process executors carry it
    assert policy == Retry(3, delay=timedelta(seconds=30), on=[f"{__name__}.ShopError"])
    assert hash(policy) == hash(Retry(3, delay=30, on=(ShopError,)))
    with pytest.raises(AttributeError):
        policy.times = 4  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"times": -1}, "times=-1 is no count"),
        ({"times": 1.5}, "times=1.5 is no count"),
        ({"times": True}, "times=True is no count"),
        ({"delay": -1}, "delay=-1 is no delay. Give seconds or a timedelta, from 0 to 366 days"),
        ({"delay": float("nan")}, "delay=nan is no delay"),
        ({"delay": "1m"}, "delay='1m' is no delay"),
        ({"delay": 1e18}, "delay=1e[+]18 is no delay"),
        ({"backoff": "exponentail"}, "backoff='exponentail' is unknown. Did you mean 'exponential'"),
        ({"factor": 0.5}, "factor=0.5 is out of bounds. Give a number, 1 or more"),
        ({"factor": float("inf")}, "factor=inf is out of bounds"),
        ({"jitter": 1.1}, "jitter=1.1 is out of bounds. Give a number, from 0 to 1"),
        ({"delay": 60, "max_delay": 30}, "max_delay=30 is shorter than delay. Give 60 s or more"),
        ({"on": (ValueError, 3)}, "on=3 is no exception"),
        ({"never": (int,)}, "never=<class 'int'> is no exception"),
    ],
)
def test_bad_options_are_refused_by_name(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"Retry: {message}"):
        Retry(**{"times": 1, **options})  # type: ignore[arg-type]  # what a user without a type checker writes


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Retry(-1, delay=-1, jitter=2)
    assert len(caught.value.faults) == 3
