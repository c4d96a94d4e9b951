"""Counts how attempts end, and tells the store now and then: nothing is written on the way of a job."""

from rota.engine.announcer import Announcer
from rota.engine.service import Loop
from rota.model.clock import Clock, SystemClock
from rota.model.events import AttemptEnded
from rota.model.outcome import (
    Cancelled,
    Failed,
    Handed,
    Outcome,
    Retried,
    Snooze,
    Succeeded,
    Suspended,
)
from rota.model.trail import BUCKETS, Tally, bucket_of
from rota.ports.trail import TrailStore

__all__ = ["Counter", "outcome_name"]

INTERVAL = 10.0

_NAMES: dict[type[Outcome], str] = {
    Succeeded: "succeeded",
    Failed: "failed",
    Retried: "retried",
    Snooze: "snoozed",
    Suspended: "suspended",
    Handed: "handed",
    Cancelled: "cancelled",
}


def outcome_name(outcome: Outcome) -> str:
    """Return the word by which an outcome is counted."""
    return _NAMES[type(outcome)]


class _Sum:
    """What is known of attempts that ended alike since the store was told last."""

    __slots__ = ("count", "duration", "durations", "wait", "waits")

    def __init__(self) -> None:
        self.count = 0
        self.wait = 0.0
        self.duration = 0.0
        self.waits = [0] * BUCKETS
        self.durations = [0] * BUCKETS


class Counter:
    """Sums in memory. A worker that is killed takes the last ten seconds' counts along; its jobs stay."""

    name = "counter"

    def __init__(self, trail: TrailStore, announcer: Announcer, clock: Clock | None = None) -> None:
        self._trail = trail
        self._clock = clock or SystemClock()
        self._sums: dict[tuple[str, str, type[Outcome]], _Sum] = {}
        self._awake = False
        self.loop = Loop(self, announcer)
        announcer.subscribe(AttemptEnded, self._count)

    async def turn(self) -> float | None:
        """Tell the store what has gathered, then let more gather; with nothing, sleep."""
        if not self._sums:
            self._awake = False
            return None
        await self.flush()
        return INTERVAL

    async def flush(self) -> None:
        """Tell the store all that is there now."""
        sums, self._sums = self._sums, {}
        if not sums:
            return
        try:
            await self._trail.add_stats([_tally(*key, one) for key, one in sums.items()])
        except Exception:
            for key, one in sums.items():
                _add(self._sums.setdefault(key, _Sum()), one)
            raise

    def _count(self, event: AttemptEnded) -> None:
        job = event.job
        key = (job.queue, job.task, type(event.outcome))
        its = self._sums.get(key)
        if its is None:
            its = self._sums[key] = _Sum()
            if not self._awake:
                self._awake = True
                self.loop.poke()
        its.count += 1
        ready = job.ready_at
        spent = 0.0 if ready is None else (self._clock.now() - ready).total_seconds()
        wait = max(0.0, spent - event.duration)
        its.wait += wait
        its.duration += event.duration
        its.waits[bucket_of(wait)] += 1
        its.durations[bucket_of(event.duration)] += 1


def _add(to: _Sum, other: _Sum) -> None:
    to.count += other.count
    to.wait += other.wait
    to.duration += other.duration
    to.waits = [a + b for a, b in zip(to.waits, other.waits, strict=True)]
    to.durations = [a + b for a, b in zip(to.durations, other.durations, strict=True)]


def _tally(queue: str, task: str, outcome: type[Outcome], its: _Sum) -> Tally:
    return Tally(
        queue=queue,
        task=task,
        outcome=_NAMES[outcome],
        count=its.count,
        wait=its.wait,
        duration=its.duration,
        waits=tuple(its.waits),
        durations=tuple(its.durations),
    )
