"""`rrule`: RFC 5545, read by python-dateutil; the RFC's own examples."""

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rota.model.errors import ConfigurationError, TriggerError
from rota.triggers import rrule as module
from rota.triggers.parse import from_json
from rota.triggers.rrule import rrule

NEW_YORK = ZoneInfo("America/New_York")
START = datetime(1997, 9, 2, 9, tzinfo=NEW_YORK)


def following(rule: str, count: int, after: datetime | None = None, **options: Any) -> list[str]:
    trigger, shown = rrule(rule, **({"start": START} | options)), []
    moment = after or START - timedelta(days=1)
    for _ in range(count):
        tick = trigger.next_after(moment)
        if tick is None:
            break
        shown.append(tick.astimezone(NEW_YORK).strftime("%Y-%m-%d %H:%M"))
        moment = tick
    return shown


@pytest.mark.parametrize(
    ("rule", "ticks"),
    [
        ("FREQ=DAILY;COUNT=3", ["1997-09-02 09:00", "1997-09-03 09:00", "1997-09-04 09:00"]),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU", ["1997-09-02 09:00", "1997-09-16 09:00", "1997-09-30 09:00"]),
        ("FREQ=MONTHLY;BYDAY=1FR;COUNT=2", ["1997-09-05 09:00", "1997-10-03 09:00"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-3", ["1997-09-28 09:00", "1997-10-29 09:00", "1997-11-28 09:00"]),
        ("FREQ=YEARLY;BYDAY=20MO", ["1998-05-18 09:00", "1999-05-17 09:00", "2000-05-15 09:00"]),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", ["1998-05-11 09:00", "1999-05-17 09:00"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", ["1998-02-13 09:00", "1998-03-13 09:00", "1998-11-13 09:00"]),
        ("FREQ=MONTHLY;COUNT=2;BYDAY=TU,WE,TH;BYSETPOS=3", ["1997-09-04 09:00", "1997-10-07 09:00"]),
        ("FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z", ["1997-09-02 09:00", "1997-09-02 12:00"]),
        ("FREQ=MINUTELY;INTERVAL=90;COUNT=2", ["1997-09-02 09:00", "1997-09-02 10:30"]),
        ("FREQ=YEARLY", ["1997-09-02 09:00", "1998-09-02 09:00"]),
        ("FREQ=DAILY;UNTIL=19970903", ["1997-09-02 09:00", "1997-09-03 09:00"]),
    ],
)  # fmt: skip
def test_examples_of_the_rfc(rule: str, ticks: list[str]) -> None:
    more = "COUNT" not in rule and "UNTIL" not in rule
    assert following(rule, len(ticks) + (not more)) == ticks


@pytest.mark.parametrize(
    ("rule", "tick"),
    [
        ("FREQ=YEARLY;INTERVAL=3", "2027-09-02 09:00"),
        ("FREQ=MONTHLY;INTERVAL=5", "2026-11-02 09:00"),
        ("FREQ=WEEKLY;INTERVAL=7", "2026-07-07 09:00"),
        ("FREQ=SECONDLY;INTERVAL=40", "2026-07-01 00:00"),
    ],
)
def test_long_after_its_start_it_keeps_the_phase_and_does_not_walk(rule: str, tick: str) -> None:
    after = datetime(2026, 7, 1, tzinfo=NEW_YORK) - timedelta(seconds=1)
    started = time.perf_counter()
    assert following(rule, 1, after) == [tick]
    assert time.perf_counter() - started < 5


def test_skipped_times_are_left_out_and_not_counted_and_repeated_ones_tick_first() -> None:
    spring = datetime(2026, 3, 7, 2, 30, tzinfo=NEW_YORK)
    assert following("FREQ=DAILY;COUNT=3", 9, spring - timedelta(1), start=spring) == [
        "2026-03-07 02:30",
        "2026-03-09 02:30",
        "2026-03-10 02:30",
    ]
    assert following("FREQ=DAILY;COUNT=3", 9, spring - timedelta(1), start=spring, skipped="shift") == [
        "2026-03-07 02:30",
        "2026-03-08 03:00",
        "2026-03-09 02:30",
    ]
    autumn = rrule("FREQ=DAILY;BYHOUR=1;BYMINUTE=30", tz="America/New_York")
    assert autumn.next_after(datetime(2026, 11, 1, tzinfo=UTC)) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_dtstart_gives_start_and_zone() -> None:
    written = rrule("DTSTART;TZID=America/New_York:19970902T090000\nRRULE:FREQ=DAILY;INTERVAL=2")
    assert written == rrule("FREQ=DAILY;INTERVAL=2", start=START)
    assert written.tz == "America/New_York"
    assert rrule("DTSTART:19970902T130000Z RRULE:FREQ=DAILY").tz == "UTC"
    assert rrule("FREQ=DAILY").in_zone("Asia/Tokyo") == rrule("FREQ=DAILY", tz="Asia/Tokyo")


def test_json_and_text() -> None:
    trigger = rrule("freq=weekly;byday=mo;until=20261231T000000Z", start=START, jitter=5)
    assert trigger.to_json() == {
        "kind": "rrule",
        "rule": "FREQ=WEEKLY;BYDAY=MO",
        "tz": "America/New_York",
        "start": "1997-09-02T13:00:00Z",
        "end": "2026-12-31T00:00:00Z",
        "jitter": "PT5S",
    }
    assert from_json(trigger.to_json()) == trigger
    assert str(rrule("FREQ=WEEKLY;BYDAY=MO", tz="UTC")) == "rrule FREQ=WEEKLY;BYDAY=MO UTC"


def test_it_ends_with_its_count_and_with_the_calendar() -> None:
    assert rrule("FREQ=DAILY;COUNT=2", start=START).next_after(START + timedelta(days=1)) is None
    assert rrule("FREQ=YEARLY").next_after(datetime(9999, 6, 1, tzinfo=UTC)) is None
    assert rrule("FREQ=DAILY;COUNT=10000", start=START).count(START, START + timedelta(days=90), 99) == 90


@pytest.mark.parametrize(
    ("rule", "options", "message"),
    [
        ("", {}, "rule '' is empty, given twice or unknown"),
        ("FREQ=OFTEN", {}, "FREQ 'OFTEN' is unknown. Choose YEARLY"),
        ("FREQ=DAILY;FREQ=DAILY", {}, "FREQ 'FREQ=DAILY' is empty, given twice"),
        ("FREQ=DAILY;BYEASTER=1", {}, "BYEASTER .* unknown"),
        ("FREQ=DAILY;BYFOO=1", {}, "rule .* cannot be read: .*BYFOO.* See RFC 5545"),
        ("FREQ=DAILY;BYHOUR=25", {}, "rule 'FREQ=DAILY;BYHOUR=25'"),
        ("FREQ=DAILY;INTERVAL=0", {}, "INTERVAL '0' is out of bounds"),
        ("FREQ=DAILY;COUNT=10001", {"start": START}, "COUNT '10001' is out of bounds. Give 1 to 10,000"),
        ("FREQ=DAILY;COUNT=5", {}, "start None is missing. COUNT needs a start"),
        ("FREQ=DAILY;UNTIL=tomorrow", {}, "UNTIL 'TOMORROW' is no date and time"),
        ("FREQ=DAILY;UNTIL=20260101", {"end": START}, "end .* stands beside UNTIL"),
        ("DTSTART:20260101T000000Z RRULE:FREQ=DAILY", {"start": START}, "start .* stands beside DTSTART"),
        ("RRULE:FREQ=DAILY RRULE:FREQ=WEEKLY", {}, "has more than one rule. Join them by any_of"),
        ("RRULE:FREQ=DAILY EXDATE:20260101T000000Z", {}, "has a line EXDATE. .*excluding"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", {}, "rule .* has no tick within 100 years"),
        ("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", {}, "rule .* has no tick within 100 years"),
        ("FREQ=DAILY", {"start": START, "end": START - timedelta(1)}, "end .* is before start"),
        ("FREQ=DAILY", {"tz": "Mars"}, "tz 'Mars' is not known"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(rule: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(TriggerError, match=message):
        rrule(rule, **options)


def test_without_python_dateutil_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    module._base.cache_clear()
    monkeypatch.setitem(sys.modules, "dateutil.rrule", None)
    with pytest.raises(ConfigurationError, match=r"rrule needs python-dateutil: pip install 'rota\[rrule\]'"):
        rrule("FREQ=DAILY")
