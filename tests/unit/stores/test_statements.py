"""Named SQL."""

import pytest

from rota.stores.statements import parse

TEXT = """-- What this file is about.

-- name: first
-- Read one thing.
select '{}'::jsonb
-- an aside
from {schema}.things where a = $1;

-- name: second
-- Remove one thing.
delete from {schema}.things
"""


def test_statements_are_found_by_name_with_placeholders_filled_and_comments_left_out() -> None:
    assert parse(TEXT, {"schema": '"s"'}) == {
        "first": "select '{}'::jsonb\nfrom \"s\".things where a = $1",
        "second": 'delete from "s".things',
    }


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("-- name: bare\nselect 1", "does not say what it is for"),
        ("-- name: two\n-- a\nselect 1\n-- name: two\n-- a\nselect 1", "stands twice"),
        ("-- name: odd\n-- a\nselect {nobody}", "unknown placeholder {nobody}"),
    ],
)
def test_a_faulty_file_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse(text, {})
