"""The part of a process that ticks: any number of them at once, no leader."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from rota.engine.announcer import Announcer
from rota.engine.promoter import Promoter
from rota.engine.scheduler import Scheduler
from rota.engine.service import Loop
from rota.model.events import Notice
from rota.model.job import Submission
from rota.model.schedule import ScheduleRecord
from rota.ports.store import Store

__all__ = ["Scheduling"]


class Scheduling:
    """Fires due schedules and promotes due jobs until it is stopped."""

    def __init__(
        self,
        store: Store,
        make_submission: Callable[[ScheduleRecord, datetime], Submission],
        announcer: Announcer,
    ) -> None:
        self.stopped = asyncio.Event()
        self._ticks = Loop(Scheduler(store, make_submission, announcer), announcer)
        self._promoter = Promoter(store.jobs, announcer)

    async def start(self) -> None:
        """Begin."""
        self._ticks.start()
        self._promoter.loop.start()

    def notice(self, notice: Notice) -> None:
        """Look again when a schedule was changed or a job was scheduled sooner."""
        if notice.kind == "schedules":
            self._ticks.poke()
        elif notice.kind == "scheduled":
            self._promoter.loop.poke()

    async def stop(self) -> None:
        """End after the turns that run."""
        await asyncio.gather(self._ticks.stop(), self._promoter.loop.stop())

    async def hurry(self) -> None:
        """End at once."""
        await asyncio.gather(self._ticks.abort(), self._promoter.loop.abort())
