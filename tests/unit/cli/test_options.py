"""Words of a command line, and the values they become."""

from datetime import UTC, datetime, timedelta, timezone

import click
import pytest

from rota.cli.options import Filters, Moment, Tag, identifier, moment, tag
from rota.model.job import JobFilter
from rota.model.states import State

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("90", NOW - timedelta(seconds=90)),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T01:00+02:00", datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))),
        ("2026-01-01T01:00Z", datetime(2026, 1, 1, 1, tzinfo=UTC)),
    ],
)
def test_moments(text: str, at: datetime) -> None:
    assert moment(text).resolve(NOW) == at


@pytest.mark.parametrize("text", ["yesterday", "2 fortnights", "2026-13-01", ""])
def test_a_wrong_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no moment; give a moment such as"):
        moment(text)


def test_a_wrong_id_is_refused_with_an_example() -> None:
    with pytest.raises(click.BadParameter, match="'7' is no id; an id is like 0"):
        identifier("7")


@pytest.mark.parametrize("text", ["team", "=billing", ""])
def test_a_wrong_tag_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(click.BadParameter, match="give NAME=VALUE"):
        tag(text)


def test_a_tag_s_value_may_hold_anything() -> None:
    assert tag("url=a=b") == Tag("url", "a=b")
    assert tag("empty=") == Tag("empty", "")


def test_no_filter_means_any_job() -> None:
    assert Filters().resolve(NOW) == JobFilter()
    assert Filters().given == {}


def test_filters_become_a_filter() -> None:
    filters = Filters(
        state=(State.FAILED,), queue="mail", tag=Tag("a", "b"), since=Moment(None, timedelta(hours=1))
    )

    assert filters.resolve(NOW) == JobFilter(
        states=frozenset({State.FAILED}), queue="mail", tag=("a", "b"), since=NOW - timedelta(hours=1)
    )
    assert set(filters.given) == {"state", "queue", "tag", "since"}
