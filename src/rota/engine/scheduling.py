"""The part of a process that ticks: any number of them at once, no leader."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from rota.definitions.registry import Registry
from rota.engine.announcer import Announcer
from rota.engine.planning import MakeSubmission, Plan, read_trigger
from rota.engine.promoter import Promoter
from rota.engine.scheduler import Scheduler
from rota.engine.service import Loop
from rota.model.events import Notice
from rota.model.schedule import ScheduleRecord
from rota.ports.store import Store
from rota.triggers.base import Trigger

__all__ = ["Scheduling"]


class Scheduling:
    """Fires due schedules and promotes due jobs until it is stopped."""

    def __init__(
        self,
        store: Store,
        make_submission: MakeSubmission,
        announcer: Announcer,
        read: Callable[[ScheduleRecord], Trigger] = read_trigger,
        registry: Registry | None = None,
    ) -> None:
        self.stopped = asyncio.Event()
        self._jobs = store.jobs
        self._registry = registry or Registry()
        self._scheduler = Scheduler(store, make_submission, announcer, self._poke, read, self._tell)
        self._ticks = Loop(self._scheduler, announcer)
        self._promoter = Promoter(store.jobs, announcer)

    async def start(self) -> None:
        """Begin."""
        self._ticks.start()
        self._promoter.loop.start()

    def notice(self, notice: Notice) -> None:
        """Look again when a schedule was changed or a job was scheduled sooner."""
        if notice.kind == "schedules":
            self._scheduler.changed()
            self._ticks.poke()
        elif notice.kind == "scheduled":
            self._promoter.loop.poke()

    async def stop(self) -> None:
        """End after the turns that run."""
        await asyncio.gather(self._ticks.stop(), self._promoter.loop.stop())
        await self._scheduler.close()

    async def hurry(self) -> None:
        """End at once."""
        await asyncio.gather(self._ticks.abort(), self._promoter.loop.abort())
        await self._scheduler.close()

    async def _tell(self, plans: Sequence[Plan], now: datetime) -> None:
        """Store the notices of ticks that come late, and of those before them that nobody handled."""
        notices, told = self._registry.notices, []
        if not notices:
            return
        for plan in plans:
            if plan.tick is None:
                continue
            told += notices.of_tick(plan.tick, plan.schedule.task, (now - plan.tick.due).total_seconds())
            if plan.tick.submission is not None:
                told += notices.watches([plan.tick.submission], self._registry.tasks)
        if told:
            await self._jobs.submit(told, resend=True)

    def _poke(self) -> None:
        self._ticks.poke()
