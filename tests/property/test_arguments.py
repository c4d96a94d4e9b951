"""Whatever JSON can carry arrives as it was given; whatever it cannot is refused before it is stored."""

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rota.definitions.arguments import Arguments
from rota.definitions.secret import Keyring
from rota.model.errors import ArgumentsError

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def fits(value: Any) -> bool:
    """Say what may travel, independently of the code under test."""
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list):
        return all(fits(item) for item in value)
    return all(fits(key) and fits(item) for key, item in value.items())


def task(value: Any) -> None:
    """Take anything."""


CODEC = Arguments("task", task, resources={}, keyring=Keyring())


@given(VALUES)
def test_json_values_travel_unchanged_or_are_refused(value: Any) -> None:
    try:
        payload = CODEC.encode((value,), {})
    except ArgumentsError:
        assert not fits(value)
        return
    assert fits(value)
    assert CODEC.decode(payload) == ((value,), {})
