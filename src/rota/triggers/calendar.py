"""Every so many days, weeks, months or years of a local calendar, at a time of day."""

import math
from datetime import date, datetime, time
from typing import Unpack

from msgspec import structs

from rota.model.errors import TriggerError
from rota.triggers.base import LocalTrigger, Options, given
from rota.triggers.words import listed
from rota.triggers.zones import NextWall

__all__ = ["Calendar", "calendar", "time_of_day"]

_FIRST = date(2000, 1, 1)
_FIRST_MONDAY = date(2000, 1, 3)
_EPOCH = date(1970, 1, 1).toordinal()
_LAST = date.max.toordinal() - _EPOCH
_MISSING = -(10**9)
_MONTHS = 12
_LONG_MONTH = 30.44  # days; a little more than months last on average
_LONGEST = 12 * 9999
_PARTS = ("years", "months", "weeks", "days")


def calendar(
    *,
    years: int = 0,
    months: int = 0,
    weeks: int = 0,
    days: int = 0,
    at: time | str = "00:00",
    tz: str | None = None,
    anchor: date | None = None,
    **options: Unpack[Options],
) -> "Calendar":
    """Tick each so many days of a local calendar: `calendar(weeks=2, at="08:00", tz="Europe/Amsterdam")`.

    It counts local days, so `calendar(days=1, at="08:00")` ticks at 08:00 also when clocks are turned, where
    `every(days=1)` ticks 24 hours apart. A month without the anchor's day is left out: counted from 31
    January, months without a 31st do not tick (`cron("0 0 L * *")` is the last day of each month).

    Args:
        years: the period is the sum of the parts given, in whole numbers.
        months: of the calendar.
        weeks: of seven days.
        days: of the calendar, be they 23, 24 or 25 hours long.
        at: the time of day, as "08:00", "08:00:30" or a `datetime.time`.
        tz: an IANA zone name; None: the default zone of the settings (see `cron`).
        anchor: a day on which it ticks, or would; it keeps the phase. Without it, the day of `start`, else
            2000-01-01, or Monday 2000-01-03 where the period is in weeks.
        options: start, end, jitter, skipped ("shift" unless chosen), repeated ("first" unless chosen);
            see `Options`.

    Raises:
        TriggerError: the period is empty or a part is negative or no whole number, the time of day is none,
            no tick lies between start and end, or the zone does not exist.
    """
    if anchor is None:
        start = options.get("start")
        anchor = start.date() if start else _FIRST_MONDAY if weeks and not (years or months) else _FIRST
    return Calendar(
        years=years,
        months=months,
        weeks=weeks,
        days=days,
        at=time_of_day("calendar", at),
        anchor=anchor,
        tz=tz,
        **given("calendar", options),
    )


def time_of_day(kind: str, at: time | str) -> time:
    """Return a time of day that was given as such, or as "08:00".

    Raises:
        TriggerError: it is neither, has a zone, or parts of a second.
    """
    try:
        found = time.fromisoformat(at) if isinstance(at, str) else at
        if not found.microsecond and found.tzinfo is None:
            return found
    except (ValueError, AttributeError):
        pass
    remedy = "Give hours and minutes as '08:00', or a datetime.time without zone and parts of a second"
    raise TriggerError(kind, "at", at if isinstance(at, str) else repr(at), "is no time of day", remedy)


class Calendar(LocalTrigger, frozen=True, kw_only=True, tag="calendar"):
    """Made by `calendar`: its n-th day is the anchor moved by n × the period, for each whole n."""

    years: int = 0
    months: int = 0
    weeks: int = 0
    days: int = 0
    at: time
    anchor: date

    def __post_init__(self) -> None:
        super().__post_init__()
        for part in _PARTS:
            number = getattr(self, part)
            if not isinstance(number, int) or not 0 <= number <= _LONGEST:
                remedy = "Give a whole number, 0 or more"
                raise TriggerError("calendar", part, number, "is no number of them", remedy)
        if not any(getattr(self, part) for part in _PARTS):
            raise TriggerError(
                "calendar", "period", "0", "is empty", f"Give at least one of {listed(_PARTS, 'or')}"
            )
        structs.force_setattr(self, "at", time_of_day("calendar", self.at))
        if isinstance(self.anchor, datetime) or not isinstance(self.anchor, date):
            raise TriggerError("calendar", "anchor", str(self.anchor), "is no date", "Give a datetime.date")
        if self.start is not None or self.end is not None:
            self.refuse_empty()

    def search(self) -> NextWall:
        """Return what finds the next local time (see `LocalTrigger`)."""
        second = (self.at.hour * 60 + self.at.minute) * 60 + self.at.second
        months, days = self.years * _MONTHS + self.months, self.weeks * 7 + self.days
        first = self.anchor.toordinal() - _EPOCH

        def next_wall(wall: int) -> int | None:
            day = -((second - wall) // 86_400)  # the first day whose time of day is not before `wall`
            if not months:
                found = first - (first - day) // days * days
                return None if found > _LAST else found * 86_400 + second
            # A number of periods that surely ends before that day; from there on it is looked for.
            guess = (day - first) / (months * _LONG_MONTH + days)
            number = math.floor(guess - abs(guess) / 1_000) - 2
            while True:
                found = _moved(self.anchor, number * months, number * days)
                if found > _LAST:
                    return None
                if found >= day:
                    return found * 86_400 + second
                number += 1

        return next_wall

    def __str__(self) -> str:
        parts = [(getattr(self, part), part) for part in _PARTS if getattr(self, part)]
        words = " ".join(f"{number} {part if number > 1 else part[:-1]}" for number, part in parts)
        words = words[2:] if len(parts) == 1 and parts[0][0] == 1 else words
        time_ = self.at.isoformat("minutes" if not self.at.second else "seconds")
        return f"every {words} at {time_}{self._phase()}{self.words()}"

    def _phase(self) -> str:
        if self.years or self.months:
            return f" counted from {self.anchor}"
        if self.weeks and not self.days:
            return f" on {self.anchor:%A}s" + (f" counted from {self.anchor}" if self.weeks > 1 else "")
        return f" counted from {self.anchor}" if self.days > 1 or self.weeks else ""


def _moved(anchor: date, months: int, days: int) -> int:
    """Return the day (since 1970) that lies so many months and then days from the anchor.

    A day that its month does not have, or before the calendar, is `_MISSING`: before every other.
    """
    year, month = divmod(anchor.year * _MONTHS + anchor.month - 1 + months, _MONTHS)
    if year > date.max.year:
        return _LAST + 1
    try:
        return date(year, month + 1, anchor.day).toordinal() - _EPOCH + days
    except ValueError:
        return _MISSING
