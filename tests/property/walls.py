"""When a trigger that follows a clock on the wall ticks, found out by looking at that clock all the time.

It shares no code with Rota: only the standard library says what the clock shows.
"""

import functools
from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

__all__ = ["Change", "changes", "shown", "ticks"]

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


class Change(NamedTuple):
    """A moment (UTC) at which clocks are turned, with their lead over UTC until then and from then on."""

    at: datetime
    before: timedelta
    after: timedelta


def shown(moment: datetime, zone: str) -> datetime:
    """Return what a clock shows (naive)."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@functools.cache
def changes(zone: str) -> tuple[Change, ...]:
    """Return when clocks are turned from 2000 to 2040: day by day, then halving the day down to a minute."""
    found = []
    days = [datetime(2000, 1, 1, tzinfo=UTC) + DAY * number for number in range(41 * 365 + 11)]
    leads = [_lead(day, zone) for day in days]
    for day, before, after in zip(days, leads, leads[1:], strict=False):
        if before != after:
            minute = bisect_left(range(1440), 1, key=functools.partial(_is_after, day, after, zone))
            found.append(Change(day + MINUTE * minute, before, after))
    return tuple(found)


def ticks(
    fits: Callable[[datetime], bool],
    zone: str,
    start: datetime,
    end: datetime,
    *,
    skipped: str,
    repeated: str,
    step: timedelta = MINUTE,
    margin: timedelta = timedelta(hours=3),
) -> list[datetime]:
    """Return the ticks after `start` and not after `end`.

    Args:
        fits: whether a time that the clock shows is one to tick at.
        zone: an IANA name.
        start: a moment in UTC, a whole number of steps, as all changes are.
        end: another.
        skipped: "shift": times that the clock jumped over tick when it has jumped; "skip": they do not.
        repeated: of the moments at which it shows the same, which tick: "first", "second" or "both".
        step: how often to look.
        margin: how long to look before and after, so that the other pass of a repeated time is seen.
    """
    found: set[datetime] = set()
    passes: dict[datetime, list[datetime]] = {}
    previous: datetime | None = None
    for moment in _steps(start - margin, end + margin, step):
        wall = shown(moment, zone)
        passes.setdefault(wall, []).append(moment)
        jumped = (
            [] if previous is None or wall - previous <= step else list(_steps(previous + step, wall, step))
        )
        if skipped == "shift" and any(map(fits, jumped)):
            found.add(moment)
        previous = wall
    for wall, moments in passes.items():
        if fits(wall):
            found.update({"first": moments[:1], "second": moments[-1:], "both": moments}[repeated])
    return sorted(moment for moment in found if start < moment <= end)


def _steps(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    """Yield moments from `start` until before `end`."""
    while start < end:
        yield start
        start += step


def _is_after(day: datetime, after: timedelta, zone: str, minute: int) -> bool:
    return _lead(day + MINUTE * minute, zone) == after


def _lead(moment: datetime, zone: str) -> timedelta:
    return moment.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)
