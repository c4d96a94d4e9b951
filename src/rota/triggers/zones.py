"""Local time: zones by name, and what happens where their clocks are turned."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Literal, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from rota.model.errors import TriggerError, did_you_mean

__all__ = ["EPOCH", "NextWall", "Repeated", "Skipped", "Timeline", "Turn", "find_zone", "timeline", "turns"]

NextWall: TypeAlias = Callable[[int], int | None]
"""Finds the first local second, at or after a given one, at which a trigger ticks."""

Skipped: TypeAlias = Literal["skip", "shift"]
Repeated: TypeAlias = Literal["first", "second", "both"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Where seconds are counted from, in UTC and on local clocks."""

_DAY = 86_400
_BLOCK = 23  # bits: blocks of 2²³ seconds, some 97 days
_PROBE = 3 * _DAY  # never, in any zone, were clocks turned twice within so short a time
_FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // timedelta(seconds=1) + _DAY
_LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(seconds=1) - _DAY
_BLOCKS_KEPT = 1_000


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


class _Offset(NamedTuple):
    """Seconds of UTC from `start` up to `end`, in which a zone is `offset` seconds ahead.

    `before` and `after` are the offsets on either side; they differ from `offset` where clocks are turned.
    """

    start: int
    end: int
    before: int
    offset: int
    after: int


class _Stretch(NamedTuple):
    """A time of one offset, with what a policy for turned clocks makes of its two ends.

    Attributes:
        start: the second of UTC at which it begins.
        end: that at which it has ended.
        offset: seconds ahead of UTC.
        lowest: the first local second that counts.
        limit: the second of UTC from which on local times do not count, as they come again.
        settled: local seconds below are not shown again after `end`.
    """

    start: int
    end: int
    offset: int
    lowest: int
    limit: int
    settled: int


_ALWAYS_UTC = _Stretch(-(10**12), 10**12, offset=0, lowest=-(10**12), limit=10**12, settled=10**12)
_NEVER = _Stretch(0, 0, offset=0, lowest=0, limit=0, settled=0)


class Timeline:
    """One zone under one policy: from local times to moments, and back.

    Moments are whole seconds of UTC since `EPOCH`, local times whole seconds of a local clock since it showed
    1970-01-01 00:00. Made by `timeline`.
    """

    __slots__ = ("_blocks", "_last", "_repeated", "_skipped", "_zone")

    def __init__(self, zone: ZoneInfo, skipped: Skipped, repeated: Repeated) -> None:
        self._zone, self._skipped, self._repeated = zone, skipped, repeated
        self._blocks: dict[int, tuple[_Stretch, ...]] = {}
        self._last = _ALWAYS_UTC if zone.key == "UTC" else _NEVER

    def tick_after(self, moment: int, next_wall: NextWall) -> int | None:
        """Return the first tick after `moment`; None when there is none.

        Args:
            moment: seconds of UTC.
            next_wall: returns the first local second at or after the given one at which the trigger ticks.
        """
        start, end, offset, lowest, limit, settled = self._last
        if not start <= moment < end:
            start, end, offset, lowest, limit, settled = self._find(moment)
        wall = moment + offset + 1
        # At the start of a stretch `lowest` reaches back into the gap, or spares what was shown before.
        if wall < lowest:  # noqa: PLR1730 - a call of max() for each tick would be felt
            wall = lowest
        found = next_wall(wall)
        while True:
            if found is not None:
                tick = found - offset
                if tick < limit:
                    return tick if tick > start else start  # noqa: FURB136 - as above
            elif wall <= settled:
                return None
            if found is not None and wall <= settled and found - _DAY > end:
                # Nothing fits until then, whatever the offset: none is as long as a day.
                start, end, offset, wall, limit, settled = self._find(found - _DAY)
            else:
                start, end, offset, wall, limit, settled = self._find(end)
                found = next_wall(wall)

    def _find(self, moment: int) -> _Stretch:
        block = moment >> _BLOCK
        stretches = self._blocks.get(block)
        if stretches is None:
            if len(self._blocks) >= _BLOCKS_KEPT:
                self._blocks.clear()
            stretches = tuple(map(self._judged, _offsets(self._zone, block)))
            self._blocks[block] = stretches
        for stretch in stretches:
            if moment < stretch.end:
                self._last = stretch
                return stretch
        raise AssertionError(moment)  # a block's stretches cover it

    def _judged(self, part: _Offset) -> _Stretch:
        """Apply the policy to the two ends of a stretch."""
        start, end, before, offset, after = part
        counts_back = before < offset and self._skipped == "shift"  # times of the gap tick at its end
        counts_once = before > offset and self._repeated == "first"  # times shown before are spared
        comes_again = offset > after and self._repeated == "second"
        return _Stretch(
            start,
            end,
            offset,
            lowest=start + (before if counts_back or counts_once else offset),
            limit=end - (offset - after if comes_again else 0),
            settled=end + min(offset, after),
        )


@cache
def timeline(zone: str, skipped: Skipped, repeated: Repeated) -> Timeline:
    """Return the one timeline of a zone and a policy: what it has found out about the zone is kept.

    Args:
        zone: an IANA name.
        skipped: what becomes of local times that are skipped: "shift" ticks once right after the gap, "skip"
            not at all.
        repeated: in which pass repeated local times tick.

    Raises:
        TriggerError: there is no such zone.
    """
    return Timeline(find_zone(zone), skipped, repeated)


def turns(zone: str, after: datetime, until: datetime) -> list[Turn]:
    """Return the changes of a zone's offset after `after` and not after `until` (both aware).

    Raises:
        TriggerError: there is no such zone.
    """
    second = timedelta(seconds=1)
    first, last = (after - EPOCH) // second, (until - EPOCH) // second
    return [
        Turn(EPOCH + part.start * second, part.before * second, part.offset * second)
        for block in range(first >> _BLOCK, (last >> _BLOCK) + 1)
        for part in _offsets(find_zone(zone), block)
        if part.before != part.offset and first < part.start <= last
    ]


@cache  # a zone is looked up for every schedule; there are some 600 names
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


@lru_cache(maxsize=_BLOCKS_KEPT)  # the policies of a zone share what was found
def _offsets(zone: ZoneInfo, block: int) -> tuple[_Offset, ...]:
    """Return the times of one offset that make up a block, in order."""
    return tuple(_find_offsets(zone, block))


def _find_offsets(zone: ZoneInfo, block: int) -> Iterator[_Offset]:
    start, end = block << _BLOCK, block + 1 << _BLOCK
    before, offset = _offset(zone, start - 1), _offset(zone, start)
    for probe in range(start + _PROBE, end + _PROBE, _PROBE):
        late = min(probe, end)
        after = _offset(zone, late)
        if after != offset:
            change = _change(zone, late - _PROBE, late, after)
            if change == end:
                break
            yield _Offset(start, change, before, offset, after)
            start, before, offset = change, offset, after
    yield _Offset(start, end, before, offset, _offset(zone, end))


def _change(zone: ZoneInfo, early: int, late: int, after: int) -> int:
    """Return the second at which a zone takes on the offset `after`, which it has at `late`."""
    while late - early > 1:
        middle = (early + late) // 2
        if _offset(zone, middle) == after:
            late = middle
        else:
            early = middle
    return late


def _offset(zone: ZoneInfo, moment: int) -> int:
    local = (EPOCH + timedelta(seconds=min(max(moment, _FIRST), _LAST))).astimezone(zone)
    return (local.utcoffset() or timedelta(0)) // timedelta(seconds=1)
