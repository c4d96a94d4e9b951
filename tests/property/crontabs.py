"""Random crontab lines, each with what it means, so that no oracle has to read one."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from hypothesis import strategies as st

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

# 28 years hold each date on each weekday, 29 February included.
_EVERY_DAY = tuple(date(2000, 1, 1) + timedelta(days=days) for days in range(28 * 366 - 21))


@dataclass(frozen=True)
class Field:
    """The text of one field, and the numbers it stands for."""

    text: str
    numbers: frozenset[int] = field(repr=False)

    @property
    def star(self) -> bool:
        return self.text.startswith("*")


@dataclass(frozen=True)
class Line:
    """A crontab line that somebody might write, or nearly."""

    minute: Field
    hour: Field
    day: Field
    month: Field
    weekday: Field

    @property
    def text(self) -> str:
        return " ".join(part.text for part in (self.minute, self.hour, self.day, self.month, self.weekday))

    @property
    def wildcard(self) -> bool:
        return self.minute.star or self.hour.star

    @property
    def possible(self) -> bool:
        return any(map(self.fits_day, _EVERY_DAY))

    def fits(self, wall: datetime) -> bool:
        return wall.minute in self.minute.numbers and wall.hour in self.hour.numbers and self.fits_day(wall)

    def fits_day(self, day: date) -> bool:
        by_date = day.day in self.day.numbers
        by_weekday = day.isoweekday() % 7 in self.weekday.numbers
        both = self.day.star or self.weekday.star
        fits = (by_date and by_weekday) if both else (by_date or by_weekday)
        return fits and day.month in self.month.numbers


@st.composite
def _items(draw: st.DrawFn, low: int, high: int, names: tuple[str, ...]) -> Field:
    """One place of a list: a star, a number or name, or a range; with or without a step."""
    first = draw(st.integers(low, high))
    last = draw(st.integers(min(first + 1, high), high))  # cronsim misreads `0-0/2` as `0-23/2`
    step = draw(st.integers(1, high - low + 1))
    spelled = draw(st.sampled_from([str(first), f"{first:02}", *names[first - low : first - low + 1]]))
    meanings = {
        "*": range(low, high + 1),
        f"*/{step}": range(low, high + 1, step),
        draw(st.sampled_from([spelled, spelled.upper(), spelled.title()])): range(first, first + 1),
        f"{spelled}-{last}": range(first, last + 1),
        f"{first}-{last}/{step}": range(first, last + 1, step),
        f"{first}/{step}": range(first, high + 1, step),
    }
    text = draw(st.sampled_from(list(meanings)))
    return Field(text, frozenset(meanings[text]))


@st.composite
def fields(draw: st.DrawFn, low: int, high: int, names: tuple[str, ...] = ()) -> Field:
    items = draw(st.lists(_items(low, high, names), min_size=1, max_size=3))
    numbers = frozenset[int]().union(*(item.numbers for item in items))
    if names is WEEKDAYS:
        numbers = frozenset(number % 7 for number in numbers)
    return Field(",".join(item.text for item in items), numbers)


def _or_star(fields: st.SearchStrategy[Field], low: int, high: int) -> st.SearchStrategy[Field]:
    """Stars far more often than chance would have them, as in life: without, days seldom come."""
    return st.one_of(st.just(Field("*", frozenset(range(low, high + 1)))), fields)


lines = st.builds(
    Line,
    minute=_or_star(fields(0, 59), 0, 59),
    hour=_or_star(fields(0, 23), 0, 23),
    day=_or_star(fields(1, 31), 1, 31),
    month=_or_star(fields(1, 12, MONTHS), 1, 12),
    weekday=_or_star(fields(0, 7, WEEKDAYS), 0, 6),
)
"""Lines of five fields, some of which can never fit (`possible` tells)."""


@st.composite
def _special_lines(draw: st.DrawFn) -> str:
    """A line whose day is the last of the month, or a numbered weekday, spelled as cronsim does."""
    day = draw(st.sampled_from(["L", "LW", "L,15", "5L", "FRI#2", "1#5", "MON#1,WED#3", "0#L"]))
    day = day.replace("0#L", "0L")
    month = draw(st.sampled_from(["*", "2", "1-6", "*/5"]))
    hour, minute = draw(st.integers(0, 23)), draw(st.integers(0, 59))
    if day[0] == "L":
        return f"{minute} {hour} {day} {month} *"
    return f"{minute} {hour} * {month} {day}"


special_lines = _special_lines()
