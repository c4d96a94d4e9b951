"""Turns due moments of schedules into jobs. Any number of them at once: the store lets one win."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from rota.engine.announcer import Announcer
from rota.model.errors import StoreUnavailableError
from rota.model.events import ScheduleFailed
from rota.model.job import Submission
from rota.model.schedule import ScheduleRecord, Tick
from rota.policy.misfires import decide
from rota.ports.schedules import Due
from rota.ports.store import Store
from rota.triggers.parse import from_json

__all__ = ["Scheduler"]

LONGEST_SLEEP = 5.0
GROUP = 500
RETRY = timedelta(seconds=60)


class _Broken(Struct, frozen=True):
    """A schedule that could not tick: it is left alone until then, or until its version is another."""

    version: int
    until: datetime


class Scheduler:
    """Fires what is due, then sleeps until the next moment or until a schedule is changed.

    A schedule that cannot tick (its trigger cannot be read, its job cannot be made or stored) is announced
    and tried again a minute later, or as soon as it is changed. It keeps its due moment, so nothing is lost,
    and the others go on: as many more are read as are broken, which therefore never fill a whole group.

    Args:
        store: where schedules live, and whose clock decides.
        make_submission: makes the job of a schedule for a due moment.
        announcer: is told of schedules that cannot tick.
    """

    name = "scheduler"

    def __init__(
        self,
        store: Store,
        make_submission: Callable[[ScheduleRecord, datetime], Submission],
        announcer: Announcer,
    ) -> None:
        self._schedules = store.schedules
        self._make_submission = make_submission
        self._announcer = announcer
        self._group = min(GROUP, store.capabilities.group)
        self._broken: dict[str, _Broken] = {}

    async def turn(self) -> float:
        """Fire one group of due schedules; returns the seconds until the next moment, at most 5."""
        limit = self._group + len(self._broken)
        started = time.monotonic()
        due = await self._schedules.due(limit)
        if len(due.schedules) < limit:
            self._forget_all_but(schedule.id for schedule in due.schedules)
        ticks = [tick for schedule in due.schedules if (tick := self._tick(schedule, due.now)) is not None]
        if ticks:
            await self._fire(ticks, due.now)
        return self._wait(due, ticks, time.monotonic() - started)

    def _tick(self, schedule: ScheduleRecord, now: datetime) -> Tick | None:
        """Return what is to be written for a due schedule; None while it is broken."""
        broken = self._broken.get(schedule.id)
        if schedule.next_at is None or (
            broken is not None and broken.version == schedule.version and now < broken.until
        ):
            return None
        try:
            decision = decide(from_json(schedule.trigger), schedule.next_at, now, schedule.catch_up)
            submission = self._make_submission(schedule, decision.at) if decision.runs else None
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one schedule, the others go on
            self._leave_alone(schedule.id, schedule.version, now, error)
            return None
        return Tick(
            schedule=schedule.id,
            version=schedule.version,
            due=schedule.next_at,
            at=decision.at,
            next_at=decision.next_at,
            state="fired" if decision.runs else "missed",
            submission=submission,
            missed=decision.missed,
        )

    async def _fire(self, ticks: list[Tick], now: datetime) -> None:
        """Write ticks in one transaction; if the store refuses them, one by one to find out which."""
        try:
            await self._schedules.fire(ticks)
        except StoreUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            if len(ticks) == 1:
                self._leave_alone(ticks[0].schedule, ticks[0].version, now, error)
                return
            for tick in ticks:
                await self._fire([tick], now)

    def _leave_alone(self, schedule: str, version: int, now: datetime, error: Exception) -> None:
        self._broken[schedule] = _Broken(version, now + RETRY)
        self._announcer.announce(ScheduleFailed(schedule, str(error) or repr(error), RETRY.total_seconds()))

    def _forget_all_but(self, due: Iterable[str]) -> None:
        """Forget broken schedules that are no longer due: mended, removed or paused."""
        still = frozenset(due)
        self._broken = {schedule: broken for schedule, broken in self._broken.items() if schedule in still}

    def _wait(self, due: Due, ticks: list[Tick], elapsed: float) -> float:
        moments = [tick.next_at for tick in ticks if tick.next_at]
        if due.next_at is not None:
            moments.append(due.next_at)
        if not moments:
            return LONGEST_SLEEP
        return min(LONGEST_SLEEP, max(0.0, (min(moments) - due.now).total_seconds() - elapsed))
