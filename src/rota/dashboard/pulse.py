"""The last hour as charts: how many attempts ended how, how long jobs waited and ran."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from rota.dashboard.charts import Chart, bars, line
from rota.model.trail import StatRow
from rota.operations.stats import MINUTE, quantile
from rota.operations.text import counted, span
from rota.ports.store import Store

__all__ = ["Pulse", "read_pulse"]

MINUTES = 60
KINDS = {"succeeded": "good", "failed": "bad", "retried": "warn"}
OTHERS = "idle"
HIGH = 0.95


class Pulse(Struct, frozen=True):
    """What ended within the last hour.

    Args:
        succeeded: how many attempts did.
        failed: how many failed, those that are retried among them.
        ends: a bar for each minute.
        lengths: how long 95 % of the attempts of each minute waited at most, and ran.
        waited: how long 95 % of the attempts of the hour waited at most, in seconds; None: there were none.
        ran: the same of how long they ran.
    """

    succeeded: int
    failed: int
    ends: Chart
    lengths: Chart
    waited: float | None
    ran: float | None


async def read_pulse(store: Store, now: datetime) -> Pulse:
    """Return the last hour up to a moment."""
    last = now.replace(second=0, microsecond=0)
    since = last - (MINUTES - 1) * MINUTE
    rows = await store.trail.stats(since, last + MINUTE)
    return _draw(rows, [since + place * MINUTE for place in range(MINUTES)])


def _draw(rows: Sequence[StatRow], minutes: Sequence[datetime]) -> Pulse:
    place_of = {minute: place for place, minute in enumerate(minutes)}
    known = [(place_of[row.minute], row.tally) for row in rows if row.minute in place_of]
    ends = {kind: [0.0] * len(minutes) for kind in (*KINDS.values(), OTHERS)}
    for place, tally in known:
        ends[KINDS.get(tally.outcome, OTHERS)][place] += tally.count
    waits = [_high([one.waits for at, one in known if at == place]) for place in range(len(minutes))]
    runs = [_high([one.durations for at, one in known if at == place]) for place in range(len(minutes))]
    succeeded = sum(one.count for _, one in known if one.outcome == "succeeded")
    failed = sum(one.count for _, one in known if one.outcome in {"failed", "retried"})
    edges = ("an hour ago", "now")
    summary = f"Attempts that ended within the last hour: {succeeded} succeeded, {failed} failed"
    waited, ran = _high([one.waits for _, one in known]), _high([one.durations for _, one in known])
    latency = f"Within the last hour 95 % waited less than {_said(waited)} and ran less than {_said(ran)}"
    return Pulse(
        succeeded=succeeded,
        failed=failed,
        ends=bars(ends, _called(minutes, ends), edges, summary),
        lengths=line({"wait": waits, "run": runs}, _timed(minutes, waits, runs), edges, latency),
        waited=waited,
        ran=ran,
    )


def _high(histograms: Sequence[Sequence[int]]) -> float | None:
    """Return the length of time below which 95 % are; None where there are none."""
    classes = [sum(column) for column in zip(*histograms, strict=True)]
    return quantile(classes, HIGH) if any(classes) else None


def _called(minutes: Sequence[datetime], ends: Mapping[str, Sequence[float]]) -> list[str]:
    words = {"good": "succeeded", "bad": "failed", "warn": "retried", "idle": "other"}
    texts = []
    for place, minute in enumerate(minutes):
        parts = [f"{numbers[place]:.0f} {words[kind]}" for kind, numbers in ends.items() if numbers[place]]
        texts.append(f"{minute:%H:%M} UTC: {', '.join(parts) or counted(0, 'attempt')}")
    return texts


def _timed(
    minutes: Sequence[datetime], waits: Sequence[float | None], runs: Sequence[float | None]
) -> list[str]:
    return [
        f"{minute:%H:%M} UTC: 95 % waited less than {_said(wait)}, ran less than {_said(run)}"
        for minute, wait, run in zip(minutes, waits, runs, strict=True)
    ]


def _said(seconds: float | None) -> str:
    return "–" if seconds is None else span(timedelta(seconds=seconds))
