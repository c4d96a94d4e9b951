"""Lines of an export: what is wrong with one is told by its number, and nothing comes of the others."""

from collections.abc import AsyncIterator
from typing import Any, cast

import msgspec
import pytest

from rota.model.errors import ExportFileError, StoreNotEmptyError
from rota.model.states import State
from rota.model.transfer import Header
from rota.operations.transfer import at_rest, restore
from rota.ports.store import Store
from rota.ports.transfer import Page
from tests.unit.operations.records import a_record

TITLE = {
    "rota": "export",
    "format": 1,
    "store": "sqlite",
    "store_id": "a",
    "schema": 1,
    "at": "2026-01-05T12:00:00Z",
    "counts": {"scope": 2},
}
SCOPES = [b'{"scope":{"scope":"task:a","capacity":1}}\n', b'{"scope":{"scope":"task:b","capacity":2}}\n']


class FakeStore:
    """Takes pages, or refuses."""

    def __init__(self, error: Exception | None = None) -> None:
        self.transfer, self.error, self.taken = self, error, list[Any]()

    async def load(self, header: Header, pages: AsyncIterator[Page]) -> None:
        assert header.store == "sqlite"
        if self.error is not None:
            raise self.error
        found = [record async for page in pages for record in page]
        self.taken = found


def title(**fields: Any) -> bytes:
    return msgspec.json.encode(TITLE | fields) + b"\n"


async def refusal(*lines: bytes, error: Exception | None = None) -> str:
    store = FakeStore(error)
    with pytest.raises(ExportFileError) as caught:
        await restore(cast("Store", store), lines, max)
    assert store.taken == []
    assert str(caught.value).endswith("Nothing was imported")
    return str(caught.value)


async def test_all_lines_arrive_and_progress_is_told() -> None:
    store, told = FakeStore(), list[tuple[int, int]]()
    counts = await restore(
        cast("Store", store), [title(), *SCOPES], lambda done, total: told.append((done, total))
    )
    assert counts == {"scope": 2}
    assert [one.capacity for one in store.taken] == [1, 2]
    assert told[-1] == (2, 2)


@pytest.mark.parametrize(
    "line",
    [b"", b"\n", b"SQLite format 3\0", b"-- a dump\n", b'{"rota": "export"}\n', b"[]\n", b'{"job": {}}\n'],
)
async def test_another_file_is_no_export(line: bytes) -> None:
    assert "line 1: this is no export of Rota" in await refusal(line)


async def test_an_empty_file_is_no_export() -> None:
    assert "line 1: this is no export of Rota" in await refusal()


async def test_another_format_is_refused_before_anything_is_read() -> None:
    assert "line 1: its format is 2 and this Rota reads 1" in await refusal(title(format=2), b"?")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"scope":{"scope":"task:b","capa', "the record is damaged"),
        (b"\n", "the record is damaged"),
        (b"{}\n", "the record is damaged"),
        (b'{"scope":{"scope":"task:b","capacity":"many"}}\n', r"Expected `int`, got `str` - at `$.capacity`"),
        (b'{"scope":{"scope":"task:b"}}\n', "missing required field `capacity`"),
        (b'{"scope":{"scope":"task:b","capacity":2,"speed":3}}\n', "scope has no field 'speed'"),
        (b'{"sloth":{}}\n', "no record is of kind 'sloth'"),
        (SCOPES[0] + b"{}", "the record is damaged"),
    ],
)
async def test_a_damaged_line_is_named(line: bytes, reason: str) -> None:
    text = await refusal(title(), SCOPES[0], line)
    assert text.startswith("line 3: ")
    assert reason in text


async def test_a_cut_file_is_told_by_its_counts() -> None:
    assert "line 3: the file ends after 1 of 2 records of kind scope" in await refusal(title(), SCOPES[0])


async def test_what_the_store_refuses_has_the_line_reached() -> None:
    text = await refusal(title(), *SCOPES, error=ValueError("two of one id"))
    assert "line 1: the store refuses this record or one before it: two of one id" in text


async def test_a_refusal_of_the_store_itself_stays_what_it_is() -> None:
    with pytest.raises(StoreNotEmptyError, match="ROTA_SCHEMA"):
        await restore(cast("Store", FakeStore(StoreNotEmptyError(["job"]))), [title(), *SCOPES], max)


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_only_running_jobs_are_changed(state: State) -> None:
    job = a_record(state=state, attempt=3, token=5, slots=("task:a",))
    assert at_rest(job) is job
