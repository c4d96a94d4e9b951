"""The five fields of a crontab line: read, checked, and searched for the next local time that fits."""

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import MAXYEAR, datetime
from functools import lru_cache

from msgspec import Struct

from rota.model.errors import TriggerError, did_you_mean

__all__ = ["Crontab", "expand", "parse"]

_ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ITEM = re.compile(r"(?:(?P<star>\*)|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\w+))?", re.ASCII)


class _Field(Struct, frozen=True):
    """What may stand in one field."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _WEEKDAYS),
)


class Crontab(Struct, frozen=True):
    """A crontab line, ready for search. Sets of numbers are bit masks: bit n stands for n.

    Args:
        minutes: 0 to 59.
        hours: 0 to 23.
        days: seven sets of days of the month, 1 to 31: one for months that begin on a Monday, and so on.
        months: 1 to 12.
        wildcard: whether the minute or the hour field begins with `*`.
    """

    minutes: int
    hours: int
    days: tuple[int, ...]
    months: int
    wildcard: bool

    def next_wall(self, wall: datetime) -> datetime | None:
        """Return the first local time that fits, at or after `wall` (naive, a whole minute).

        It jumps from field to field: a rare date costs one step for each month that its field names, and for
        29 February on a given weekday that is at most 40. None: there is none before the year 10000.
        """
        year, month = wall.year, wall.month
        if self.months >> month & 1:
            found = self._in_month(wall)
            if found is not None:
                return found
        while True:
            month = _from(self.months, month + 1)
            if not month:
                year, month = year + 1, _from(self.months, 1)
            if year > MAXYEAR:
                return None
            day = _from(self._days_of(year, month), 1)
            if day:
                return datetime(year, month, day, _lowest(self.hours), _lowest(self.minutes))  # noqa: DTZ001 - local

    def _in_month(self, wall: datetime) -> datetime | None:
        days = self._days_of(wall.year, wall.month)
        if days >> wall.day & 1:
            if self.hours >> wall.hour & 1 and self.minutes >> wall.minute:
                return wall.replace(minute=_from(self.minutes, wall.minute))
            if self.hours >> wall.hour + 1:
                return wall.replace(hour=_from(self.hours, wall.hour + 1), minute=_lowest(self.minutes))
        day = _from(days, wall.day + 1)
        if day:
            return wall.replace(day=day, hour=_lowest(self.hours), minute=_lowest(self.minutes))
        return None

    def _days_of(self, year: int, month: int) -> int:
        first, length = monthrange(year, month)
        return self.days[first] & (2 << length) - 1


def expand(expression: str) -> str:
    """Return the expression as five fields, one blank apart, aliases such as `@daily` written out.

    Raises:
        TriggerError: the alias does not exist.
    """
    words = str(expression).split()
    if len(words) != 1 or not words[0].startswith("@"):
        return " ".join(words)
    fields = _ALIASES.get(words[0].lower())
    if fields is None:
        hint = did_you_mean(words[0].lower(), _ALIASES)
        remedy = f"Choose {', '.join(_ALIASES)}.{hint}"
        raise TriggerError("cron", "expression", expression, "is no alias", remedy)
    return fields


@lru_cache(maxsize=4096)  # a scheduler of many schedules evaluates few different expressions
def parse(expression: str) -> Crontab:
    """Return five expanded fields as sets, by the rules of crontab(5) (see `cron`).

    Raises:
        TriggerError: a field is malformed, or no date can ever fit.
    """
    words = expression.split()
    if len(words) != len(_FIELDS):
        remedy = "Write five: minute, hour, day of month, month, day of week, as in '0 8 * * 1'"
        raise TriggerError("cron", "expression", expression, f"has {len(words)} fields", remedy)
    minutes, hours, dates, months, weekdays = (
        _parse_field(field, word) for field, word in zip(_FIELDS, words, strict=True)
    )
    weekdays = (weekdays | weekdays >> 7) & 0b111_1111  # 7 is Sunday too
    both = words[2].startswith("*") or words[4].startswith("*")
    if both:
        _refuse_impossible(words, dates, months)
    return Crontab(
        minutes=minutes,
        hours=hours,
        days=tuple(_days(first, dates, weekdays, both=both) for first in range(7)),
        months=months,
        wildcard=words[0].startswith("*") or words[1].startswith("*"),
    )


def _parse_field(field: _Field, word: str) -> int:
    mask = 0
    for item in word.split(","):
        found = _ITEM.fullmatch(item)
        if found is None:
            raise TriggerError("cron", field.name, word, _fault(item), _remedy(field))
        for number in _numbers(field, word, found):
            mask |= 1 << number
    return mask


def _numbers(field: _Field, word: str, item: re.Match[str]) -> range:
    step = 1
    if item["step"] is not None:
        step = int(item["step"]) if item["step"].isdigit() else 0
        if not 1 <= step <= field.high - field.low + 1:
            reason = f"has step {item['step']}"
            remedy = (
                f"Give a step from 1 to {field.high - field.low + 1}, or use every(...) for longer periods"
            )
            raise TriggerError("cron", field.name, word, reason, remedy)
    if item["star"]:
        return range(field.low, field.high + 1, step)
    low = _number(field, word, item["low"])
    if item["high"] is None:
        # Other crons read `5/15` as "from 5 on, each 15"; crontab(5) has no meaning for it.
        return range(low, (field.high if item["step"] else low) + 1, step)
    high = _number(field, word, item["high"])
    if high < low and item["high"].lower() == "sun":
        high = 7  # `fri-sun`: the Sunday at the end of the week
    if high < low:
        reason = f"has range {item[0]} backwards"
        remedy = f"Write {item['low']}-{field.high},{field.low}-{item['high']} to go round the end"
        raise TriggerError("cron", field.name, word, reason, remedy)
    return range(low, high + 1, step)


def _number(field: _Field, word: str, text: str) -> int:
    if text.isdigit():
        number = int(text)
        if field.low <= number <= field.high:
            return number
        raise TriggerError("cron", field.name, word, f"has {text}, out of bounds", _remedy(field))
    if text.lower() in field.names:
        return field.names.index(text.lower()) + field.low
    raise TriggerError("cron", field.name, word, _fault(text), _remedy(field, text))


def _fault(item: str) -> str:
    return f"has {item!r}, which means nothing here" if item else "has an empty place in its list"


def _remedy(field: _Field, text: str = "") -> str:
    names = f" or names {field.names[0]} to {field.names[-1]}" if field.names else ""
    hint = did_you_mean(text.lower(), field.names)
    return (
        f"Give {field.low} to {field.high}{names}, as `*`, `1`, `1-5`, `*/2`, `1-5/2` or a list `1,3`.{hint}"
    )


def _refuse_impossible(words: Sequence[str], dates: int, months: int) -> None:
    """Refuse dates that no named month has. Any date that exists falls on every weekday in some year."""
    if not any(
        months >> month & 1 and dates & (2 << length) - 1 for month, length in enumerate(_LONGEST_MONTHS, 1)
    ):
        reason = f"never comes in month {words[3]}"
        raise TriggerError("cron", "day of month", words[2], reason, "Give a day that one of the months has")


def _days(first: int, dates: int, weekdays: int, *, both: bool) -> int:
    """Return the days that fit in a month of 31 days whose first day is the weekday `first` (0: Monday)."""
    fitting = 0
    for day in range(1, 32):
        by_date = dates >> day & 1
        by_weekday = weekdays >> (first + day) % 7 & 1  # the first is a Monday: day 1 is crontab's weekday 1
        if (by_date and by_weekday) if both else (by_date or by_weekday):
            fitting |= 1 << day
    return fitting


def _from(mask: int, least: int) -> int:
    """Return the lowest number of a set that is `least` or more; 0 when there is none."""
    rest = mask >> least << least
    return (rest & -rest).bit_length() - 1 if rest else 0


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1
