"""Triggers from their structured form."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rota.model.errors import TriggerError
from rota.triggers.cron import cron
from rota.triggers.interval import every
from rota.triggers.parse import from_json


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
