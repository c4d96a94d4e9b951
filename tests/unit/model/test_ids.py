"""Identifiers that sort by their making, and tokens that nobody guesses."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.model import ids
from rota.model.ids import new_id, new_token

MILLISECOND = 1_000_000
# An instant in 2026, far from the ends of what 48 bits of milliseconds hold.
NOON = 1_767_614_400 * 1_000 * MILLISECOND


@pytest.fixture
def last_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the ids made before, until the test is over."""
    monkeypatch.setattr(ids, "_last_tick", 0)


def at(nanoseconds: int, monkeypatch: pytest.MonkeyPatch) -> UUID:
    monkeypatch.setattr(time, "time_ns", lambda: nanoseconds)
    return new_id()


def milliseconds(made: UUID) -> int:
    return made.int >> 80


def fraction(made: UUID) -> int:
    return made.int >> 64 & 0xFFF


def test_it_is_version_7_of_the_rfc() -> None:
    made = new_id()
    assert made.version == 7
    assert made.variant == RFC_4122


def test_ids_of_one_process_sort_in_the_order_of_their_making() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_of_many_threads_are_all_different() -> None:
    with ThreadPoolExecutor(8) as threads:
        shares = list(threads.map(lambda _: [new_id() for _ in range(500)], range(16)))
    assert all(share == sorted(share) for share in shares)
    assert len({made for share in shares for made in share}) == 8_000


@pytest.mark.usefixtures("last_tick")
def test_it_begins_with_the_milliseconds_since_1970(monkeypatch: pytest.MonkeyPatch) -> None:
    assert milliseconds(at(NOON + 5 * MILLISECOND, monkeypatch)) == NOON // MILLISECOND + 5


@pytest.mark.usefixtures("last_tick")
def test_twelve_bits_follow_that_divide_the_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    halves = [fraction(at(NOON + part, monkeypatch)) for part in (0, MILLISECOND // 2, MILLISECOND - 1)]
    assert halves == [0, 2048, 4095]


@pytest.mark.usefixtures("last_tick")
def test_ids_of_one_instant_step_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [at(NOON, monkeypatch) for _ in range(5_000)]
    assert made == sorted(made)
    assert milliseconds(made[-1]) == NOON // MILLISECOND + 1


@pytest.mark.usefixtures("last_tick")
def test_a_clock_that_is_set_back_does_not_turn_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = at(NOON, monkeypatch), at(NOON - 3_600_000 * MILLISECOND, monkeypatch)
    assert first < second


@given(moments=st.lists(st.integers(0, 2**47 * MILLISECOND), min_size=2, max_size=50))
def test_whatever_the_clock_does_ids_rise(moments: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids, "_last_tick", 0)
        made = [at(moment, patch) for moment in moments]
    assert made == sorted(made)
    assert {one.version for one in made} == {7}
    assert {one.variant for one in made} == {RFC_4122}


def test_tokens_fit_a_signed_column_and_are_never_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = {new_token() for _ in range(10_000)}
    assert len(tokens) == 10_000
    assert all(0 < token < 2**63 for token in tokens)
    monkeypatch.setattr(secrets, "randbits", lambda _bits: 0)
    assert new_token() == 1
