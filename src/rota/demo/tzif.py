"""Reads a compiled time zone file: RFC 9636, the 64-bit block and the rule that follows it."""

import calendar
import re
import struct
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import NamedTuple

__all__ = ["LAST_YEAR", "Change", "read_changes"]

# Rules have no end: they are followed to here.
LAST_YEAR = 2039

_HEADER = struct.Struct(">4sc15x6I")
_KIND = struct.Struct(">iBB")
_END = calendar.timegm((LAST_YEAR + 1, 1, 1, 0, 0, 0))
_HOUR = 3600
_YEAR = 31_556_952

_NAME = r"(<[^>]+>|[A-Za-z]+)"
_TIME = r"([+-]?\d+(?::\d+){0,2})"
_DAY = rf"M(\d+)\.(\d+)\.(\d+)(?:/{_TIME})?"
_RULE = re.compile(rf"{_NAME}{_TIME}{_NAME}{_TIME}?,{_DAY},{_DAY}")


class Change(NamedTuple):
    """A moment (seconds since 1970) at which a zone's local time changed; offsets are seconds east of UTC."""

    at: int
    before: int
    after: int
    is_dst: bool
    abbreviation: str


class _Start(NamedTuple):
    """From `at` on, local time is this."""

    at: int
    offset: int
    is_dst: bool
    abbreviation: str


def read_changes(data: bytes) -> list[Change]:
    """Return every change of a zone until the end of LAST_YEAR: those of the file, then those of its rule.

    Raises:
        ValueError: the data is no time zone file of version 2 or later.
    """
    starts, rule = _read(data)
    starts += [start for start in _follow(rule, starts[-1].at) if start.at > starts[-1].at]
    return [
        Change(start.at, before.offset, start.offset, start.is_dst, start.abbreviation)
        for before, start in pairwise(starts)
        if start.at < _END
    ]


def _read(data: bytes) -> tuple[list[_Start], str]:
    # The file begins with a 32-bit block for old readers, which is skipped.
    begin = _HEADER.size + _length(_header(data, 0), width=4)
    sizes = _header(data, begin)
    times, kinds, letters = sizes[3:]
    begin += _HEADER.size
    moments = struct.unpack_from(f">{times}q", data, begin)
    indexes = struct.unpack_from(f">{times}B", data, begin + 8 * times)
    begin_kinds = begin + 9 * times
    begin_names = begin_kinds + _KIND.size * kinds
    names = data[begin_names : begin_names + letters]

    def start(at: int, index: int) -> _Start:
        offset, is_dst, name = _KIND.unpack_from(data, begin_kinds + _KIND.size * index)
        return _Start(at, offset, bool(is_dst), names[name : names.index(0, name)].decode())

    # Before the first moment the first kind of local time holds.
    starts = [start(-(2**63), 0), *map(start, moments, indexes)]
    return starts, data[begin + _length(sizes, width=8) :].strip(b"\n").decode()


def _header(data: bytes, begin: int) -> tuple[int, ...]:
    """Return the sizes of what follows a header."""
    magic, version, *sizes = _HEADER.unpack_from(data, begin)
    if magic != b"TZif" or version < b"2":
        raise ValueError("not a time zone file of version 2 or later")
    return tuple(sizes)


def _length(sizes: tuple[int, ...], *, width: int) -> int:
    universal, standard, leaps, times, kinds, letters = sizes
    return times * (width + 1) + kinds * _KIND.size + letters + leaps * (width + 4) + standard + universal


def _follow(rule: str, since: int) -> Iterator[_Start]:
    """Yield summer and winter of every year by a rule such as `CET-1CEST,M3.5.0,M10.5.0/3`."""
    match = _RULE.fullmatch(rule)
    if match is None:
        return  # this zone no longer changes its clocks
    winter_name, west, summer_name, summer_west, *days = match.groups()
    winter = -_seconds(west)
    summer = -_seconds(summer_west) if summer_west else winter + _HOUR
    for year in range(_year(since), LAST_YEAR + 1):
        begins = _Start(_moment(year, *days[:4]) - winter, summer, True, summer_name.strip("<>"))  # noqa: FBT003 - as in the file
        ends = _Start(_moment(year, *days[4:]) - summer, winter, False, winter_name.strip("<>"))  # noqa: FBT003
        yield from sorted((begins, ends))


def _moment(year: int, month: str, week: str, weekday: str, time: str | None) -> int:
    """Return the local moment of, say, 10.5.0/3: 03:00 on the fifth (that is, last) Sunday of October."""
    first = date(year, int(month), 1)
    day = 1 + (int(weekday) - first.isoweekday()) % 7 + 7 * (int(week) - 1)
    if day > calendar.monthrange(year, first.month)[1]:
        day -= 7
    return calendar.timegm((year, first.month, day, 0, 0, 0)) + (_seconds(time) if time else 2 * _HOUR)


def _seconds(text: str) -> int:
    parts = [int(part) for part in text.lstrip("+-").split(":")]
    total = sum(part * unit for part, unit in zip(parts, (_HOUR, 60, 1), strict=False))
    return -total if text.startswith("-") else total


def _year(at: int) -> int:
    # A zone whose rule has always held gets it from 1970 on.
    return max(1970, 1970 + at // _YEAR)
