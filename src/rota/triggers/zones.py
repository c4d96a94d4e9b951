"""Local time: zones by name, and what happens where their clocks are turned."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from rota.model.errors import TriggerError, did_you_mean

__all__ = ["Turn", "find_zone", "instant", "offsets", "turn_at"]

_NONE = timedelta(0)
_SECOND = timedelta(seconds=1)


class Turn(NamedTuple):
    """A change of a zone's offset from UTC, as local clocks show it.

    Attributes:
        at: the UTC moment of the change.
        before: the offset until then.
        after: the offset from then on. If it is larger, local times from `at + before` up to `at + after` are
            skipped; if it is smaller, those from `at + after` up to `at + before` happen twice.
    """

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def skips(self) -> bool:
        """Whether local times are skipped; otherwise they are repeated."""
        return self.after > self.before

    @property
    def start(self) -> datetime:
        """The first local time that is skipped or repeated (naive)."""
        return self.at.replace(tzinfo=None) + min(self.before, self.after)

    @property
    def end(self) -> datetime:
        """The first local time that is not skipped or repeated any more (naive)."""
        return self.at.replace(tzinfo=None) + max(self.before, self.after)


@cache  # a zone is looked up for every tick; there are some 600 names
def find_zone(name: str) -> ZoneInfo:
    """Return the zone of an IANA name.

    Raises:
        TriggerError: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    # By Python and platform a name that is no file raises any of these (a folder: IsADirectoryError).
    except (KeyError, ValueError, OSError, TypeError):
        hint = did_you_mean(str(name), available_timezones())
        remedy = f"Give an IANA name such as 'Europe/Amsterdam'.{hint}"
        raise TriggerError("zone", "tz", name, "is not known", remedy) from None


def instant(wall: datetime, offset: timedelta) -> datetime:
    """Return the UTC moment at which a clock `offset` ahead of UTC shows the naive `wall`."""
    return (wall - offset).replace(tzinfo=UTC)


def offsets(wall: datetime, zone: ZoneInfo) -> tuple[timedelta, timedelta]:
    """Return the offsets from UTC of both readings of the naive local time `wall` (PEP 495).

    They are equal when it happens exactly once. Otherwise it is skipped or repeated, and they are the offsets
    before and after the change.
    """
    first, second = zone.utcoffset(wall), zone.utcoffset(wall.replace(fold=1))
    return first or _NONE, second or _NONE


def turn_at(wall: datetime, before: timedelta, after: timedelta, zone: ZoneInfo) -> Turn:
    """Return the change that skips or repeats the naive `wall`, whose `offsets` are `before` and `after`.

    The standard library does not tell the moment of a change, but it lies between the two readings of `wall`.
    """
    early, late = sorted((instant(wall, before), instant(wall, after)))
    while late - early > _SECOND:
        middle = early + (late - early) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == after:
            late = middle
        else:
            early = middle
    return Turn(late, before, after)
