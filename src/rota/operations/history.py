"""What schedules did: moments of the past are run, and stored history is held against the definitions."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from rota.engine.planning import read_trigger
from rota.model.errors import ConfigurationError
from rota.model.schedule import BACKFILL, ScheduleVersion, Tick, TickRecord
from rota.operations.schedules import get, submission_of
from rota.policy.overlap import Overlap
from rota.ports.schedules import Audit
from rota.ports.store import Store
from rota.triggers.base import Trigger

__all__ = ["MOST_BACKFILLED", "Finding", "backfill", "verify"]

MOST_BACKFILLED = 10_000
"""How many moments one backfill runs at most."""

_TICK = timedelta.resolution
_PAGE = 5_000
_FOUND = 1_000


class Finding(Struct, frozen=True):
    """A fault in the stored history of a schedule.

    Args:
        schedule: its id.
        kind: "lost", "double", "early", "wrong_version", "wrong_moment", "wrong_count", "lost_job" or
            "stray_job".
        at: the moment that it is about.
        text: what is wrong, in words.
    """

    schedule: str
    kind: str
    at: datetime
    text: str


async def backfill(store: Store, name: str, first: datetime, last: datetime) -> int:
    """Run the moments of a schedule from `first` to `last` that have had no job, oldest first.

    Moments that the scheduler still has in hand are left to it. Asked for a second time, it runs nothing.
    Unless its overlap is "allow", one job runs after another.

    Returns:
        How many moments are run.

    Raises:
        NotFoundError: there is no such schedule.
        ConfigurationError: a moment is without a zone, the range is empty, in the future, or too long.
    """
    schedule = await get(store, name)
    now = await store.insight.now()
    _check_range(first, last, now)
    trigger = read_trigger(schedule)
    if schedule.next_at is not None:
        last = min(last, schedule.next_at - _TICK)
    ticks = []
    moment = trigger.next_after(first - _TICK)
    while moment is not None and moment <= last:
        ticks.append(
            Tick(
                schedule=schedule.id,
                version=schedule.version,
                due=moment,
                at=moment,
                next_at=None,
                state="fired",
                submission=submission_of(schedule, moment, in_line=schedule.overlap != Overlap.ALLOW),
                overlap=schedule.overlap,
            )
        )
        if len(ticks) > MOST_BACKFILLED:
            raise ConfigurationError(
                [f"to {last}: more than {MOST_BACKFILLED} moments lie in the range. Give a shorter one"]
            )
        moment = trigger.next_after(moment)
    return await store.schedules.backfill(ticks)


def _check_range(first: datetime, last: datetime, now: datetime) -> None:
    faults = [
        f"{name} {moment}: it has no time zone. Give an offset, for example 2026-01-31T08:00+00:00"
        for name, moment in (("from", first), ("to", last))
        if moment.tzinfo is None
    ]
    if not faults and last < first:
        faults.append(f"to {last}: it is before from {first}. Swap them")
    if not faults and last > now:
        faults.append(f"to {last}: it is not past (it is {now} now). Give an earlier moment")
    if faults:
        raise ConfigurationError(faults)


async def verify(store: Store, name: str, since: datetime) -> list[Finding]:
    """Recompute what a schedule should have done since a moment, and say where history differs.

    Each version of its definition is held against the ticks that were written under it: every moment is in
    exactly one of them, as its own or in its range of missed ones, none was written before its moment; and
    ticks and jobs know each other. Ticks older than the retention are gone: give no earlier moment.

    Args:
        store: where the schedule is or was.
        name: its id; one that was removed is verified too.
        since: from when on.

    Raises:
        ConfigurationError: there never was a schedule of this id.
    """
    versions = await store.schedules.versions(name)
    if not versions:
        schedule = await get(store, name)
        versions = await store.schedules.versions(schedule.id)
        name = schedule.id
    # Read before the ticks: what happens meanwhile is not missed.
    present = await store.schedules.get(name)
    ticks = [one for one in await _all_ticks(store, name, since) if one.source != BACKFILL]
    audit = await store.schedules.audit(name, since)
    found: list[Finding] = []
    known = {one.version for one in versions if one.definition is not None}
    for one in ticks:
        if one.version not in known:
            text = f"it was written under version {one.version}, which never was"
            found.append(Finding(name, "wrong_version", one.due, text))
    for place, version in enumerate(versions):
        if version.definition is not None:
            following = versions[place + 1] if place + 1 < len(versions) else None
            end = following.closed_at if following is not None else present.next_at if present else None
            of_version = [one for one in ticks if one.version == version.version]
            found += _VersionCheck(version, end, since).check(of_version)
    return sorted([*found, *_of_jobs(name, audit)], key=lambda one: (one.at, one.kind))[:_FOUND]


async def _all_ticks(store: Store, name: str, since: datetime) -> list[TickRecord]:
    """Return the ticks from a moment on, oldest first."""
    ticks: list[TickRecord] = []
    before = None
    while True:
        page = await store.schedules.ticks(name, limit=_PAGE, before=before)
        # Of a moment that has two rows one may be on the next page: it is read with that.
        whole = page if len(page) < _PAGE else [one for one in page if one.due > page[-1].due]
        ticks += [one for one in whole if one.due >= since]
        if len(page) < _PAGE or page[-1].due < since:
            return ticks[::-1]
        before = page[-1].due + _TICK


def _of_jobs(schedule: str, audit: Audit) -> Iterator[Finding]:
    for job, at in audit.strays:
        yield Finding(
            schedule, "stray_job", at, f"job {job} stands for it, and its tick does not know that job"
        )
    for at in audit.lost:
        yield Finding(schedule, "lost_job", at, "its tick names a job that is nowhere")


class _VersionCheck:
    """Walks the moments of one version and its ticks side by side."""

    def __init__(self, version: ScheduleVersion, end: datetime | None, since: datetime) -> None:
        assert version.definition is not None  # noqa: S101 - the caller has looked
        self._schedule = version.schedule
        self._trigger: Trigger = read_trigger(version.definition)
        self._start = version.next_at
        self._end = end
        self._since = since
        self._found: list[Finding] = []

    def check(self, ticks: Sequence[TickRecord]) -> list[Finding]:
        """Return what is wrong with the ticks of this version, which come oldest first."""
        cursor = self._start
        if cursor is not None and cursor < self._since:
            cursor = self._trigger.next_after(self._since - _TICK)
        for one in ticks:
            cursor = self._tick(one, cursor)
        if cursor is not None and (self._end is None or cursor < self._end):
            self._lost(cursor, self._end)
        return self._found

    def _tick(self, one: TickRecord, cursor: datetime | None) -> datetime | None:
        """Check one tick against the moment that should come next; returns the moment after it."""
        first = one.missed_from or one.due
        if one.fired_at < one.due:
            self._note("early", one.due, f"it was written at {one.fired_at}")
        if self._end is not None and one.due >= self._end:
            self._note("wrong_version", one.due, f"its version was handled up to {self._end} only")
        if self._start is None or one.due < self._start:
            self._note("wrong_version", one.due, f"its version began with {self._start}")
            return cursor
        if not self._is_moment(one.due):
            self._note("wrong_moment", one.due, f"{self._trigger} has no such moment")
            return cursor
        if cursor is None or one.due < cursor:
            self._note("double", one.due, "an earlier tick covers it")
            return cursor
        if first > cursor:
            self._lost(cursor, first)
        elif first < cursor and first >= self._since:
            self._note("double", first, "an earlier tick covers it, and a range of missed ones does as well")
        self._count(one, max(first, cursor))
        return self._trigger.next_after(one.due)

    def _count(self, one: TickRecord, first: datetime) -> None:
        """Check how many missed moments a range holds; beyond what was counted "or more" is right."""
        if one.missed_from is None or first != one.missed_from:
            return
        counted = self._trigger.count(first - _TICK, one.due - _TICK, one.missed + 1)
        if counted < one.missed:
            text = f"{one.missed} moments are recorded as missed, and there are {counted}"
            self._note("wrong_count", one.due, text)

    def _is_moment(self, moment: datetime) -> bool:
        return self._trigger.next_after(moment - _TICK) == moment

    def _lost(self, first: datetime, end: datetime | None) -> None:
        number = 0
        moment: datetime | None = first
        while moment is not None and (end is None or moment < end) and number < _FOUND:
            self._note("lost", moment, "no tick covers it")
            number += 1
            moment = self._trigger.next_after(moment)

    def _note(self, kind: str, at: datetime, text: str) -> None:
        self._found.append(Finding(self._schedule, kind, at, text))
