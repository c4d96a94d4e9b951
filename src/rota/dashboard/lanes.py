"""The timeline as geometry: ticks, jobs and turned clocks of a schedule on a line of 100 percent."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from msgspec import Struct

from rota.model.job import JobRecord
from rota.model.schedule import ScheduleRecord, TickRecord
from rota.operations.text import clock, counted, span
from rota.triggers.base import Trigger
from rota.triggers.zones import Turn, find_zone, turns

__all__ = ["Happening", "Lane", "Mark", "Stretch", "Window", "make_lane"]

WHOLE = 100
CROWDED = 120  # marks of a lane; where there are more, those that touch become one stretch
TOUCHING = 0.5
SHORTEST = 0.3
MOST_AHEAD = 400


class Window(Struct, frozen=True):
    """The time that is shown."""

    start: datetime
    now: datetime
    end: datetime

    def x(self, at: datetime) -> float:
        """Return where a moment lies."""
        return round(WHOLE * ((at - self.start) / (self.end - self.start)), 2)

    def holds(self, at: datetime) -> bool:
        """Tell whether a moment is shown."""
        return self.start <= at <= self.end


class Mark(Struct, frozen=True):
    """A moment; `kind` is fired, missed, skipped, paused, backfill, coming or turn."""

    x: float
    kind: str
    text: str


class Stretch(Struct, frozen=True):
    """A length of time; `kind` as of a mark, or run, beside (a job that ran beside another), gap."""

    x: float
    width: float
    kind: str
    text: str


class Happening(Struct, frozen=True):
    """A line of the timeline as text."""

    at: datetime
    schedule: str
    text: str
    job: UUID | None = None


class Lane(Struct, frozen=True):
    """One schedule on the line."""

    schedule: ScheduleRecord
    marks: Sequence[Mark]
    stretches: Sequence[Stretch]
    happenings: Sequence[Happening]
    text: str


def make_lane(
    schedule: ScheduleRecord,
    trigger: Trigger,
    ticks: Sequence[TickRecord],
    jobs: Mapping[UUID, JobRecord],
    window: Window,
) -> Lane:
    """Draw one schedule.

    Args:
        schedule: whose lane it is.
        trigger: its trigger.
        ticks: those in the window, newest first.
        jobs: the jobs that they made, as far as they are there still.
        window: the time that is shown.
    """
    past = [_tick_mark(one, window) for one in reversed(ticks) if window.holds(one.due)]
    coming, whole = _coming(schedule, trigger, window)
    ahead = [Mark(window.x(at), "coming", f"due {clock(at)}") for at in coming]
    stretches = [*_missed(ticks, window), *_runs(ticks, jobs, window)]
    if not whole:
        end = Stretch(window.x(coming[-1]), WHOLE - window.x(coming[-1]), "coming", "and so on")
        stretches.append(end)
    turned = _turned(schedule, window)
    marks, crowds = _thinned([*past, *ahead])
    return Lane(
        schedule=schedule,
        marks=[*marks, *(Mark(window.x(one.at), "turn", _turn_text(one, schedule)) for one in turned)],
        stretches=[*crowds, *stretches],
        happenings=sorted(_happenings(schedule, ticks, coming, turned), key=lambda one: one.at),
        text=_summary(schedule, ticks, coming, stretches, whole=whole),
    )


def _coming(schedule: ScheduleRecord, trigger: Trigger, window: Window) -> tuple[list[datetime], bool]:
    """Return the moments to come, and whether these are all of the window."""
    if schedule.paused_at is not None or schedule.next_at is None:
        return [], True
    moments: list[datetime] = []
    at: datetime | None = schedule.next_at
    while at is not None and at <= window.end:
        if len(moments) == MOST_AHEAD:
            return moments, False
        moments.append(at)
        at = trigger.next_after(at)
    return moments, True


def _tick_mark(tick: TickRecord, window: Window) -> Mark:
    kind = "backfill" if tick.source == "backfill" else tick.state
    return Mark(window.x(tick.due), kind, _tick_text(tick))


def _tick_text(tick: TickRecord) -> str:
    text = f"{tick.state} {clock(tick.due)}"
    if tick.source == "backfill":
        text = f"backfilled {clock(tick.due)}"
    if tick.reason:
        text += f": {tick.reason}"
    if tick.missed:
        text += f", with {counted(tick.missed, 'moment')} missed before"
    late = tick.fired_at - tick.due
    if tick.source != "backfill" and late > timedelta(seconds=1):
        text += f", {span(late)} late"
    return text


def _missed(ticks: Iterable[TickRecord], window: Window) -> list[Stretch]:
    """Return the ranges of missed moments."""
    ranges = []
    for one in ticks:
        if one.missed_from is not None and one.missed and one.due > window.start:
            left = window.x(max(one.missed_from, window.start))
            text = f"{counted(one.missed, 'moment')} missed from {clock(one.missed_from)}"
            ranges.append(Stretch(left, max(SHORTEST, window.x(one.due) - left), "missed", text))
    return ranges


def _runs(ticks: Iterable[TickRecord], jobs: Mapping[UUID, JobRecord], window: Window) -> list[Stretch]:
    """Return how long the jobs ran, with a kind of its own for those that ran beside another."""
    spans = []
    for one in ticks:
        job = jobs.get(one.job) if one.job else None
        if job is not None and job.started_at is not None:
            spans.append((job.started_at, job.finished_at or window.now, job))
    spans.sort(key=lambda one: (one[0], one[1]))
    beside = {
        job.id
        for (_, end, first), (start, _, second) in pairwise(spans)
        if start < end
        for job in (first, second)
    }
    stretches = []
    for start, end, job in spans:
        left = window.x(max(start, window.start))
        right = window.x(min(max(end, window.start), window.end))
        kind = "beside" if job.id in beside else "failed" if job.state == "failed" else "run"
        extra = ", beside another of this schedule" if kind == "beside" else ""
        text = f"job {job.state}, ran {span(end - start)} from {clock(start)}{extra}"
        stretches.append(Stretch(left, max(SHORTEST, round(right - left, 2)), kind, text))
    return stretches


def _turned(schedule: ScheduleRecord, window: Window) -> list[Turn]:
    zone = schedule.trigger.get("tz")
    return turns(zone, window.start, window.end) if zone else []


def _turn_text(turn: Turn, schedule: ScheduleRecord) -> str:
    local = turn.at.astimezone(find_zone(schedule.trigger["tz"]))
    way = "forward" if turn.skips else "back"
    return f"clocks go {way} by {span(abs(turn.after - turn.before))}, to {clock(local)}"


def _thinned(marks: Sequence[Mark]) -> tuple[list[Mark], list[Stretch]]:
    """Return marks, and stretches for those that would hide one another."""
    if len(marks) <= CROWDED:
        return list(marks), []
    groups: list[list[Mark]] = []
    for one in sorted(marks, key=lambda mark: mark.x):
        last = groups[-1][-1] if groups else None
        if last is not None and last.kind == one.kind and one.x - last.x <= TOUCHING:
            groups[-1].append(one)
        else:
            groups.append([one])
    single = [group[0] for group in groups if len(group) == 1]
    crowds = [
        Stretch(
            group[0].x,
            max(SHORTEST, round(group[-1].x - group[0].x, 2)),
            group[0].kind,
            f"{counted(len(group), 'moment')}, {group[0].text} to {group[-1].text}",
        )
        for group in groups
        if len(group) > 1
    ]
    return single, crowds


def _happenings(
    schedule: ScheduleRecord, ticks: Sequence[TickRecord], coming: Sequence[datetime], turned: Sequence[Turn]
) -> Iterable[Happening]:
    for tick in ticks:
        yield Happening(tick.due, schedule.id, _tick_text(tick), tick.job)
    for at in coming:
        yield Happening(at, schedule.id, f"due {clock(at)}")
    for turn in turned:
        yield Happening(turn.at, schedule.id, _turn_text(turn, schedule))


def _summary(
    schedule: ScheduleRecord,
    ticks: Sequence[TickRecord],
    coming: Sequence[datetime],
    stretches: Sequence[Stretch],
    *,
    whole: bool,
) -> str:
    """Return what the picture shows in one sentence."""
    fired = sum(one.state == "fired" for one in ticks)
    missed = sum(one.missed + (one.state == "missed") for one in ticks)
    skipped = sum(one.state == "skipped" for one in ticks)
    beside = sum(one.kind == "beside" for one in stretches)
    parts = [counted(fired, "tick")]
    parts += [f"{missed} missed"] if missed else []
    parts += [f"{skipped} skipped"] if skipped else []
    parts += [f"{counted(beside, 'job')} at the same time"] if beside else []
    if schedule.paused_at is not None:
        parts.append("paused")
    elif coming:
        parts.append(f"{'' if whole else 'more than '}{len(coming)} to come, the next {clock(coming[0])}")
    else:
        parts.append("none to come")
    return f"{schedule.id}: {', '.join(parts)}"
