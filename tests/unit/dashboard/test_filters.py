"""Filters of jobs as they stand in addresses."""

from datetime import UTC, datetime, timedelta

import pytest
from starlette.datastructures import QueryParams

from rota.dashboard.filters import read_filters
from rota.model.states import LIVE, State

NOW = datetime(2026, 1, 2, 3, tzinfo=UTC)


def test_an_address_is_read_and_written_again() -> None:
    query = "state=failed&state=ready&queue=mail&tag=a%3Db&since=2h"
    filters = read_filters(QueryParams(query), NOW)
    assert filters.faults == {}
    assert filters.which.states == {State.FAILED, State.READY}
    assert filters.which.queue == "mail"
    assert filters.which.tag == ("a", "b")
    assert filters.which.since == NOW - timedelta(hours=2)
    assert filters.query == query
    assert filters.narrowed(LIVE).states == {State.READY}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=bogus", "state"),
        ("tag=a", "tag"),
        ("parent=1", "parent"),
        ("since=soon", "since"),
        ("until=99999999999999d", "until"),
        ("since=0001-01-01T00:00%2B05:00", "since"),
        ("task=%00", "task"),
    ],
)
def test_what_is_wrong_is_told_by_field_and_kept_as_it_was_typed(query: str, field: str) -> None:
    filters = read_filters(QueryParams(query), NOW)
    assert set(filters.faults) == {field}
    assert filters.query == query.replace(":", "%3A")
