"""`cron`: what crontab(5) says, in words of examples."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rota.model.errors import TriggerError
from rota.triggers.cron import Cron, cron

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)  # a Thursday
MINUTE = timedelta(minutes=1)


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
        ("0 8 L * *", ["Sat 2026-01-31 08:00", "Sat 2026-02-28 08:00", "Tue 2026-03-31 08:00"]),
        ("0 8 last feb *", ["Sat 2026-02-28 08:00", "Sun 2027-02-28 08:00", "Tue 2028-02-29 08:00"]),
        ("0 8 L-3 * *", ["Wed 2026-01-28 08:00", "Wed 2026-02-25 08:00"]),
        ("0 8 15,L * *", ["Thu 2026-01-15 08:00", "Sat 2026-01-31 08:00"]),
        ("0 8 LW * *", ["Fri 2026-01-30 08:00", "Fri 2026-02-27 08:00", "Tue 2026-03-31 08:00"]),
        ("0 8 15W * *", ["Thu 2026-01-15 08:00", "Mon 2026-02-16 08:00", "Mon 2026-03-16 08:00"]),
        ("0 8 1W 8 *", ["Mon 2026-08-03 08:00", "Mon 2027-08-02 08:00"]),
        ("0 8 31W 5 *", ["Fri 2026-05-29 08:00", "Mon 2027-05-31 08:00"]),
        ("0 8 * * fri#2", ["Fri 2026-01-09 08:00", "Fri 2026-02-13 08:00"]),
        ("0 8 * * 2nd fri", ["Fri 2026-01-09 08:00", "Fri 2026-02-13 08:00"]),
        ("0 8 2nd FRI * *", ["Fri 2026-01-09 08:00", "Fri 2026-02-13 08:00"]),
        ("0 8 * * 5#5", ["Fri 2026-01-30 08:00", "Fri 2026-05-29 08:00"]),
        ("0 8 * * fri#L", ["Fri 2026-01-30 08:00", "Fri 2026-02-27 08:00"]),
        ("0 8 * * 5L", ["Fri 2026-01-30 08:00", "Fri 2026-02-27 08:00"]),
        ("0 8 * * L7", ["Sun 2026-01-25 08:00", "Sun 2026-02-22 08:00"]),
        ("0 8 last sun mar,oct *", ["Sun 2026-03-29 08:00", "Sun 2026-10-25 08:00"]),
        ("0 8 * * 1st mon,5", ["Fri 2026-01-02 08:00", "Mon 2026-01-05 08:00", "Fri 2026-01-09 08:00"]),
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


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("* * * * * *", [1, 2, 3]),
        ("*/20 * * * * *", [20, 40, 60, 80]),
        ("5,30 * * * * *", [5, 30, 65, 90]),
        ("0 * * * * *", [60, 120]),
        ("30 */2 * * * *", [30, 150, 270]),
        ("15 0 1 * * *", [3615, 90_015]),
        ("50-52 59 23 * * *", [86_390, 86_391, 86_392, 172_790]),
    ],
)
def test_of_six_fields_the_first_is_seconds(expression: str, seconds: list[int]) -> None:
    moment: datetime | None = NEW_YEAR
    for second in seconds:
        assert moment is not None
        moment = cron(expression).next_after(moment)
        assert moment == NEW_YEAR + timedelta(seconds=second)


@pytest.mark.parametrize(
    ("fields", "ticks"),
    [
        ({"hour": 1}, ["Thu 2026-01-01 01:00", "Fri 2026-01-02 01:00"]),
        ({"minute": "*/30"}, ["Thu 2026-01-01 00:30", "Thu 2026-01-01 01:00"]),
        ({"month": 3}, ["Sun 2026-03-01 00:00", "Mon 2027-03-01 00:00"]),
        ({"day": "last", "hour": 18, "minute": 30}, ["Sat 2026-01-31 18:30", "Sat 2026-02-28 18:30"]),
        ({"day": "2nd fri"}, ["Fri 2026-01-09 00:00", "Fri 2026-02-13 00:00"]),
        ({"day_of_week": "mon", "hour": 8}, ["Mon 2026-01-05 08:00", "Mon 2026-01-12 08:00"]),
        ({"day_of_week": 0}, ["Sun 2026-01-04 00:00", "Sun 2026-01-11 00:00"]),
        ({"day": 13, "day_of_week": "fri"}, ["Fri 2026-02-13 00:00", "Fri 2026-03-13 00:00"]),
        ({"year": 2028}, ["Sat 2028-01-01 00:00"]),
        ({"week": 53, "day_of_week": "thu"}, ["Thu 2026-12-31 00:00", "Thu 2032-12-30 00:00"]),
        ({"year": "2027-2030/3", "week": 1, "hour": 6}, ["Mon 2027-01-04 06:00", "Tue 2027-01-05 06:00"]),
    ],
)
def test_fields_by_name_take_their_least_value_behind_the_last_given(
    fields: dict[str, Any], ticks: list[str]
) -> None:
    assert following(cron(**fields), NEW_YEAR, len(ticks)) == [f"{tick} +0000" for tick in ticks]


def test_a_year_that_is_over_has_no_tick() -> None:
    assert cron(year="2020-2025").next_after(NEW_YEAR) is None
    assert cron(year=2026, month=12, day=31).next_after(NEW_YEAR) == datetime(2026, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "expression None is missing. Write"),
        ({"hour": 24}, "hour '24' has 24, out of bounds"),
        ({"year": 26}, "year '26' has 26, out of bounds. Give 1970 to 9999"),
        ({"week": 53, "month": 6}, "week '53' has no day that is"),
        ({"year": 2026, "month": 2, "day": 29}, "year '2026' has no day that is 29"),
        (
            {"expression": "* * * * *", "hour": 1},
            "expression .* stands beside fields by name. Leave out the expression, or hour",
        ),
        ({"expression": "@daily", "skipped": "never"}, "skipped 'never' is unknown. Choose skip or shift"),
        (
            {"expression": "@daily", "repeated": "last"},
            "repeated 'last' is unknown. Choose first, second or both",
        ),
        ({"expression": "@daily", "jitter": -1}, "jitter .* is below zero"),
        ({"expression": "@daily", "jitter": "1"}, "jitter '1' is no length of time"),
        ({"expression": "@daily", "start": datetime(2026, 1, 1)}, "start .* has no time zone"),  # noqa: DTZ001
        ({"expression": "@daily", "end": "2026-01-01"}, "end '2026-01-01' is no moment"),
        (
            {"expression": "@daily", "start": NEW_YEAR, "end": datetime(2025, 1, 1, tzinfo=UTC)},
            "end .* is before start",
        ),
        (
            {"expression": "@yearly", "start": NEW_YEAR + MINUTE, "end": NEW_YEAR + 2 * MINUTE},
            "end .* leaves no tick after start",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(TriggerError, match=f"cron: {message}"):
        cron(**fields)


def test_an_option_that_does_not_exist_is_refused() -> None:
    with pytest.raises(TriggerError, match=r"hours 1 is no option. Choose year, .*Did you mean 'hour'"):
        cron(hours=1)  # type: ignore[call-arg]  # the point of the test


def test_start_and_end_bound_the_ticks_inclusively() -> None:
    trigger = cron("@daily", start=NEW_YEAR, end=NEW_YEAR + timedelta(days=2))
    assert trigger.next_after(NEW_YEAR - timedelta(days=9)) == NEW_YEAR
    assert trigger.next_after(NEW_YEAR + timedelta(days=1, seconds=1)) == NEW_YEAR + timedelta(days=2)
    assert trigger.next_after(NEW_YEAR + timedelta(days=2)) is None
    late = cron("* * * * *", start=NEW_YEAR + timedelta(microseconds=1))
    assert late.next_after(NEW_YEAR - MINUTE) == NEW_YEAR + MINUTE


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("0 8 * * *", "every day at 08:00"),
        ("0 8 * * 1", "every Monday at 08:00"),
        ("30 8,12 * * 1-5", "every Monday to Friday at 08:30 and 12:30"),
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("*/5 9-17 * * 1-5", "every 5 minutes from 09:00 to 17:59, every Monday to Friday"),
        ("15 9-17 * * *", "every hour from 09:15 to 17:15"),
        ("*/5 1,2 * * *", "every 5 minutes during hour 1,2"),
        ("1-5 1,2 * * *", "at minute 1-5 of hour 1,2"),
        ("@hourly", "every hour"),
        ("5 * * * *", "every hour at minute 5"),
        ("17 */4 * * *", "every 4 hours at minute 17"),
        ("0 0 29 2 *", "every year on 29 February at 00:00"),
        ("0 0 1 jan,jul *", "on day 1 of January and July at 00:00"),
        ("0 0 * 6-8 sun", "every Sunday in June to August at 00:00"),
        ("0 0 13 * 5", "on day 13 of the month and every Friday at 00:00"),
        ("0 0 */2 * 1", "on day */2 of the month if it is a Monday at 00:00"),
        ("0 0 L * *", "on the last day of the month at 00:00"),
        (
            "0 0 L-2,LW,1W * *",
            (
                "on the day 2 before the last, the last weekday and the weekday nearest to day 1 of the month"
                " at 00:00"
            ),
        ),
        ("0 9 2nd fri * *", "on the second Friday of the month at 09:00"),
        ("0 9 * 3 sunL", "on the last Sunday in March at 09:00"),
        ("30 0 8 * * *", "every day at 08:00:30"),
        ("*/10 * 8 * * *", "every 10 seconds, every minute during hour 8"),
        ("5,10 0 8 * * *", "every day at 08:00, at second 5,10"),
        ("0 0 * */2 */3", "weekday */3 in month */2 at 00:00"),
    ],
)
def test_text_is_what_a_person_would_say(expression: str, text: str) -> None:
    assert str(cron(expression)).removeprefix("every ") == text.removeprefix("every ")
    assert str(cron(expression, "Asia/Tokyo")).endswith(f"{text} Asia/Tokyo".removeprefix("every "))


def test_text_tells_options_too() -> None:
    trigger = cron("0 8 * * *", start=NEW_YEAR, end=NEW_YEAR + timedelta(days=9), jitter=90, skipped="skip")
    assert str(trigger) == (
        "every day at 08:00 from 2026-01-01 00:00 UTC until 2026-01-10 00:00 UTC, skipped times skip, "
        "delayed by up to 1 minute 30 seconds"
    )
    assert str(cron(year="2027", week=5, day_of_week="mon")) == "every Monday in week 5 of 2027 at 00:00"


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


@pytest.mark.parametrize(
    ("options", "ticks"),
    [
        ({"skipped": "shift"}, ["Sun 2026-03-29 03:00 +0200"]),
        ({"skipped": "skip"}, ["Mon 2026-03-30 02:00 +0200"]),
    ],
)
def test_what_becomes_of_skipped_times_may_be_chosen(options: dict[str, Any], ticks: list[str]) -> None:
    assert following(cron("0,30 2 * * *", "Europe/Amsterdam", **options), AMSTERDAM_FORWARD, 1) == ticks


@pytest.mark.parametrize(
    ("repeated", "ticks"),
    [
        ("first", ["02:00 +0200", "02:30 +0200"]),
        ("second", ["02:00 +0100", "02:30 +0100"]),
        ("both", ["02:00 +0200", "02:30 +0200", "02:00 +0100", "02:30 +0100"]),
    ],
)
def test_which_pass_of_repeated_times_ticks_may_be_chosen(repeated: Any, ticks: list[str]) -> None:
    trigger = cron("0,30 2 * * *", "Europe/Amsterdam", repeated=repeated)
    expected = [*(f"Sun 2026-10-25 {tick}" for tick in ticks), "Mon 2026-10-26 02:00 +0100"]
    assert following(trigger, AMSTERDAM_BACK, len(expected)) == expected


def test_a_wildcard_may_tick_in_one_pass_and_make_up_for_a_gap() -> None:
    trigger = cron("*/30 2 * * *", "Europe/Amsterdam", skipped="shift", repeated="first")
    assert following(trigger, AMSTERDAM_FORWARD, 1) == ["Sun 2026-03-29 03:00 +0200"]
    assert following(trigger, AMSTERDAM_BACK, 3)[-1] == "Mon 2026-10-26 02:00 +0100"


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
    assert hash(cron("@daily")) == hash(cron("0 0 * * *"))


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
        ("0 0 * * * * *", "has 7 fields. Write five"),
        ("60 * * * * *", "second '60' has 60, out of bounds. Give 0 to 59"),
        ("0 0 L-31 * *", "day of month 'L-31' has 31, out of bounds"),
        ("0 0 32W * *", "day of month '32W' has 32, out of bounds"),
        ("0 0 31W 2 *", "day of month '31W' never comes in month 2"),
        ("0 0 L-30 4,6 *", "day of month 'L-30' never comes in month 4,6"),
        ("0 0 * * fri#6", "day of week 'fri#6' has fri#6, which no month has"),
        ("0 0 * * foo#1", "day of week 'foo#1' has 'foo'"),
        ("0 0 * * L", "day of week 'L' has 'L', which means nothing here"),
        ("0 0 * * 8L", "day of week '8L'"),
        ("0 0 L fri#1 *", "month 'fri#1'"),
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
