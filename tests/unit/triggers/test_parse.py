"""Triggers from their structured form."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rota.model.errors import TriggerError
from rota.triggers.combine import any_of
from rota.triggers.cron import cron
from rota.triggers.interval import every
from rota.triggers.once import once
from rota.triggers.parse import from_json, parse
from rota.triggers.rrule import rrule


def test_the_structured_form_is_plain_json_and_stays_as_it_is() -> None:
    """Stored schedules hold it: a changed form would change every schedule at an upgrade."""
    assert cron("0 1 * * *", "UTC").to_json() == {"kind": "cron", "expression": "0 1 * * *", "tz": "UTC"}
    assert cron("@daily").to_json() == {"kind": "cron", "expression": "0 0 * * *"}
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert every(hours=36).to_json() == {
        "kind": "every",
        "period": "P1DT43200S",
        "anchor": "1970-01-01T00:00:00Z",
    }
    assert every(microseconds=7, start=start).to_json() == {
        "kind": "every",
        "period": "PT0.000007S",
        "anchor": "2026-01-01T00:00:00Z",
        "start": "2026-01-01T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "kind None is unknown. Choose all_of, any_of,"),
        ({"kind": ["cron"]}, "is unknown"),
        ({"kind": "corn"}, "kind 'corn' is unknown.*Did you mean 'cron'"),
        ({"kind": "cron"}, "missing required field `expression`"),
        ({"kind": "cron", "expression": 5}, "Expected `str`, got `int`"),
        (
            {"kind": "cron", "expression": "* * * * *", "zone": "UTC"},
            "unknown field `zone`.*Fields: .*expression, week.*tz",
        ),
        ({"kind": "cron", "expression": "0 0 31 2 *"}, "never comes"),
        ({"kind": "cron", "expression": "* * * * *", "tz": "Mars"}, "tz 'Mars' is not known"),
        ({"kind": "every", "period": "PT1S"}, "missing required field `anchor`"),
        ({"kind": "every", "period": "PT0S", "anchor": "2026-01-01T00:00:00Z"}, "not above zero"),
        ({"kind": "every", "period": "PT1S", "anchor": "2026-01-01T00:00:00"}, "anchor .* has no time zone"),
    ],
)
def test_a_form_that_means_nothing_is_refused(form: dict[str, Any], message: str) -> None:
    with pytest.raises(TriggerError, match=message):
        from_json(form)


NEW_YEAR = datetime(2027, 1, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("0 8 * * 1", cron("0 8 * * 1")),
        ("cron 0 8 * * 1", cron("0 8 * * 1")),
        ("0 8 * * 1 Europe/Amsterdam", cron("0 8 * * 1", "Europe/Amsterdam")),
        ("0 8 * * MON UTC", cron("0 8 * * MON", "UTC")),
        ("0 0 8 * * MON", cron("0 0 8 * * MON")),
        ("0 0 8 * * FRIL", cron("0 0 8 * * FRIL")),
        ("0 0 8 * * 1 Etc/GMT+5", cron("0 0 8 * * 1", "Etc/GMT+5")),
        ("@daily", cron("@daily")),
        ("@daily Asia/Tokyo", cron("@daily", "Asia/Tokyo")),
        ("0 9 last fri * *", cron("0 9 last fri * *")),
        ("every 5 minutes", every(minutes=5)),
        ("Every 1h 30m", every(hours=1, minutes=30)),
        ("every 1h30m", every(minutes=90)),
        ("every 1 hour, 30 minutes", every(minutes=90)),
        ("every day", every(days=1)),
        ("every 0.5 s", every(seconds=0.5)),
        ("every 250 ms", every(microseconds=250_000)),
        ("2027-01-01T08:00:00+01:00", once(NEW_YEAR)),
        ("once 2027-01-01T07:00:00Z", once(NEW_YEAR)),
        ("FREQ=WEEKLY;BYDAY=MO", rrule("FREQ=WEEKLY;BYDAY=MO")),
        ("rrule FREQ=WEEKLY;BYDAY=MO", rrule("FREQ=WEEKLY;BYDAY=MO")),
        ("DTSTART:20270101T070000Z\nRRULE:FREQ=DAILY", rrule("FREQ=DAILY", start=NEW_YEAR, tz="UTC")),
        (' {"kind": "cron", "expression": "@daily"}', cron("@daily")),
        ({"kind": "cron", "expression": "@daily"}, cron("@daily")),
    ],
)
def test_a_trigger_is_read_from_text_and_from_its_form(text: Any, trigger: object) -> None:
    assert parse(text) == trigger


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "text '' means nothing. Write a crontab line"),
        ("banana", "text 'banana' means nothing"),
        ("0 8 * *", "means nothing"),
        ("cron 0 8 * *", "has 4 fields"),
        ("0 8 * * 1 Europe/Amsterdm", "tz 'Europe/Amsterdm' is not known.*Did you mean 'Europe/Amsterdam'"),
        ("0 0 8 * * mno", "day of week 'mno'"),
        ("every", "ends without a unit of time"),
        ("every 5", "ends without a unit of time"),
        ("every 5 5 minutes", "unit '5' is no unit of time"),
        ("every monday", "unit 'monday' is no unit of time.*days of the week by a crontab line"),
        ("every 5 minuets", "unit 'minuets' is no unit of time.*Did you mean 'minutes'"),
        ("every 0 minutes", "period .* is not above zero"),
        ("2027-13-01", "at '2027-13-01' is no moment"),
        ("2027-01-01T08:00:00", "has no time zone"),
        ("{", "is no JSON"),
        ("{}", "kind None is unknown"),
        ({"kind": "any_of", "triggers": [{"kind": "cron", "expression": "x"}]}, "has 1 fields"),
        ({"kind": "any_of", "triggers": 5}, "Expected `array`, got `int`"),
        ({"kind": "any_of", "triggers": [5, 6]}, "kind None is unknown"),
        ({"kind": "excluding", "trigger": 5, "dates": ["2026-01-01"]}, "is no trigger"),
        ({"kind": "cron", "expression": {1}}, "Expected `str`"),
    ],
)
def test_text_that_means_nothing_is_refused_with_what_could_be_written(text: Any, message: str) -> None:
    with pytest.raises(TriggerError, match=message):
        parse(text)


def test_a_form_of_any_depth_ends() -> None:
    form = any_of(every(hours=1), every(hours=2)).to_json()
    for _ in range(3_000):
        form = {"kind": "any_of", "triggers": [form, form]}
    with pytest.raises(TriggerError, match="is more than 20 deep"):
        parse(form)
