"""Every change of clocks from 2000 to 2040 in thirty zones, as scripts/dst_table.py found them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rota.triggers.base import Trigger
from rota.triggers.business import business_days
from rota.triggers.calendar import calendar
from rota.triggers.cron import cron
from rota.triggers.interval import every
from rota.triggers.rrule import rrule
from rota.triggers.zones import Turn, turns
from scripts import dst_table
from tests.property import walls

ROWS = dst_table.read()
WINDOW = dst_table.WINDOW
DAILY: dict[str, Callable[..., Trigger]] = {
    "cron": lambda time, tz, **choice: cron(hour=int(time[:2]), minute=int(time[3:]), tz=tz, **choice),
    "calendar": lambda time, tz, **choice: calendar(days=1, at=time, tz=tz, **choice),
    "business_days": lambda time, tz, **choice: business_days(time, weekend=(), tz=tz, **choice),
    "rrule": lambda time, tz, **choice: rrule(
        f"FREQ=DAILY;BYHOUR={int(time[:2])};BYMINUTE={int(time[3:])}", tz=tz, **choice
    ),
}


def still_true(row: Mapping[str, str]) -> bool:
    """Whether this machine's time zone data says the same: governments change their minds."""
    at = datetime.fromisoformat(row["at"])
    before, after = (timedelta(minutes=int(row[side])) for side in ("before", "after"))
    change = walls.Change(at, before, after)
    return change in walls.changes(row["zone"])


def ticks(trigger: Trigger, row: Mapping[str, str]) -> str:
    at = datetime.fromisoformat(row["at"])
    found, tick = [], trigger.next_after(at - WINDOW)
    while tick is not None and tick <= at + WINDOW:
        found.append(f"{tick:%dT%H:%M}")
        tick = trigger.next_after(tick)
    return " ".join(found)


@pytest.mark.parametrize("kind", DAILY)
@pytest.mark.parametrize("column", dst_table.POLICIES)
def test_a_daily_time_at_every_change_ticks_as_the_clock_on_the_wall_says(kind: str, column: str) -> None:
    skipped, repeated = dst_table.POLICIES[column]
    choice: dict[str, Any] = {"skipped": skipped, "repeated": repeated}
    if column == "tick" and kind != "rrule":
        choice = {}  # what they do unless something else is chosen
    checked = [row for row in ROWS if still_true(row)]
    assert len(checked) > 0.9 * len(ROWS)
    different = [
        row for row in checked if ticks(DAILY[kind](row["time"], row["zone"], **choice), row) != row[column]
    ]
    assert different == []


@pytest.mark.parametrize("zone", dst_table.ZONES)
def test_wildcards_and_intervals_keep_elapsed_time_through_every_change(zone: str) -> None:
    for change in walls.changes(zone):
        start, end = change.at - WINDOW, change.at + WINDOW
        quarter = cron("*/15 * * * *", zone)
        assert quarter.count(start, end, 100) == every(minutes=15).count(start, end, 100) == 24


@pytest.mark.parametrize("zone", dst_table.ZONES)
def test_turns_are_all_changes(zone: str) -> None:
    first, last = datetime(2000, 1, 1, tzinfo=UTC), datetime(2040, 12, 31, tzinfo=UTC)
    assert turns(zone, first, last) == [Turn(*change) for change in walls.changes(zone)]


def test_the_table_in_the_docs_is_that_of_the_data() -> None:
    page = dst_table.PAGE.read_text()
    assert page.split(dst_table.BEGIN)[1].split(dst_table.END)[0] == dst_table.table(ROWS), (
        "run `python -m scripts.dst_table`"
    )
    assert len(dst_table.ZONES) >= 20
    assert {row["zone"] for row in ROWS} >= set(dst_table.ZONES) - {"Asia/Kolkata", "Asia/Tokyo"}
