"""A crontab line, read and searched for the next local time that fits."""

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache

from rota.model.errors import TriggerError, did_you_mean
from rota.triggers.fields import (
    DAY,
    HOUR,
    LAST,
    MINUTE,
    MONTH,
    SECOND,
    WEEK,
    WEEKDAY,
    YEAR,
    Meaning,
)

__all__ = ["ANY", "Crontab", "expand", "parse"]

ANY = "*"

_ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_SHORT = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)
_NUMBERED = re.compile(r"\b(?:([1-5])(?:st|nd|rd|th)|last)\s+(sun|mon|tue|wed|thu|fri|sat)\b", re.IGNORECASE)
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SATURDAY, _SUNDAY = 5, 6  # as the standard library counts
_EPOCH = date(1970, 1, 1).toordinal()
_END = date.max.toordinal() - _EPOCH
_CYCLE = 400  # years after which the calendar repeats, weekdays and ISO weeks included
_BLOCK = 9  # bits: days are looked at in blocks of 512
_IN_BLOCK = (1 << _BLOCK) - 1
_BLOCKS_KEPT = 64


class Crontab:
    """A crontab line, ready for search. Made by `parse`.

    Local times are seconds of a local clock since it showed 1970-01-01 00:00. The seconds of a minute, the
    minutes of a day and the days of a block that fit are each a "1" among zeros: `find` searches them at the
    speed of C. Small sets of numbers are bit masks.

    Attributes:
        wildcard: whether the minute or the hour field begins with `*`.
    """

    __slots__ = ("_blocks", "_both", "_date", "_first", "_full", "_minutes", "_months", "_seconds", "_shapes",
                 "_weekday", "_weeks", "_years", "wildcard")  # fmt: skip

    def __init__(self, words: Sequence[str], week: str, year: str, *, both: bool) -> None:
        second, minute, hour, day, month, weekday = words
        self.wildcard = minute.startswith(ANY) or hour.startswith(ANY)
        self._both = both or day.startswith(ANY) or weekday.startswith(ANY)
        self._seconds = _flags(SECOND.read(second).numbers, 60)
        minutes, hours = _flags(MINUTE.read(minute).numbers, 60), _flags(HOUR.read(hour).numbers, 24)
        self._minutes = "".join(minutes if fits == "1" else "0" * 60 for fits in hours)
        self._full = self._seconds.rfind("1") == 0  # the full minute alone, as in five fields
        self._first = self._minutes.find("1") * 60 + self._seconds.find("1")
        self._date = DAY.read(day)
        self._months = MONTH.read(month).numbers
        self._weekday = WEEKDAY.read(weekday)
        self._weeks = None if week == ANY else WEEK.read(week).numbers
        self._years = None if year == ANY else YEAR.read(year).numbers
        self._shapes: dict[tuple[int, int], int] = {}
        self._blocks: dict[int, str] = {}

    def next_wall(self, wall: int) -> int | None:
        """Return the first local second that fits, at or after `wall`; None when there is none."""
        if self._full:
            day, minute = divmod((wall + 59) // 60, 1440)
            second = 0
        else:
            day, minute, second = self._split(wall)
        days = self._blocks.get(day >> _BLOCK) or self._block(day >> _BLOCK)
        if days[day & _IN_BLOCK] == "1":
            found = self._minutes.find("1", minute)
            if found == minute:
                return day * 86_400 + found * 60 + second
            if found > minute:
                return day * 86_400 + found * 60 + self._first % 60
        return self._next_day(day + 1)

    def possible(self) -> bool:
        """Whether any date ever fits."""
        if self._years is None and self._weeks is None:
            # Every month that exists begins on each weekday in some year.
            lengths = {
                (month, length)
                for month, longest in enumerate(_LONGEST_MONTHS, 1)
                for length in ({28, 29} if month == 2 else {longest})  # noqa: PLR2004 - February
            }
            return any(
                self._months >> month & 1 and self._days(first, length)
                for month, length in lengths
                for first in range(7)
            )
        years = range(2000, 2000 + _CYCLE) if self._years is None else _numbers(self._years)
        likes = {year % _CYCLE: year for year in years}
        return any(
            self._month(year, month)
            for year in likes.values()
            for month in range(1, 13)
            if self._months >> month & 1
        )

    def _split(self, wall: int) -> tuple[int, int, int]:
        """Return the day, the minute in it, and the first fitting second there or in the next minute."""
        day, second = divmod(wall, 86_400)
        minute, second = divmod(second, 60)
        second = self._seconds.find("1", second)
        return (day, minute, second) if second >= 0 else (day, minute + 1, self._first % 60)

    def _next_day(self, day: int) -> int | None:
        """Return the first local second that fits, on `day` (days since 1970) or later."""
        block, rest = day >> _BLOCK, day & _IN_BLOCK
        while block <= _END >> _BLOCK:
            days = self._blocks.get(block) or self._block(block)
            found = days.find("1", rest)
            if found >= 0:
                return ((block << _BLOCK) + found) * 86_400 + self._first
            block, rest = self._block_of_years(block + 1), 0
        return None

    def _block_of_years(self, block: int) -> int:
        """Return the first block, from `block` on, that has a day of a fitting year."""
        if self._years is None:
            return block
        start = date.fromordinal(min(block << _BLOCK, _END) + _EPOCH).year
        years = self._years >> start << start
        if not years:
            return (_END >> _BLOCK) + 1
        return max(block, date(_lowest(years), 1, 1).toordinal() - _EPOCH >> _BLOCK)

    def _block(self, block: int) -> str:
        """Return which days of a block fit."""
        start, mask = block << _BLOCK, 0
        for year in _years(start):
            if self._years is None or self._years >> year & 1:
                for month in _numbers(self._months):
                    first = date(year, month, 1).toordinal() - _EPOCH
                    if start - 31 < first <= start + _IN_BLOCK:
                        days = self._month(year, month) >> 1  # bit 0 stands for the first
                        mask |= days << first - start if first >= start else days >> start - first
        if len(self._blocks) >= _BLOCKS_KEPT:
            self._blocks.clear()
        days_of_block = self._blocks[block] = _flags(mask, 1 << _BLOCK)
        return days_of_block

    def _month(self, year: int, month: int) -> int:
        """Return the days of a month that fit, 1 to 31."""
        shape = monthrange(year, month)
        days = self._shapes.get(shape)
        if days is None:
            days = self._shapes[shape] = self._days(*shape)
        if self._weeks is not None:
            for day in _numbers(days):
                if not self._weeks >> date(year, month, day).isocalendar().week & 1:
                    days &= ~(1 << day)
        return days

    def _days(self, first: int, length: int) -> int:
        """Return the days that fit in a month of this length whose first is this weekday (0: Monday)."""
        by_date = _by_date(self._date, first, length)
        by_weekday = _by_weekday(self._weekday, first, length)
        return (by_date & by_weekday if self._both else by_date | by_weekday) & (2 << length) - 2


def expand(expression: str) -> str:
    """Return the expression as five or six fields, one blank apart, aliases such as `@daily` written out.

    Raises:
        TriggerError: the alias does not exist.
    """
    words = str(expression).split()
    if len(words) != 1 or not words[0].startswith("@"):
        return _NUMBERED.sub(lambda found: f"{found[2]}#{found[1] or 'L'}", " ".join(words))
    fields = _ALIASES.get(words[0].lower())
    if fields is None:
        hint = did_you_mean(words[0].lower(), _ALIASES)
        remedy = f"Choose {', '.join(_ALIASES)}.{hint}"
        raise TriggerError("cron", "expression", expression, "is no alias", remedy)
    return fields


@lru_cache(maxsize=4096)  # a scheduler of many schedules evaluates few different expressions
def parse(expression: str, week: str = ANY, year: str = ANY, *, both: bool = False) -> Crontab:
    """Return five or six expanded fields, and perhaps two more, ready for search (see `cron`).

    Raises:
        TriggerError: a field is malformed, or no date can ever fit.
    """
    words = expression.split()
    if len(words) == len(_SHORT):
        words.insert(0, "0")
    if len(words) != len(_SHORT) + 1:
        remedy = (
            "Write five: minute, hour, day of month, month, day of week, as in '0 8 * * 1'; or six, with "
            "seconds before them"
        )
        raise TriggerError("cron", "expression", expression, f"has {len(words)} fields", remedy)
    crontab = Crontab(words, week, year, both=both)
    if not crontab.possible():
        _refuse_impossible(words, week, year)
    return crontab


def _refuse_impossible(words: Sequence[str], week: str, year: str) -> None:
    *_, day, month, weekday = words
    if year != ANY or week != ANY:
        field, value = ("year", year) if year != ANY else ("week", week)
        reason = f"has no day that is {day} in month {month}, on weekday {weekday}, in week {week}"
        raise TriggerError("cron", field, value, reason, "Give fields that some date fits")
    reason = f"never comes in month {month}"
    raise TriggerError("cron", "day of month", day, reason, "Give a day that one of the months has")


def _by_date(meaning: Meaning, first: int, length: int) -> int:
    days = meaning.numbers
    for back in meaning.before_last:
        if back < length:
            days |= 1 << length - back
    for day in meaning.nearest:
        if day <= length:
            days |= 1 << _nearest_weekday(day or length, first, length)
    return days | _numbered(meaning, first, length)


def _by_weekday(meaning: Meaning, first: int, length: int) -> int:
    weekdays = meaning.numbers | meaning.numbers >> 7  # 7 is Sunday too
    days = _numbered(meaning, first, length)
    for weekday in range(7):
        if weekdays >> weekday & 1:
            days |= sum(1 << day for day in _each(weekday, first, length))
    return days


def _numbered(meaning: Meaning, first: int, length: int) -> int:
    """Return the days that are the n-th of their weekday."""
    days = 0
    for weekday, number in meaning.of_month:
        each = _each(weekday, first, length)
        if number == LAST:
            days |= 1 << each[-1]
        elif number <= len(each):
            days |= 1 << each[number - 1]
    return days


def _each(weekday: int, first: int, length: int) -> range:
    """Return the days of a month that are this weekday of crontab (0: Sunday)."""
    return range((weekday - 1 - first) % 7 + 1, length + 1, 7)


def _nearest_weekday(day: int, first: int, length: int) -> int:
    """Return the day from Monday to Friday that is nearest to `day` in its month."""
    weekday = (first + day - 1) % 7
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == _SUNDAY:
        return day + 1 if day < length else day - 2
    return day


def _years(start: int) -> range:
    """Return the years that touch a block which starts on this day since 1970."""
    first, last = max(start + _EPOCH, 1), min(start + _IN_BLOCK, _END) + _EPOCH
    return range(date.fromordinal(first).year, date.fromordinal(last).year + 1)


def _flags(mask: int, size: int) -> str:
    """Return the lowest bits of a mask as "0" and "1", the lowest first."""
    return f"{mask & (1 << size) - 1:0{size}b}"[::-1]


def _numbers(mask: int) -> Iterator[int]:
    while mask:
        yield _lowest(mask)
        mask &= mask - 1


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1
