"""Working days."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date, time
from functools import cached_property
from typing import Unpack

from msgspec import structs

from rota.model.errors import TriggerError
from rota.triggers.base import LocalTrigger, Options, given
from rota.triggers.calendar import time_of_day
from rota.triggers.fields import WEEKDAY
from rota.triggers.holidays import Holidays, dates_of
from rota.triggers.zones import NextWall

__all__ = ["BusinessDays", "business_days"]

_EPOCH = date(1970, 1, 1).toordinal()
_LAST = date.max.toordinal()


def business_days(
    at: time | str = "00:00",
    *,
    nth: int | None = None,
    holidays: Holidays = (),
    weekend: Iterable[str] = ("sat", "sun"),
    tz: str | None = None,
    **options: Unpack[Options],
) -> "BusinessDays":
    """Tick on working days: `business_days("09:00", holidays=holidays, tz="Europe/Amsterdam")`.

    Args:
        at: the time of day, as "08:00", "08:00:30" or a `datetime.time`.
        nth: which working day of each month alone: 1 is the first, -1 the last. None: each of them. A month
            that has fewer does not tick.
        holidays: dates that are no working days, as a collection or an object of a holiday library, which is
            asked for each day from 2000 to 2049, now.
        weekend: days of the week that are no working days, as names.
        tz: an IANA zone name; None: the default zone of the settings (see `cron`).
        options: start, end, jitter, skipped ("shift" unless chosen), repeated ("first" unless chosen);
            see `Options`.

    Raises:
        TriggerError: no day is left, a weekday is unknown, `nth` is out of bounds, something is no date or no
            time of day, or the zone does not exist.
    """
    return BusinessDays(
        at=time_of_day("business_days", at),
        nth=nth,
        holidays=tuple(dates_of("business_days", holidays)),
        weekend=tuple(weekend),
        tz=tz,
        **given("business_days", options),
    )


class BusinessDays(LocalTrigger, frozen=True, kw_only=True, tag="business_days", dict=True):
    """Made by `business_days`."""

    at: time
    nth: int | None = None
    holidays: tuple[date, ...] = ()
    weekend: tuple[str, ...] = ("sat", "sun")

    def __post_init__(self) -> None:
        super().__post_init__()
        structs.force_setattr(self, "at", time_of_day("business_days", self.at))
        structs.force_setattr(self, "holidays", tuple(sorted(set(self.holidays))))
        weekend = sorted({str(day).lower() for day in self.weekend}, key=str)
        for day in weekend:
            if day not in WEEKDAY.names:
                remedy = f"Choose among {', '.join(WEEKDAY.names)}"
                raise TriggerError("business_days", "weekend", day, "is no weekday", remedy)
        structs.force_setattr(self, "weekend", tuple(weekend))
        if len(weekend) == len(WEEKDAY.names):
            raise TriggerError("business_days", "weekend", weekend, "leaves no working day", "Leave one out")
        worked = len(WEEKDAY.names) - len(weekend)
        most = 4 * worked + min(3, worked)  # the longest month is four weeks and three days
        if self.nth is not None and not 1 <= abs(self.nth) <= most:
            remedy = (
                f"Give 1 for the first, -1 for the last working day of the month; there are {most} at most"
            )
            raise TriggerError("business_days", "nth", self.nth, "is out of bounds", remedy)
        self.refuse_empty()

    def search(self) -> NextWall:
        """Return what finds the next local time (see `LocalTrigger`)."""
        second = (self.at.hour * 60 + self.at.minute) * 60 + self.at.second
        find = self._day if self.nth is None else self._numbered_day

        def next_wall(wall: int) -> int | None:
            day = find(_EPOCH - (second - wall) // 86_400)
            return None if day is None else (day - _EPOCH) * 86_400 + second

        return next_wall

    def __str__(self) -> str:
        at = self.at.isoformat("minutes" if not self.at.second else "seconds")
        which = "every working day"
        if self.nth is not None:
            place = f"{abs(self.nth)} from the end" if self.nth < 0 else str(self.nth)
            which = (
                "on the last working day of the month"
                if self.nth == -1
                else f"on working day {place} of the month"
            )
        number = len(self.holidays)
        but = f" except {number} holiday{'s' if number > 1 else ''}" if number else ""
        return f"{which} at {at}{but}{self.words()}"

    def _day(self, day: int) -> int | None:
        """Return the first working day, from the ordinal `day` on."""
        free, holidays = self._free
        for ordinal in range(max(day, 1), _LAST + 1):
            if not free[ordinal % 7] and ordinal not in holidays:
                return ordinal
        return None

    def _numbered_day(self, day: int) -> int | None:
        """Return the first day, from the ordinal `day` on, that is the n-th working day of its month."""
        if day > _LAST:
            return None
        first = date.fromordinal(max(day, 1)).replace(day=1)
        while True:
            found = self._nth_of(first)
            if found is not None and found >= day:
                return found
            if (first.year, first.month) == (date.max.year, date.max.month):
                return None
            first = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)

    def _nth_of(self, first: date) -> int | None:
        nth = self.nth or 1
        free, holidays = self._free
        start = first.toordinal()
        length = monthrange(first.year, first.month)[1]
        days = [day for day in range(start, start + length) if not free[day % 7] and day not in holidays]
        return (days[nth] if nth < 0 else days[nth - 1]) if len(days) >= abs(nth) else None

    @cached_property
    def _free(self) -> tuple[list[bool], frozenset[int]]:
        """Return which weekdays are free (ordinal days modulo 7, 0 is Sunday), and the holidays' ordinals."""
        weekdays = [name in self.weekend for name in WEEKDAY.names]
        return weekdays, frozenset(day.toordinal() for day in self.holidays)
