"""Makes due jobs ready, and expires those that came too late."""

from rota.engine.announcer import Announcer
from rota.engine.service import Loop
from rota.ports.jobs import JobStore

__all__ = ["Promoter"]

LONGEST_SLEEP = 8.0
GROUP = 1000


class Promoter:
    """Sleeps until the next scheduled job is due, or until a sooner one is submitted."""

    name = "promoter"

    def __init__(self, jobs: JobStore, announcer: Announcer) -> None:
        self._jobs = jobs
        self.loop = Loop(self, announcer)

    async def turn(self) -> float:
        """Move what is due; returns the seconds until the next moment, at most 8."""
        promoted = await self._jobs.promote(GROUP)
        if promoted.wait is None:
            return LONGEST_SLEEP
        return min(LONGEST_SLEEP, promoted.wait.total_seconds())
