"""Arrays as text."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from rota.stores.postgres.literals import literals


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], "{}"),
        ([None, None], "{NULL,NULL}"),
        ([1, -(2**63)], "{1,-9223372036854775808}"),
        (
            ["a", "", "NULL", 'say "x"', "back\\slash", "{a,b}"],
            r'{"a","","NULL","say \"x\"","back\\slash","{a,b}"}',
        ),
        ([b"\x00\xff"], r'{"\\x00ff"}'),
        ([UUID(int=5)], "{00000000000000000000000000000005}"),
        ([datetime(2026, 1, 2, 3, tzinfo=UTC)], '{"2026-01-02T03:00:00+00:00"}'),
    ],
)
def test_a_list_becomes_the_text_of_an_array(values: list[Any], text: str) -> None:
    assert literals((values, "as", 1, None)) == (text, "as", 1, None)


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(TypeError, match="no array of dict"):
        literals(([{}],))
