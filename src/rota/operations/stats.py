"""How attempts went over time, per queue and task."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from rota.model.clock import from_micros, to_micros
from rota.model.errors import ConfigurationError
from rota.model.trail import BUCKETS, StatRow, upper_bound
from rota.ports.store import Store

__all__ = ["MINUTE", "Point", "points", "quantile"]

MINUTE = timedelta(minutes=1)
MOST_POINTS = 2_000
LONGEST = timedelta(days=31)


class Point(Struct, frozen=True, kw_only=True):
    """What ended in one stretch of time, in one queue, of one task.

    Args:
        at: when the stretch begins.
        queue: where the jobs waited.
        task: what ran.
        outcomes: how many attempts ended how.
        wait: mean seconds from ready to started.
        duration: mean seconds of an attempt.
        wait_p95: seconds below which 95 % waited, rounded up to a power of two of milliseconds.
        duration_p50: the same for the duration, of half of them.
        duration_p95: the same, of 95 %.
    """

    at: datetime
    queue: str
    task: str
    outcomes: dict[str, int]
    wait: float
    duration: float
    wait_p95: float
    duration_p50: float
    duration_p95: float


async def points(
    store: Store,
    since: datetime,
    until: datetime,
    *,
    step: timedelta = MINUTE,
    queue: str | None = None,
    task: str | None = None,
) -> list[Point]:
    """Return what ended in stretches of `step` from `since` on, the oldest first; empty ones are left out.

    Args:
        store: whose counts.
        since: rounded down to a step.
        until: no stretch begins then or later.
        step: a whole number of minutes.
        queue: only this one.
        task: only this one.

    Raises:
        ConfigurationError: the time or the step cannot be had.
    """
    if step < MINUTE or step % MINUTE:
        raise ConfigurationError([f"step={step.total_seconds():g} s: give a whole number of minutes"])
    if not timedelta(0) < until - since <= LONGEST:
        raise ConfigurationError([f"since={since}, until={until}: give up to {LONGEST.days} days"])
    if (until - since) / step > MOST_POINTS:
        raise ConfigurationError(
            [f"step={step}: the time has more than {MOST_POINTS} of it; take a longer one"]
        )
    width = to_micros(from_micros(0) + step)
    first = from_micros(to_micros(since) // width * width)
    groups: dict[tuple[int, str, str], list[StatRow]] = {}
    for row in await store.trail.stats(first, until, queue=queue, task=task):
        begin = to_micros(row.minute) // width * width
        groups.setdefault((begin, row.tally.queue, row.tally.task), []).append(row)
    return [
        _point(from_micros(at), its_queue, its_task, rows)
        for (at, its_queue, its_task), rows in sorted(groups.items(), key=lambda item: item[0])
    ]


def quantile(buckets: Sequence[int], part: float) -> float:
    """Return the bound, in seconds, below which a part of what was counted lies (see `bucket_of`)."""
    wanted, seen = sum(buckets) * part, 0
    for bucket, count in enumerate(buckets):
        seen += count
        if count and seen >= wanted:
            return upper_bound(bucket)
    return 0.0


def _point(at: datetime, queue: str, task: str, rows: Sequence[StatRow]) -> Point:
    tallies = [row.tally for row in rows]
    outcomes: dict[str, int] = {}
    for one in tallies:
        outcomes[one.outcome] = outcomes.get(one.outcome, 0) + one.count
    count = sum(outcomes.values()) or 1
    durations = _merged(one.durations for one in tallies)
    return Point(
        at=at,
        queue=queue,
        task=task,
        outcomes=outcomes,
        wait=sum(one.wait for one in tallies) / count,
        duration=sum(one.duration for one in tallies) / count,
        wait_p95=quantile(_merged(one.waits for one in tallies), 0.95),
        duration_p50=quantile(durations, 0.5),
        duration_p95=quantile(durations, 0.95),
    )


def _merged(histograms: Iterable[Sequence[int]]) -> list[int]:
    merged = [0] * BUCKETS
    for one in histograms:
        merged = [a + b for a, b in zip(merged, one, strict=True)]
    return merged
