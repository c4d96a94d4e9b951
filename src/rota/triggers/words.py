"""Triggers in the words of a person."""

from collections.abc import Sequence
from datetime import datetime, timedelta

__all__ = ["crontab_words", "duration", "listed", "local_words", "moment_words"]

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ORDINALS = {
    "1": "first",
    "2": "second",
    "3": "third",
    "4": "fourth",
    "5": "fifth",
    "l": "last",
    "last": "last",
}
_UNITS = (
    ("week", timedelta(weeks=1)),
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
    ("second", timedelta(seconds=1)),
    ("millisecond", timedelta(milliseconds=1)),
    ("microsecond", timedelta.resolution),
)
_TIMES_LISTED = 6
_ANY = "*"


def crontab_words(expression: str, week: str, year: str, *, both: bool) -> str:
    """Return five or six fields as "every Monday at 08:00"; what has no short form is named by its field."""
    *seconds, minute, hour, day, month, weekday = expression.split()
    days = _days(day, month, weekday, both=both or day.startswith(_ANY) or weekday.startswith(_ANY))
    if week != _ANY:
        days += f" in week {week}"
    if year != _ANY:
        days += f" {'in' if week == _ANY else 'of'} {year}"
    times, often = _times(minute, hour)
    second = seconds[0] if seconds else "0"
    if second == "0":
        pass
    elif second.isdigit() and times.startswith("at ") and "," not in times and " " not in times[3:]:
        times = f"{times}:{int(second):02}"
    elif _is_step(second):
        times, often = f"every {_step(second, 'second')}, {times}", True
    else:
        times = f"{times}, at second {second}"
    if often:
        return times if days == "every day" else f"{times}, {days}"
    return f"{days} {times}"


def local_words(
    tz: str | None, start: datetime | None, end: datetime | None, jitter: timedelta, *policies: str
) -> str:
    """Return what follows the words of a trigger: its zone, its bounds, what was chosen for turned clocks."""
    words = f" {tz}" if tz else ""
    words += moment_words(("from", start), ("until", end))
    words += "".join(f", {policy}" for policy in policies)
    return words + (f", delayed by up to {duration(jitter)}" if jitter else "")


def moment_words(*moments: tuple[str, datetime | None]) -> str:
    """Return " from 2026-01-01 08:00 UTC" for each moment that is given."""
    return "".join(
        f" {word} {moment.replace(tzinfo=None).isoformat(' ').removesuffix(':00')} UTC"
        for word, moment in moments
        if moment is not None
    )


def duration(length: timedelta) -> str:
    """Return a length of time as "2 hours 30 minutes"."""
    parts, rest = [], length
    for name, unit in _UNITS:
        number, rest = divmod(rest, unit)
        if number:
            parts.append((number, name))
    return " ".join(f"{number} {name}{'s' if number > 1 else ''}" for number, name in parts)


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return "a, b and c"."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _times(minute: str, hour: str) -> tuple[str, bool]:
    """Return the times of a day, and whether they are better said before the days."""
    if _is_numbers(minute) and _is_numbers(hour):
        times = [f"{int(h):02}:{int(m):02}" for h in hour.split(",") for m in minute.split(",")]
        if len(times) <= _TIMES_LISTED:
            return f"at {listed(sorted(times))}", False
    past = "" if minute == "0" else f" at minute {minute}"
    every = f"every {_step(minute, 'minute')}" if _is_step(minute) else ""
    if hour == _ANY:
        return every or f"every hour{past}", True
    if _is_step(hour) and minute.isdigit():
        return f"every {_step(hour, 'hour')}{past}", True
    if every and not _is_range(hour):
        return f"{every} during hour {hour}", True
    if _is_range(hour) and (every or minute.isdigit()):
        first, last = (int(end) for end in hour.split("-"))
        from_, to = ("00", "59") if every else (minute.zfill(2), minute.zfill(2))
        return f"{every or 'every hour'} from {first:02}:{from_} to {last:02}:{to}", True
    return f"at minute {minute} of hour {hour}", True


def _days(day: str, month: str, weekday: str, *, both: bool) -> str:
    months = "" if month == _ANY else f" in {_named(month, _MONTHS, 1)}"
    dates = "" if day == _ANY else _dates(day)
    weekdays = "" if weekday == _ANY else f"every {_named(weekday, _WEEKDAYS, 0)}"
    if not dates and not weekdays:
        return f"every day{months}"
    if not dates:
        numbered = _numbered(weekday)
        return f"on {numbered}{months or ' of the month'}" if numbered else f"{weekdays}{months}"
    if not weekdays and day.isdigit() and month.isdigit():
        return f"every year on {int(day)} {_MONTHS[int(month) - 1]}"
    of = f" of {_named(month, _MONTHS, 1)}" if months else " of the month"
    if not weekdays:
        return f"on {dates}{of}"
    others = _numbered(weekday) or weekdays
    if both:
        return f"on {dates}{of} if it is {others.replace('every ', 'a ')}"
    return f"on {dates}{of} and {others}"


def _dates(day: str) -> str:
    words = []
    for item in day.split(","):
        text = item.lower().replace("last", "l")
        if text == "l":
            words.append("the last day")
        elif text.startswith("l-"):
            words.append(f"the day {text[2:]} before the last")
        elif text == "lw":
            words.append("the last weekday")
        elif text.endswith("w"):
            words.append(f"the weekday nearest to day {text[:-1]}")
        else:
            words.append(_numbered(item) or f"day {item}")
    return listed(words)


def _numbered(field: str) -> str:
    """Return `fri#2,fri#L` as "the second and last Friday"; an empty string if it is anything else."""
    words = []
    for item in field.split(","):
        name, _, number = item.lower().partition("#")
        if not number and len(name) > 1 and name.endswith("l"):
            name, number = name[:-1], "l"
        elif not number and len(name) > 1 and name.startswith("l"):
            name, number = name[1:], "l"
        if number not in _ORDINALS:
            return ""
        words.append(f"the {_ORDINALS[number]} {_name(name, _WEEKDAYS, 0)}")
    return listed(words)


def _named(field: str, names: Sequence[str], low: int) -> str:
    """Return numbers and short names in full; steps stay as they are."""
    if "/" in field or field.startswith(_ANY):
        return f"{'month' if low else 'weekday'} {field}"
    items = [" to ".join(_name(end, names, low) for end in item.split("-")) for item in field.split(",")]
    return listed(items)


def _name(word: str, names: Sequence[str], low: int) -> str:
    if word.isdigit():
        return names[int(word) - low]
    return next((name for name in names if name.lower().startswith(word.lower())), word)


def _is_numbers(field: str) -> bool:
    return all(item.isdigit() for item in field.split(","))


def _is_range(field: str) -> bool:
    first, _, last = field.partition("-")
    return first.isdigit() and last.isdigit()


def _is_step(field: str) -> bool:
    return field == _ANY or (field.startswith("*/") and field[2:].isdigit())


def _step(field: str, unit: str) -> str:
    number = int(field[2:] or 1)
    return unit if number == 1 else f"{number} {unit}s"
