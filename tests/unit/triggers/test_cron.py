"""`cron`: what crontab(5) says, in words of examples."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rota.model.errors import TriggerError
from rota.triggers.cron import Cron, cron

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday


def following(trigger: Cron, after: datetime, count: int) -> list[str]:
    """Return the next ticks as a clock in the trigger's zone shows them."""
    shown, moment = [], after
    for _ in range(count):
        tick = trigger.next_after(moment)
        assert tick is not None
        shown.append(tick.astimezone(ZoneInfo(trigger.tz or "UTC")).strftime("%a %Y-%m-%d %H:%M %z"))
        moment = tick
    return shown


@pytest.mark.parametrize(
    ("expression", "ticks"),
    [
        ("0 8 * * 1", ["Mon 2026-01-05 08:00", "Mon 2026-01-12 08:00"]),
        ("0 8 * * 0", ["Sun 2026-01-04 08:00", "Sun 2026-01-11 08:00"]),
        ("0 8 * * 7", ["Sun 2026-01-04 08:00", "Sun 2026-01-11 08:00"]),
        ("0 8 * * MON", ["Mon 2026-01-05 08:00", "Mon 2026-01-12 08:00"]),
        ("0 8 * * fri-sun", ["Fri 2026-01-02 08:00", "Sat 2026-01-03 08:00", "Sun 2026-01-04 08:00"]),
        ("0 8 * * sun-sun", ["Sun 2026-01-04 08:00", "Sun 2026-01-11 08:00"]),
        ("0 8 * * 5-7", ["Fri 2026-01-02 08:00", "Sat 2026-01-03 08:00", "Sun 2026-01-04 08:00"]),
        ("*/20 * * * *", ["Thu 2026-01-01 00:20", "Thu 2026-01-01 00:40", "Thu 2026-01-01 01:00"]),
        ("5/25 * * * *", ["Thu 2026-01-01 00:05", "Thu 2026-01-01 00:30", "Thu 2026-01-01 00:55"]),
        ("0 9-17/4 * * *", ["Thu 2026-01-01 09:00", "Thu 2026-01-01 13:00", "Thu 2026-01-01 17:00"]),
        ("0,30 9 * * *", ["Thu 2026-01-01 09:00", "Thu 2026-01-01 09:30", "Fri 2026-01-02 09:00"]),
        ("0 0 1 jan,Jul *", ["Wed 2026-07-01 00:00", "Fri 2027-01-01 00:00"]),
        ("0 0 29 2 *", ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00"]),
        ("0 0 31 * *", ["Sat 2026-01-31 00:00", "Tue 2026-03-31 00:00", "Sun 2026-05-31 00:00"]),
        ("59 23 31 12 *", ["Thu 2026-12-31 23:59", "Fri 2027-12-31 23:59"]),
        ("@hourly", ["Thu 2026-01-01 01:00", "Thu 2026-01-01 02:00"]),
        ("@Daily", ["Fri 2026-01-02 00:00", "Sat 2026-01-03 00:00"]),
        ("@weekly", ["Sun 2026-01-04 00:00", "Sun 2026-01-11 00:00"]),
        ("@monthly", ["Sun 2026-02-01 00:00", "Sun 2026-03-01 00:00"]),
        ("@annually", ["Fri 2027-01-01 00:00", "Sat 2028-01-01 00:00"]),
    ],
)
def test_fields(expression: str, ticks: list[str]) -> None:
    assert following(cron(expression), NEW_YEAR, len(ticks)) == [f"{tick} +0000" for tick in ticks]


def test_two_restricted_day_fields_fit_where_either_does() -> None:
    assert following(cron("0 0 13 * 5"), NEW_YEAR, 3) == [
        "Fri 2026-01-02 00:00 +0000",
        "Fri 2026-01-09 00:00 +0000",
        "Tue 2026-01-13 00:00 +0000",
    ]


def test_a_day_field_that_begins_with_a_star_must_fit_too() -> None:
    assert following(cron("0 0 */2 * 1"), NEW_YEAR, 3) == [
        "Mon 2026-01-05 00:00 +0000",
        "Mon 2026-01-19 00:00 +0000",
        "Mon 2026-02-09 00:00 +0000",
    ]


def test_the_rarest_date_is_found_across_a_century_without_a_leap_year() -> None:
    # `*/8` is Sunday alone. 29 February falls on one in 2088 and, as 2100 has none, next in 2128.
    assert following(cron("0 0 29 2 */8"), datetime(2088, 3, 1, tzinfo=UTC), 1) == [
        "Sun 2128-02-29 00:00 +0000"
    ]


AMSTERDAM_FORWARD = datetime(2026, 3, 28, 22, tzinfo=UTC)  # 02:00 to 03:00 on 29 March does not exist
AMSTERDAM_BACK = datetime(2026, 10, 24, 20, tzinfo=UTC)  # 02:00 to 03:00 on 25 October happens twice


def test_a_time_that_is_skipped_ticks_once_right_after_the_gap() -> None:
    assert following(cron("0,15,30 2 * * *", "Europe/Amsterdam"), AMSTERDAM_FORWARD, 2) == [
        "Sun 2026-03-29 03:00 +0200",
        "Mon 2026-03-30 02:00 +0200",
    ]


def test_a_skipped_time_and_the_end_of_the_gap_are_one_tick() -> None:
    assert following(cron("0 2,3 * * *", "Europe/Amsterdam"), AMSTERDAM_FORWARD, 2) == [
        "Sun 2026-03-29 03:00 +0200",
        "Mon 2026-03-30 02:00 +0200",
    ]


def test_a_time_that_is_repeated_ticks_the_first_time_only() -> None:
    assert following(cron("0,30 2 * * *", "Europe/Amsterdam"), AMSTERDAM_BACK, 3) == [
        "Sun 2026-10-25 02:00 +0200",
        "Sun 2026-10-25 02:30 +0200",
        "Mon 2026-10-26 02:00 +0100",
    ]


@pytest.mark.parametrize("minute", [0, 10, 30, 59])
def test_asked_in_the_second_pass_the_times_of_the_first_have_been(minute: int) -> None:
    second_pass = datetime(2026, 10, 25, 1, minute, tzinfo=UTC)
    assert following(cron("5,30 2 * * *", "Europe/Amsterdam"), second_pass, 1) == [
        "Mon 2026-10-26 02:05 +0100"
    ]
    assert following(cron("5,30 2,3 * * *", "Europe/Amsterdam"), second_pass, 1) == [
        "Sun 2026-10-25 03:05 +0100"
    ]


@pytest.mark.parametrize("start", [AMSTERDAM_FORWARD, AMSTERDAM_BACK])
@pytest.mark.parametrize(
    ("expression", "minutes"), [("*/15 * * * *", 15), ("0 * * * *", 60), ("*/20 0-5 * * *", 20)]
)
def test_wildcards_keep_elapsed_time_through_both_changes(
    expression: str, minutes: int, start: datetime
) -> None:
    trigger = cron(expression, "Europe/Amsterdam")
    moment = trigger.next_after(start)
    assert moment is not None
    while moment < start + timedelta(hours=6):
        tick = trigger.next_after(moment)
        assert tick is not None
        if tick - moment > timedelta(hours=12):
            break
        assert tick - moment == timedelta(minutes=minutes)
        moment = tick


def test_a_wildcard_minute_ticks_through_both_passes_and_not_in_a_gap() -> None:
    trigger = cron("*/30 2 * * *", "Europe/Amsterdam")
    assert following(trigger, AMSTERDAM_FORWARD, 1) == ["Mon 2026-03-30 02:00 +0200"]
    assert following(trigger, AMSTERDAM_BACK, 5) == [
        "Sun 2026-10-25 02:00 +0200",
        "Sun 2026-10-25 02:30 +0200",
        "Sun 2026-10-25 02:00 +0100",
        "Sun 2026-10-25 02:30 +0100",
        "Mon 2026-10-26 02:00 +0100",
    ]


def test_midnight_that_is_skipped_ticks_on_that_day() -> None:
    before = datetime(2018, 11, 3, 12, tzinfo=UTC)
    assert following(cron("@daily", "America/Sao_Paulo"), before, 2) == [
        "Sun 2018-11-04 01:00 -0200",
        "Mon 2018-11-05 00:00 -0200",
    ]


def test_a_day_that_is_skipped_ticks_when_the_next_begins() -> None:
    before = datetime(2011, 12, 29, 12, tzinfo=UTC)
    assert following(cron("30 9 * * *", "Pacific/Apia"), before, 3) == [
        "Thu 2011-12-29 09:30 -1000",
        "Sat 2011-12-31 00:00 +1400",
        "Sat 2011-12-31 09:30 +1400",
    ]


def test_offsets_with_seconds_are_local_whole_minutes() -> None:
    # Until 1972 Liberia was 44 minutes and 30 seconds behind UTC.
    tick = cron("0 12 * * *", "Africa/Monrovia").next_after(datetime(1960, 1, 1, tzinfo=UTC))
    assert tick == datetime(1960, 1, 1, 12, 44, 30, tzinfo=UTC)


def test_without_a_zone_it_takes_the_one_of_the_settings_when_declared() -> None:
    trigger = cron("0 8 * * *")
    assert trigger.next_after(NEW_YEAR) == NEW_YEAR + timedelta(hours=8)
    assert trigger.in_zone("Asia/Tokyo") == cron("0 8 * * *", "Asia/Tokyo")
    assert cron("0 8 * * *", "UTC").in_zone("Asia/Tokyo") == cron("0 8 * * *", "UTC")


def test_the_calendar_ends_quietly_at_both_ends() -> None:
    trigger = cron("0 0 * * *", "Asia/Tokyo")
    assert trigger.next_after(datetime.max.replace(tzinfo=UTC)) is None
    assert trigger.next_after(datetime.min.replace(tzinfo=UTC)) is not None
    assert cron("0 0 29 2 *").next_after(datetime(9996, 3, 1, tzinfo=UTC)) is None


def test_equality_and_text_are_of_the_fields() -> None:
    assert cron(" @daily ") == cron("0  0 * * *")
    assert cron("0 0 * * *") != cron("0 0 * * *", "UTC")
    assert str(cron("0 1 * * *", "Europe/Amsterdam")) == "cron 0 1 * * * Europe/Amsterdam"
    assert str(cron("@hourly")) == "cron 0 * * * *"


def test_rare_dates_are_found_in_less_than_a_millisecond() -> None:
    triggers = [cron(line, "Europe/Amsterdam") for line in ("0 0 1 1 *", "0 0 29 2 *", "0 0 29 2 */6")]
    # The best of many: a loaded machine may slow some down, never all.
    best = float("inf")
    for _ in range(50):
        started = time.perf_counter()
        for trigger in triggers:
            trigger.next_after(NEW_YEAR)
        best = min(best, time.perf_counter() - started)
    assert best / len(triggers) < 0.001


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("0 0 31 2 *", "day of month '31' never comes in month 2"),
        ("0 0 30,31 2 *", "day of month '30,31' never comes in month 2"),
        ("0 0 31 apr,jun */2", "day of month '31' never comes in month apr,jun"),
        ("* * * *", "has 4 fields. Write five"),
        ("0 * * * * *", "has 6 fields. Write five"),
        ("", "has 0 fields. Write five"),
        ("60 * * * *", "minute '60' has 60, out of bounds. Give 0 to 59"),
        ("* 24 * * *", "hour '24' has 24, out of bounds. Give 0 to 23"),
        ("* * 0 * *", "day of month '0' has 0, out of bounds. Give 1 to 31"),
        ("* * * 13 *", "month '13' has 13, out of bounds. Give 1 to 12"),
        ("* * * * 8", "day of week '8' has 8, out of bounds. Give 0 to 7"),
        ("* * * ocr *", "month 'ocr' has 'ocr', which means nothing here.*Did you mean 'oct'"),
        ("* * * * thr", "day of week 'thr'.*Did you mean 'thu'"),
        ("*/0 * * * *", r"minute '\*/0' has step 0. Give a step from 1 to 60"),
        ("*/90 * * * *", r"minute '\*/90' has step 90. Give a step from 1 to 60, or use every"),
        ("*/x * * * *", r"minute '\*/x' has step x"),
        ("5-1 * * * *", "minute '5-1' has range 5-1 backwards. Write 5-59,0-1"),
        ("* * * * fri-mon", "day of week 'fri-mon' has range fri-mon backwards. Write fri-7,0-mon"),
        ("1,,2 * * * *", "minute '1,,2' has an empty place in its list"),
        ("? * * * *", "minute '?'"),
        ("٣ * * * *", "minute '٣'"),
        ("@dialy", "is no alias.*Did you mean '@daily'"),
        ("@reboot", "is no alias"),
    ],
)
def test_a_malformed_or_impossible_line_is_refused_with_field_value_and_remedy(
    expression: str, message: str
) -> None:
    with pytest.raises(TriggerError, match=message.replace("?'", r"\?'")):
        cron(expression)


@pytest.mark.parametrize("zone", ["Europe/Amsterdm", "../UTC", "/etc/localtime", "Europe", "", "\0"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(TriggerError, match=r"tz .* is not known. Give an IANA name"):
        cron("* * * * *", zone)
    with pytest.raises(TriggerError, match="tz"):
        cron("* * * * *").in_zone(zone)


def test_a_misspelt_zone_is_guessed() -> None:
    with pytest.raises(TriggerError, match="Did you mean 'Europe/Amsterdam'"):
        cron("* * * * *", "Europe/Amsterdm")


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(TriggerError, match=r"moment .* has no time zone"):
        cron("* * * * *").next_after(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test
