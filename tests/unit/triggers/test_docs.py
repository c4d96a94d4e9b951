"""docs/time.md: its examples mean something, and other crons differ as it says."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from croniter import CroniterBadDateError, croniter
from cronsim import CronSim, CronSimError

import rota
from rota.triggers.base import Jittered
from rota.triggers.cron import cron
from rota.triggers.parse import parse

PAGE = (Path(__file__).parents[3] / "docs" / "time.md").read_text()
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
SPRING = datetime(2026, 3, 28, 22, tzinfo=UTC).astimezone(AMSTERDAM)
AUTUMN = datetime(2026, 10, 24, 20, tzinfo=UTC).astimezone(AMSTERDAM)
SECOND_PASS = datetime(2026, 10, 25, 1, tzinfo=UTC).astimezone(AMSTERDAM)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)

TABLE = PAGE.split("## Triggers")[1].split("All of them take")[0]
WRITTEN = [
    code for line in TABLE.splitlines() for code in re.findall(r"`([a-z_]+\(.*?\))`", line.split(" | ")[0])
]
TEXTS = re.findall(r"`([^`]+)`", PAGE.split("a short form are understood: ")[1].split(". `str")[0])
NAMES = {name: getattr(rota, name) for name in rota.__all__} | {
    "UTC": UTC,
    "date": date,
    "datetime": datetime,
    "moment": NEW_YEAR,
    "dates": [NEW_YEAR.date()],
    "a": rota.every(hours=2),
    "b": rota.every(hours=3),
}


@pytest.mark.parametrize("code", WRITTEN)
def test_each_trigger_of_the_table_can_be_made(code: str) -> None:
    assert isinstance(eval(code, NAMES), Jittered)  # noqa: S307 - our own page


def test_no_trigger_is_missing_from_the_table() -> None:
    makers = {"once", "every", "cron", "calendar", "rrule", "business_days", "any_of", "all_of", "excluding"}
    assert {code.split("(")[0] for code in WRITTEN} == makers
    assert makers <= set(rota.__all__)


@pytest.mark.parametrize("text", TEXTS)
def test_each_short_form_is_read(text: str) -> None:
    assert len(TEXTS) == 6
    assert isinstance(parse(text), Jittered)


def test_the_examples_of_turned_clocks() -> None:
    block = PAGE.split("```python\n")[1].split("```")[0].splitlines()
    spring, skipped, second, _ = (eval(line, NAMES) for line in block)  # noqa: S307 - our own page
    assert spring.next_after(SPRING) == datetime(2026, 3, 29, 3, tzinfo=AMSTERDAM)
    assert skipped.next_after(SPRING) == datetime(2026, 3, 30, 2, 30, tzinfo=AMSTERDAM)
    assert second.next_after(AUTUMN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


Next = Callable[[str, datetime], datetime]


def ours(line: str, start: datetime) -> datetime:
    tick = cron(line, getattr(start.tzinfo, "key", "UTC")).next_after(start)
    assert tick is not None
    return tick


def cronsim(line: str, start: datetime) -> datetime:
    return next(CronSim(line, start))


def of_croniter(line: str, start: datetime) -> datetime:
    tick: datetime = croniter(line, start).get_next(datetime)
    return tick


def apscheduler(line: str, start: datetime) -> Any:
    return CronTrigger.from_crontab(line, start.tzinfo).get_next_fire_time(None, start)


@pytest.mark.parametrize(
    ("line", "start", "found"),
    [
        ("30 2 * * *", SPRING, "29T01:00 29T01:00 29T01:00 29T01:30"),
        ("30 2 * * *", SECOND_PASS, "26T01:30 25T00:30 25T01:30 25T01:30"),
        ("*/30 2 * * *", SPRING, "30T00:00 30T00:00 29T01:00 29T01:00"),
        ("0 2,3 * * *", SPRING, "29T01:00 29T01:00 29T01:00 29T01:00"),
        ("0 0 */2 * 1", NEW_YEAR, "05T00:00 05T00:00 03T00:00 13T00:00"),
        ("0 0 1,* * 1", NEW_YEAR, "02T00:00 02T00:00 05T00:00 06T00:00"),
        ("0 0 * * 1/2", datetime(2026, 1, 3, 12, tzinfo=UTC), "04T00:00 04T00:00 05T00:00 06T00:00"),
        ("0 8 * * 1", NEW_YEAR, "05T08:00 05T08:00 05T08:00 06T08:00"),
        ("0-0/2 0 * * *", NEW_YEAR, "02T00:00 01T00:02 01T00:02 01T00:00"),
    ],
)
def test_next_of_rota_cronsim_croniter_and_apscheduler(line: str, start: datetime, found: str) -> None:
    crons: list[Next] = [ours, cronsim, of_croniter, apscheduler]
    assert " ".join(f"{next_(line, start).astimezone(UTC):%dT%H:%M}" for next_ in crons) == found


def test_what_the_others_take_or_refuse() -> None:
    assert of_croniter("0 22-2 * * *", NEW_YEAR) == NEW_YEAR.replace(hour=1)
    assert cronsim("*/90 * * * *", NEW_YEAR) == of_croniter("*/90 * * * *", NEW_YEAR)
    assert of_croniter("0 0 1 12-12 *", NEW_YEAR) == NEW_YEAR.replace(month=2)
    for line in ("0 22-2 * * *", "0 0 31 2 *", "0 0 15W * *", "0 0 * * L5", "@daily"):
        with pytest.raises(CronSimError):
            cronsim(line, NEW_YEAR)
    with pytest.raises(CroniterBadDateError):
        of_croniter("0 0 31 2 *", NEW_YEAR)
    assert apscheduler("0 0 31 2 *", NEW_YEAR) is None
    assert [tick.hour for tick in (cronsim("0 30 2 * * *", SPRING), of_croniter("30 2 * * *", SPRING))] == [
        2,
        3,
    ]
