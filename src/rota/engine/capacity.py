"""How many jobs a worker holds and may still claim, per executor."""

from collections import deque
from collections.abc import Mapping

from rota.model.job import ClaimedJob
from rota.policy.prefetch import Prefetch

__all__ = ["Capacity"]


class Lane:
    """The slots of one executor, and the claimed jobs that wait for one."""

    __slots__ = ("prefetch", "running", "slots", "waiting")

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.running = 0
        self.waiting: deque[ClaimedJob] = deque()
        self.prefetch = Prefetch()

    def ended(self, seconds: float) -> None:
        """Free a slot whose job took `seconds`."""
        self.running -= 1
        self.prefetch = self.prefetch.after(seconds)


class Capacity:
    """Counts running and waiting jobs. A worker holds at most its free slots plus a short prefetch."""

    def __init__(self, slots: Mapping[str, int]) -> None:
        self.lanes = {name: Lane(count) for name, count in slots.items()}

    def room(self) -> dict[str, int]:
        """Return how many more jobs may be claimed per executor; executors without room are left out.

        A lane that prefetches asks again only when half of its prefetch is used up, so that claims are of
        a worthwhile size.
        """
        room: dict[str, int] = {}
        spare = self._spare_prefetch()
        for name, lane in self.lanes.items():
            free = lane.slots - lane.running
            extra = min(spare, lane.prefetch.extra())
            if free > 0:
                wanted = free + extra - len(lane.waiting)
            elif 2 * len(lane.waiting) <= extra:
                wanted = extra - len(lane.waiting)
            else:
                continue
            if wanted > 0:
                room[name] = wanted
        return room

    def _spare_prefetch(self) -> int:
        busy = sum(1 for lane in self.lanes.values() if lane.prefetch.extra())
        return Prefetch.LARGEST // busy if busy else 0

    @property
    def running(self) -> int:
        """How many tasks run now."""
        return sum(lane.running for lane in self.lanes.values())

    def take_waiting(self) -> list[ClaimedJob]:
        """Remove and return every claimed job that has not started."""
        jobs = [job for lane in self.lanes.values() for job in lane.waiting]
        for lane in self.lanes.values():
            lane.waiting.clear()
        return jobs
