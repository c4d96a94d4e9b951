"""Which migrations are due, and what their files say."""

import pytest

from rota.stores.migrations import Migration, due, load, names, parse

FIRST = Migration(1, "0001_first.pre.sql", post=False, oldest=1, sql="")
MORE = Migration(2, "0002_more.pre.sql", post=False, oldest=1, sql="")
LESS = Migration(3, "0003_less.post.sql", post=True, oldest=3, sql="")
LAST = Migration(4, "0004_last.pre.sql", post=False, oldest=3, sql="")


@pytest.mark.parametrize(
    ("known", "version", "post", "expected"),
    [
        ([FIRST], 0, False, [FIRST]),
        ([FIRST], 1, False, []),
        ([FIRST, MORE, LESS], 1, False, [MORE]),
        ([FIRST, MORE, LESS], 2, False, []),
        ([FIRST, MORE, LESS], 2, True, [LESS]),
        ([FIRST, MORE, LESS], 0, True, [FIRST, MORE, LESS]),
        # What comes later was written on top of it.
        ([FIRST, MORE, LESS, LAST], 1, False, [MORE, LESS, LAST]),
    ],
)
def test_what_is_due(known: list[Migration], version: int, post: bool, expected: list[Migration]) -> None:
    assert due(known, version, post=post) == expected


def test_names_are_of_all_that_lacks() -> None:
    assert names([FIRST, MORE, LESS], 1) == (MORE.name, LESS.name)


def test_a_file_says_what_it_is() -> None:
    sql = "-- Find them.\n-- oldest: 2\n-- apart\ncreate index concurrently …;\n"
    assert parse("0012_find.pre.sql", sql) == Migration(
        12, "0012_find.pre.sql", post=False, oldest=2, sql=sql, apart=True
    )
    assert not parse("0012_find.post.sql", "-- oldest: 2\n").apart


@pytest.mark.parametrize(
    ("name", "sql"),
    [("12_x.pre.sql", "-- oldest: 1\n"), ("0012_x.sql", "-- oldest: 1\n"), ("0012_x.pre.sql", "")],
)
def test_a_file_that_does_not_is_refused(name: str, sql: str) -> None:
    with pytest.raises(ValueError, match=r"misnamed or lacks its line `-- oldest: N`"):
        parse(name, sql)


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_those_of_a_store_are_numbered_without_a_gap(store: str) -> None:
    found = load(f"rota.stores.{store}.migrations")
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    assert all(one.oldest <= one.number for one in found)
