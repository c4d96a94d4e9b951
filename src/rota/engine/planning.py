"""What becomes of a schedule's due moment: computed ahead of it, and beside the loop that fires."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec
from msgspec import Struct

from rota.model.job import Submission
from rota.model.schedule import ScheduleRecord, Tick
from rota.policy.misfires import ON_TIME, CatchUp, decide
from rota.triggers.base import Trigger
from rota.triggers.parse import from_json

__all__ = ["MakeSubmission", "Plan", "Planner", "plan_tick", "read_trigger"]

PATIENCE = 0.03
"""Seconds that one trigger may take before the others go on without it; they all take microseconds."""

SLOW = 0.2
"""Seconds that tell a slow trigger from a machine that was busy elsewhere."""

MakeSubmission = Callable[[ScheduleRecord, datetime], Submission]
"""Makes the job of a schedule for a due moment."""


class Plan(Struct, frozen=True):
    """A tick to be written, or why there is none; it is right from the due moment on until `until`."""

    schedule: ScheduleRecord
    tick: Tick | None = None
    error: Exception | None = None
    until: datetime | None = None

    def stands(self, now: datetime) -> bool:
        """Tell whether this is what would be decided at `now`."""
        return self.until is None or now < self.until


def read_trigger(schedule: ScheduleRecord) -> Trigger:
    """Return a schedule's trigger; the latest ones are remembered."""
    return _read(msgspec.json.encode(schedule.trigger))


@lru_cache(4096)
def _read(form: bytes) -> Trigger:
    return from_json(msgspec.json.decode(form))


def plan_tick(
    schedule: ScheduleRecord,
    now: datetime,
    make_submission: MakeSubmission,
    read: Callable[[ScheduleRecord], Trigger] = read_trigger,
) -> Tick:
    """Return what is to be written for a schedule whose moment has come by `now`."""
    assert schedule.next_at is not None  # noqa: S101 - it is due
    decision = decide(read(schedule), schedule.next_at, now, schedule.catch_up, schedule.grace)
    return Tick(
        schedule=schedule.id,
        version=schedule.version,
        due=schedule.next_at,
        at=decision.at,
        next_at=decision.next_at,
        state="fired" if decision.runs else "missed",
        submission=make_submission(schedule, decision.at) if decision.runs else None,
        missed=decision.missed,
        overlap=schedule.overlap,
    )


class Planner:
    """Plans ticks in threads: a trigger that takes long holds up its own schedule and no other.

    Args:
        make_submission: makes the job of a schedule for a due moment.
        late: takes, in the event loop, a plan that was not ready when the others were, and how many seconds
            it took.
        read: returns a schedule's trigger.
    """

    def __init__(
        self,
        make_submission: MakeSubmission,
        late: Callable[[Plan, float], None],
        read: Callable[[ScheduleRecord], Trigger] = read_trigger,
    ) -> None:
        self._make_submission = make_submission
        self._read = read
        self._late = late
        self._slow: set[str] = set()
        self.pending: dict[str, float] = {}

    async def plan(self, schedules: Sequence[ScheduleRecord], now: datetime) -> list[Plan]:
        """Plan for those that are due by `now` as late as they are, for the others as if on time.

        Returns:
            A plan for each; those of slow triggers come late.
        """
        asked = [one for one in schedules if one.id not in self.pending]
        for one in asked:
            if one.id in self._slow:
                self._leave(_Batch(self, iter([one]), now, []))
        plans: list[Plan] = []
        batch = _Batch(self, iter([one for one in asked if one.id not in self.pending]), now, plans)
        batch.start()
        while not await batch.ended(PATIENCE):
            if batch.abandon():
                batch = _Batch(self, batch.rest, now, plans)
                batch.start()
        return plans

    def one(self, schedule: ScheduleRecord, now: datetime) -> Plan:
        """Plan one tick, in this thread."""
        due = schedule.next_at
        if due is None:
            return Plan(schedule)
        try:
            tick = plan_tick(schedule, max(now, due), self._make_submission, self._read)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one schedule, the others go on
            return Plan(schedule, error=error)
        return Plan(schedule, tick, until=_until(schedule, tick))

    def come_late(self, plan: Plan, seconds: float) -> None:
        """Take a plan that nobody waited for, in the event loop."""
        schedule = plan.schedule.id
        self.pending.pop(schedule, None)
        if seconds > SLOW:
            self._slow.add(schedule)
        else:
            self._slow.discard(schedule)  # it was the machine that was slow
        self._late(plan, seconds)

    def _leave(self, batch: "_Batch") -> None:
        batch.start()
        batch.abandon(at_once=True)


class _Batch:
    """Schedules that one thread plans; `plans` and `rest` are shared with the batch that follows on it."""

    def __init__(
        self, planner: Planner, rest: Iterator[ScheduleRecord], now: datetime, plans: list[Plan]
    ) -> None:
        self.rest = rest
        self._planner = planner
        self._now = now
        self._plans = plans
        self._lock = threading.Lock()
        self._current: ScheduleRecord | None = None
        self._started = time.monotonic()
        self._abandoned = False
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()

    def start(self) -> None:
        """Begin."""
        self._current = next(self.rest, None)
        if self._current is None:
            self._done.set()
        else:
            threading.Thread(target=self._run, name="rota-plan", daemon=True).start()

    async def ended(self, seconds: float) -> bool:
        """Wait until all is planned, at most so long; tell whether it is."""
        try:
            async with asyncio.timeout(seconds):
                await self._done.wait()
        except TimeoutError:
            return self._done.is_set()
        return True

    def abandon(self, *, at_once: bool = False) -> bool:
        """Leave the thread alone with what it does, if that takes too long; it brings it later."""
        with self._lock:
            if self._current is None or not (at_once or time.monotonic() - self._started > PATIENCE):
                return False
            self._abandoned = True
            self._planner.pending[self._current.id] = self._started
            return True

    def _run(self) -> None:
        schedule = self._current
        while schedule is not None:
            plan = self._planner.one(schedule, self._now)
            with self._lock:
                if self._abandoned:
                    self._call(self._planner.come_late, plan, time.monotonic() - self._started)
                    return
                self._plans.append(plan)
                schedule = self._current = next(self.rest, None)
                self._started = time.monotonic()
        self._call(self._done.set)

    def _call(self, function: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
            self._loop.call_soon_threadsafe(function, *args)


def _until(schedule: ScheduleRecord, tick: Tick) -> datetime | None:
    """Return from when on more moments have come, or this one is too old."""
    grace = schedule.grace
    if grace is None and schedule.catch_up == CatchUp.NONE:
        grace = ON_TIME
    ends = [moment for moment in (tick.next_at, _later(tick.at, grace)) if moment is not None]
    return min(ends, default=None)


def _later(moment: datetime, span: timedelta | None) -> datetime | None:
    try:
        return None if span is None else moment + span
    except OverflowError:
        return None
