"""Turns due moments of schedules into jobs. Any number of them at once: the store lets one win."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, structs

from rota.engine.announcer import Announcer
from rota.engine.planning import MakeSubmission, Plan, Planner, read_trigger
from rota.model.errors import StoreUnavailableError
from rota.model.events import ScheduleFailed, ScheduleSlow, Ticked
from rota.model.schedule import ScheduleRecord, Tick
from rota.ports.store import Store
from rota.triggers.base import Trigger

__all__ = ["Scheduler"]

LONGEST_SLEEP = 5.0
AHEAD = timedelta(seconds=6)
PLANNED = 2_000
GROUP = 1_000
PART = 500
RETRY = timedelta(seconds=60)
RIVALS = 0.03
LONGEST_PATIENCE = 1.0
# The store's clock and the one that times the sleep may differ by a little.
MARGIN = timedelta(milliseconds=1)


async def _nothing(_plans: Sequence[Plan], _now: datetime) -> None:
    """Do nothing before ticks are fired."""


class _Broken(Struct, frozen=True):
    """A schedule that could not tick: it is left alone until then, or until its version is another."""

    version: int
    until: datetime


class Scheduler:
    """Plans the ticks of the next seconds, fires them when their moment has come, and sleeps between.

    What is planned is only a preparation: the store fires a tick if its moment has come by the store's clock
    and its schedule still is as it was read. A schedule that cannot tick (its trigger cannot be read, its job
    cannot be made or stored) is announced and tried again a minute later, or as soon as it is changed. It
    keeps its due moment, so nothing is lost, and the others go on: as many more are read as are broken, which
    therefore never fill a whole group.

    Args:
        store: where schedules live, and whose clock decides.
        make_submission: makes the job of a schedule for a due moment.
        announcer: is told of schedules that cannot tick.
        wake: starts a turn, when a plan comes late.
        read: returns a schedule's trigger.
        first: called with plans and the store's moment before they are fired, each time that it is tried.
    """

    name = "scheduler"

    def __init__(  # noqa: PLR0917 - parts that only `Scheduling` and tests put together
        self,
        store: Store,
        make_submission: MakeSubmission,
        announcer: Announcer,
        wake: Callable[[], None] = lambda: None,
        read: Callable[[ScheduleRecord], Trigger] = read_trigger,
        first: Callable[[Sequence[Plan], datetime], Awaitable[None]] = _nothing,
    ) -> None:
        self._first = first
        self._schedules = store.schedules
        self._announcer = announcer
        self._wake = wake
        self._group = min(GROUP, store.capabilities.group)
        self._planner = Planner(make_submission, self._came_late, read)
        self._plans: dict[str, Plan] = {}
        self._broken: dict[str, _Broken] = {}
        self._look_at = 0.0
        self._patience = RIVALS
        self._now: datetime | None = None
        self._read_at = 0.0
        self._horizon: datetime | None = None
        self._whole = True
        self._ahead: asyncio.Task[None] | None = None
        self._fired: set[str] = set()

    def changed(self) -> None:
        """Read the schedules again in the next turn."""
        self._look_at = 0.0

    async def turn(self) -> float:
        """Fire what is due, else look what comes next; returns the seconds until the next turn, at most 5."""
        ripe = self._ripe() if time.monotonic() < self._look_at else []
        if not ripe:
            await (self._ahead or self._look())
            ripe = self._ripe()
        if ripe:
            await self._fire_plans(ripe)
        if self._ahead is None and not self._whole and len(self._plans) < PLANNED // 2:
            # While these are fired, the next ones are read and planned.
            self._ahead = asyncio.create_task(self._look(), name="rota-look-ahead")
            self._ahead.add_done_callback(self._looked)
        return self._wait()

    async def close(self) -> None:
        """Look no further."""
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.gather(self._ahead, return_exceptions=True)

    def _looked(self, ahead: "asyncio.Task[None]") -> None:
        self._ahead = None
        if ahead.cancelled() or ahead.exception() is not None:
            self._look_at = 0.0  # the next turn meets the same fault, and reports it

    def _estimate(self) -> datetime:
        """Return the store's present moment, by how long ago it told it."""
        assert self._now is not None  # noqa: S101 - `_load` comes first
        return self._now + timedelta(seconds=time.monotonic() - self._read_at)

    def _ripe(self) -> list[Plan]:
        """Return the plans whose moment has come, the first due first."""
        if self._now is None:
            return []
        now = self._estimate()
        ripe = [plan for plan in self._plans.values() if plan.tick is not None and plan.tick.due <= now]
        ripe.sort(key=lambda plan: (plan.schedule.next_at, plan.schedule.id))
        return ripe

    async def _look(self) -> None:
        """Read what is due within the next seconds, and plan what is not planned yet."""
        self._fired.clear()
        limit = PLANNED + len(self._broken)
        sent = time.monotonic()
        self._look_at = sent + LONGEST_SLEEP
        due = await self._schedules.due(limit, AHEAD)
        self._read_at = (sent + time.monotonic()) / 2
        self._now = due.now
        self._whole = len(due.schedules) < limit
        self._horizon = due.now + AHEAD if self._whole else due.schedules[-1].next_at
        if self._whole:
            still = {one.id for one in due.schedules}
            self._broken = {name: broken for name, broken in self._broken.items() if name in still}
        known, self._plans = self._plans, {}
        missing = []
        for schedule in due.schedules:
            plan = known.get(schedule.id)
            if schedule.id in self._fired:
                # It has moved on since it was read; what comes next of it is planned, if it comes soon.
                if plan is not None:
                    self._plans[schedule.id] = plan
            elif plan is not None and _same(plan.schedule, schedule) and plan.stands(due.now):
                self._plans[schedule.id] = plan
            elif not self._is_broken(schedule, due.now):
                missing.append(schedule)
        await self._plan(missing, due.now)

    async def _plan(self, schedules: Sequence[ScheduleRecord], now: datetime) -> None:
        if schedules:
            for plan in await self._planner.plan(schedules, now):
                self._take(plan, now)

    def _take(self, plan: Plan, now: datetime) -> None:
        if plan.error is not None:
            self._leave_alone(plan.schedule.id, plan.schedule.version, now, plan.error)
        elif plan.tick is not None:
            self._plans[plan.schedule.id] = plan

    def _came_late(self, plan: Plan, seconds: float) -> None:
        self._announcer.announce(ScheduleSlow(plan.schedule.id, seconds))
        if self._now is not None:
            self._take(plan, self._estimate())
        self._wake()

    def _is_broken(self, schedule: ScheduleRecord, now: datetime) -> bool:
        broken = self._broken.get(schedule.id)
        return broken is not None and broken.version == schedule.version and now < broken.until

    async def _fire_plans(self, ripe: Sequence[Plan]) -> None:
        """Fire a group; what it takes to be late is planned again first."""
        now = self._estimate()
        group = ripe[: self._group]
        for plan in group:
            del self._plans[plan.schedule.id]
            self._fired.add(plan.schedule.id)
        late = [plan.schedule for plan in group if not plan.stands(now)]
        if late:
            await self._plan(late, now)
        fresh = [plan for plan in group if plan.stands(now)]
        fresh += [self._plans.pop(one.id) for one in late if one.id in self._plans]
        ticks = [plan.tick for plan in fresh if plan.tick is not None]
        if not ticks:
            return
        await self._first(fresh, now)
        # Side by side: a server has more than one core, and a store with one writer makes one commit of them.
        parts = [ticks[start : start + PART] for start in range(0, len(ticks), PART)]
        moved = frozenset[str]().union(*await asyncio.gather(*(self._fire(part, now) for part in parts)))
        if self._announcer.wanted(Ticked):
            for tick in ticks:
                if tick.schedule in moved:
                    self._announcer.announce(Ticked(tick, max(0.0, (now - tick.due).total_seconds())))
        if any(one.schedule not in moved and one.schedule not in self._broken for one in ticks):
            # Somebody else has them in hand, has fired or changed them; or their moment has not come. Who
            # shares the work with others all the time need not look each time.
            self._look_at = min(self._look_at, time.monotonic() + self._patience)
            self._patience = min(2 * self._patience, LONGEST_PATIENCE)
        else:
            self._patience = RIVALS
        await self._go_on([plan for plan in fresh if plan.schedule.id in moved])

    async def _go_on(self, fired: Sequence[Plan]) -> None:
        """Plan the next ticks of schedules that have moved on and come again before the next look."""
        following = []
        for plan in fired:
            tick = plan.tick
            if tick is None or tick.next_at is None or self._horizon is None or tick.next_at >= self._horizon:
                continue
            following.append(structs.replace(plan.schedule, next_at=tick.next_at))
        await self._plan(following, self._estimate())

    async def _fire(self, ticks: Sequence[Tick], now: datetime) -> frozenset[str]:
        """Write ticks in one transaction; if the store refuses them, one by one to find out which."""
        try:
            return await self._schedules.fire(ticks)
        except StoreUnavailableError:
            self._look_at = 0.0
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one schedule, the others go on
            if len(ticks) == 1:
                self._leave_alone(ticks[0].schedule, ticks[0].version, now, error)
                return frozenset()
        moved: set[str] = set()
        for tick in ticks:
            moved |= await self._fire([tick], now)
        return frozenset(moved)

    def _leave_alone(self, schedule: str, version: int, now: datetime, error: Exception) -> None:
        self._broken[schedule] = _Broken(version, now + RETRY)
        self._announcer.announce(ScheduleFailed(schedule, str(error) or repr(error), RETRY.total_seconds()))

    def _wait(self) -> float:
        if not self._whole and not self._plans:
            return 0  # the next turn looks, or waits for the look that is under way
        wait = self._look_at - time.monotonic()
        moments = [plan.tick.due for plan in self._plans.values() if plan.tick is not None]
        if moments:
            wait = min(wait, (min(moments) + MARGIN - self._estimate()).total_seconds())
        return max(0.0, wait)


def _same(one: ScheduleRecord, other: ScheduleRecord) -> bool:
    """Tell whether a plan for one is right for the other: a definition has a version of its own."""
    return (one.version, one.next_at) == (other.version, other.next_at)
