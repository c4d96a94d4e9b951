"""What every trigger can do."""

from datetime import UTC, datetime
from typing import Any, Protocol, Self

from rota.model.errors import TriggerError

__all__ = ["Trigger", "utc"]


class Trigger(Protocol):
    """Says when a schedule ticks: a frozen value without state. Two that were written alike are equal.

    `str` gives a short text for people; `parse.from_json(trigger.to_json())` gives an equal trigger.
    """

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first tick strictly after `moment`; both are aware, the tick is in UTC.

        Returns:
            None when there is no further tick.

        Raises:
            TriggerError: `moment` has no zone.
        """
        ...

    def count(self, after: datetime, until: datetime, limit: int) -> int:
        """Return how many ticks lie after `after` and not after `until`.

        A trigger that has to walk from tick to tick stops at `limit`; one that can compute the number does.
        """
        ...

    def in_zone(self, zone: str) -> Self:
        """Return this trigger with `zone`, an IANA name, wherever it names none of its own.

        Called when a schedule is declared: what is stored does not change its meaning with a setting.

        Raises:
            TriggerError: there is no such zone.
        """
        ...

    def to_json(self) -> dict[str, Any]:
        """Return the structured form: JSON's own types, with the trigger's name under "kind"."""
        ...


def utc(trigger: str, field: str, moment: datetime) -> datetime:
    """Return an aware moment in UTC.

    Raises:
        TriggerError: it has no zone, so it could mean any of 38 moments, or it leaves the calendar in UTC.
    """
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise TriggerError(trigger, field, str(moment), "has no time zone", "Add tzinfo=UTC, or a ZoneInfo")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        remedy = "Give a moment from year 1 to 9999"
        raise TriggerError(trigger, field, str(moment), "is beyond the calendar", remedy) from None
