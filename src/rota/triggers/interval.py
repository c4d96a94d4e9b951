"""Every so much elapsed time."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from rota.model.errors import TriggerError
from rota.triggers.base import Jittered, refuse_backwards, span, utc
from rota.triggers.words import duration, local_words, moment_words
from rota.triggers.zones import EPOCH

__all__ = ["Interval", "every"]

_TICK = timedelta.resolution


def every(
    *,
    weeks: float = 0,
    days: float = 0,
    hours: float = 0,
    minutes: float = 0,
    seconds: float = 0,
    microseconds: float = 0,
    anchor: datetime | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    jitter: timedelta | float = 0,
) -> "Interval":
    """Tick each time so much time has elapsed: `every(minutes=5)`, `every(hours=1, minutes=30)`.

    Time is elapsed time: `every(days=1)` ticks 24 hours apart, whatever clocks on walls do.

    Args:
        weeks: the period is the sum of the parts given, in whole or broken numbers.
        days: of 24 hours.
        hours: of 60 minutes.
        minutes: of 60 seconds.
        seconds: as clocks count them; leap seconds do not exist.
        microseconds: the finest grain; the sum is rounded to it.
        anchor: a moment at which it ticks, or would; ticks lie whole periods before and after it. It keeps
            the phase: restarts shift nothing and two machines agree. Without it the anchor is `start`, else
            1970-01-01 00:00 UTC, a Thursday: `every(hours=1)` ticks on the hour, `every(days=1)` at midnight
            UTC.
        start: no tick before it.
        end: no tick after it.
        jitter: by how much the run of a tick may be delayed at most, as a timedelta or in seconds; the tick
            stays where it is.

    Raises:
        TriggerError: a part is negative or no number, the period is under a microsecond or beyond what a
            `timedelta` holds, a moment has no zone, or no tick lies between `start` and `end`.
    """
    parts = {
        "weeks": weeks,
        "days": days,
        "hours": hours,
        "minutes": minutes,
        "seconds": seconds,
        "microseconds": microseconds,
    }
    return Interval(
        _period(parts), anchor or start or EPOCH, start, end, jitter=span("every", "jitter", jitter)
    )


def _period(parts: Mapping[str, float]) -> timedelta:
    for name, value in parts.items():
        _refuse_odd(name, value)
    try:
        return timedelta(**parts)
    except OverflowError:
        given = ", ".join(f"{name}={value}" for name, value in parts.items() if value)
        raise TriggerError(
            "every", "period", given, "is too long", "Give less than 2,700,000 years"
        ) from None


def _refuse_odd(part: str, value: object) -> None:
    if not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise TriggerError("every", part, value, "is no length of time", "Give a number above 0")


class Interval(Jittered, frozen=True, tag="every"):
    """Made by `every`: ticks at `anchor` + n × `period` for each whole n, from `start` to `end` inclusive."""

    period: timedelta
    anchor: datetime
    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        if self.period < _TICK:
            remedy = "Give at least one of weeks, days, hours, minutes, seconds, microseconds, above 0"
            raise TriggerError("every", "period", str(self.period), "is not above zero", remedy)
        super().__post_init__()
        self._in_utc("anchor", "start", "end")
        self._refuse_empty()

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first tick strictly after `moment` (see `Trigger`)."""
        try:
            tick = self.anchor + self._number_after(utc("every", "moment", moment)) * self.period
        except OverflowError:
            return None
        return None if self.end is not None and tick > self.end else tick

    def count(self, after: datetime, until: datetime, limit: int) -> int:  # noqa: ARG002 - computed, not walked
        """Return how many ticks lie after `after` and not after `until` (see `Trigger`)."""
        last = utc("every", "until", until)
        if self.end is not None:
            last = min(last, self.end)
        return max(0, self._number_at(last) - self._number_after(utc("every", "after", after)) + 1)

    def in_zone(self, zone: str) -> "Interval":  # noqa: ARG002 - elapsed time is the same in every zone
        """Return this trigger: elapsed time needs no zone."""
        return self

    def __str__(self) -> str:
        words = duration(self.period)
        words = words[2:] if words.startswith("1 ") and words.count(" ") == 1 else words  # "every hour"
        phase = None if self.anchor in {EPOCH, self.start} else self.anchor
        return (
            f"every {words}{moment_words(('in phase with', phase))}"
            f"{local_words(None, self.start, self.end, self.jitter)}"
        )

    def _number_at(self, moment: datetime) -> int:
        """Return the number of the last tick not after `moment`; the anchor's is 0."""
        return (moment - self.anchor) // self.period

    def _number_after(self, moment: datetime) -> int:
        """Return the number of the first tick after `moment` and not before `start`."""
        number = self._number_at(moment) + 1
        if self.start is None:
            return number
        return max(number, self._number_from(self.start))

    def _number_from(self, moment: datetime) -> int:
        """Return the number of the first tick not before `moment`."""
        return -((self.anchor - moment) // self.period)

    def _refuse_empty(self) -> None:
        if self.start is None or self.end is None:
            return
        refuse_backwards("every", self.start, self.end)
        if self._number_from(self.start) > self._number_at(self.end):
            reason = f"leaves no tick after start {self.start}"
            raise TriggerError("every", "end", str(self.end), reason, "Give a later end or a shorter period")
