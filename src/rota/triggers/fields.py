"""One field of a crontab line: what may stand in it, and the numbers and days that it means."""

import re

from msgspec import Struct

from rota.model.errors import TriggerError, did_you_mean

__all__ = ["DAY", "HOUR", "LAST", "MINUTE", "MONTH", "SECOND", "WEEK", "WEEKDAY", "YEAR", "Field", "Meaning"]

LAST = 0
"""Among the numbers of weekdays of a month (1 to 5) and of days (1 to 31): the last one."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM = re.compile(r"(?:(?P<star>\*)|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\w+))?", re.ASCII)
_BEFORE_LAST = re.compile(r"(?:l|last)(?:-(\d{1,2}))?", re.ASCII | re.IGNORECASE)
_NEAREST = re.compile(r"(?:(\d{1,2})|l|last)w", re.ASCII | re.IGNORECASE)
_OF_MONTH = re.compile(r"(?P<day>\w+)#(?P<number>\w+)", re.ASCII)
_LAST_OF_MONTH = re.compile(r"(?:(?P<day>[0-7]|[a-z]{3})l|l(?P<number>[0-7]))", re.ASCII | re.IGNORECASE)
_MOST_OF_MONTH = 5


class Meaning(Struct, frozen=True):
    """What one field says; a set of numbers is a bit mask: bit n stands for n.

    Args:
        numbers: the plain ones.
        before_last: days, counted back from the last of the month, which is 0.
        nearest: days of the month whose nearest day from Monday to Friday is meant; `LAST` is the last day.
        of_month: pairs of a weekday (0: Sunday) and which one of the month it is, 1 to 5 or `LAST`.
    """

    numbers: int = 0
    before_last: tuple[int, ...] = ()
    nearest: tuple[int, ...] = ()
    of_month: tuple[tuple[int, int], ...] = ()


class Field(Struct, frozen=True):
    """What may stand in one field."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def read(self, word: str) -> Meaning:
        """Return what a word means in this field.

        Raises:
            TriggerError: it means nothing; names the field, the word, and what may stand there.
        """
        numbers = 0
        before_last: list[int] = []
        nearest: list[int] = []
        of_month: list[tuple[int, int]] = []
        for item in word.split(","):
            if self in {DAY, WEEKDAY} and (pair := self._weekday_of_month(word, item)):
                of_month.append(pair)
            elif self == DAY and (found := _BEFORE_LAST.fullmatch(item)):
                before_last.append(self._within(word, int(found[1] or 0), 30))
            elif self == DAY and (found := _NEAREST.fullmatch(item)):
                nearest.append(self._within(word, int(found[1]), 31, 1) if found[1] else LAST)
            else:
                for number in self._plain(word, item):
                    numbers |= 1 << number
        return Meaning(numbers, tuple(before_last), tuple(nearest), tuple(of_month))

    def _plain(self, word: str, item: str) -> range:
        found = _ITEM.fullmatch(item)
        if found is None:
            raise TriggerError("cron", self.name, word, _fault(item), self._remedy())
        step = self._step(word, found["step"])
        if found["star"]:
            return range(self.low, self.high + 1, step)
        low = self._number(word, found["low"])
        if found["high"] is None:
            # Other crons read `5/15` as "from 5 on, each 15"; crontab(5) has no meaning for it.
            return range(low, (self.high if found["step"] else low) + 1, step)
        high = self._number(word, found["high"])
        if high < low and found["high"].lower() == "sun":
            high = 7  # `fri-sun`: the Sunday at the end of the week
        if high < low:
            reason = f"has range {found[0]} backwards"
            remedy = f"Write {found['low']}-{self.high},{self.low}-{found['high']} to go round the end"
            raise TriggerError("cron", self.name, word, reason, remedy)
        return range(low, high + 1, step)

    def _step(self, word: str, text: str | None) -> int:
        if text is None:
            return 1
        step, most = (int(text) if text.isdigit() else 0), self.high - self.low + 1
        if not 1 <= step <= most:
            remedy = f"Give a step from 1 to {most}, or use every(...) for longer periods"
            raise TriggerError("cron", self.name, word, f"has step {text}", remedy)
        return step

    def _number(self, word: str, text: str) -> int:
        if text.isdigit():
            return self._within(word, int(text), self.high, self.low)
        if text.lower() in self.names:
            return self.names.index(text.lower()) + self.low
        raise TriggerError("cron", self.name, word, _fault(text), self._remedy(text))

    def _within(self, word: str, number: int, high: int, low: int = 0) -> int:
        if low <= number <= high:
            return number
        raise TriggerError("cron", self.name, word, f"has {number}, out of bounds", self._remedy())

    def _weekday_of_month(self, word: str, item: str) -> tuple[int, int] | None:
        """Return what `fri#2`, `5#L`, `5L`, `L5` say: a weekday, and which one of the month."""
        found, last = _OF_MONTH.fullmatch(item), _LAST_OF_MONTH.fullmatch(item)
        if found is not None:
            weekday = WEEKDAY._number(word, found["day"])
            if found["number"].lower() in {"l", "last"}:
                return weekday % 7, LAST
            if found["number"].isdigit() and 1 <= int(found["number"]) <= _MOST_OF_MONTH:
                return weekday % 7, int(found["number"])
            remedy = "Give the first to fifth as fri#1 to fri#5, the last as fri#L"
            raise TriggerError("cron", self.name, word, f"has {item}, which no month has", remedy)
        if last is not None and self == WEEKDAY:
            return WEEKDAY._number(word, last["day"] or last["number"]) % 7, LAST
        return None

    def _remedy(self, text: str = "") -> str:
        names = f" or names {self.names[0]} to {self.names[-1]}" if self.names else ""
        special = ""
        if self == DAY:
            special = (
                ", the last day as `L`, three days before it as `L-3`, the weekday nearest to 15 as `15W`"
            )
        elif self == WEEKDAY:
            special = ", the second Friday of the month as `fri#2`, the last as `fri#L`"
        hint = did_you_mean(text.lower(), self.names)
        return (
            f"Give {self.low} to {self.high}{names}, as `*`, `1`, `1-5`, `*/2`, `1-5/2` or a list `1,3`"
            f"{special}.{hint}"
        )


def _fault(item: str) -> str:
    return f"has {item!r}, which means nothing here" if item else "has an empty place in its list"


SECOND = Field("second", 0, 59)
MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day of month", 1, 31)
MONTH = Field("month", 1, 12, _MONTHS)
WEEKDAY = Field("day of week", 0, 7, _WEEKDAYS)
WEEK = Field("week", 1, 53)
YEAR = Field("year", 1970, 9999)
