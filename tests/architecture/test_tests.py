"""Rules for the tests themselves."""

import re

from tests.architecture.sources import files_of_tests, place

# `asyncio.sleep(0)` only lets others run.
SLEEP = re.compile(r"\b(time\.sleep|asyncio\.sleep|anyio\.sleep)\((?!0\))")


def test_a_sleep_has_its_reason_on_its_line() -> None:
    assert [
        place(path, number)
        for path in files_of_tests()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if SLEEP.search(line) and "#" not in line
    ] == []
