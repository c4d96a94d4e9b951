"""Which policies there are, and which do not go together."""

import pytest

from rota.model.errors import ConfigurationError
from rota.policy.overlap import MOST_WAITING, check_policies, room


@pytest.mark.parametrize(
    ("overlap", "most"),
    [("skip", 1), ("queue", MOST_WAITING), ("cancel_running", MOST_WAITING), ("allow", None)],
)
def test_how_many_unfinished_jobs_a_tick_allows(overlap: str, most: int | None) -> None:
    assert room(overlap) == most


@pytest.mark.parametrize("catch_up", ["one", "all", "none"])
@pytest.mark.parametrize("overlap", ["skip", "queue", "cancel_running", "allow"])
def test_the_products_of_both(catch_up: str, overlap: str) -> None:
    if catch_up == "all" and overlap in {"skip", "cancel_running"}:
        with pytest.raises(ConfigurationError, match=r"Choose overlap 'queue' or 'allow'"):
            check_policies("ping", catch_up, overlap)
    else:
        check_policies("ping", catch_up, overlap)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        check_policies("ping", "on", "alow")
    assert "catch_up 'on' is unknown. Did you mean 'one'" in str(refused.value)
    assert "overlap 'alow' is unknown. Did you mean 'allow'" in str(refused.value)
