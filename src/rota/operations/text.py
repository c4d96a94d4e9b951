"""Spans, moments and numbers in words for people."""

from datetime import datetime, timedelta

__all__ = ["clock", "counted", "relative", "span"]

TENTHS_BELOW = 10  # where they still matter to a reader
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def span(delta: timedelta) -> str:
    """Return a length of time by its two largest units, such as "3 min 5 s"; below a second in ms."""
    seconds = abs(delta.total_seconds())
    if seconds < 0.9995:  # noqa: PLR2004 - more would be written as 1000 ms
        return f"{_short(seconds * 1000)} ms"
    if seconds < TENTHS_BELOW:
        return f"{_short(seconds)} s"
    left, parts = round(seconds), []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0") if number < TENTHS_BELOW else f"{number:.0f}"


def relative(moment: datetime, now: datetime) -> str:
    """Return "in 3 min 5 s" or "3 min 5 s ago"."""
    return f"in {span(moment - now)}" if moment > now else f"{span(now - moment)} ago"


def clock(moment: datetime) -> str:
    """Return a moment to the second, in its own zone, such as "2026-03-29 01:00:00 UTC"."""
    return f"{moment:%Y-%m-%d %H:%M:%S} {moment.tzname() or ''}".rstrip()


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return "1 job", "2 jobs" or "12,000 jobs"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
