"""A brake on those who guess."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

__all__ = ["Throttle"]


class Throttle:
    """Counts failures by who made them, in this process.

    Args:
        limit: failures that are let pass within `seconds`.
        seconds: how long a failure counts.
        remembered: of how many it is remembered, the latest ones; bounds the memory.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        limit: int = 10,
        seconds: float = 300.0,
        *,
        remembered: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._seconds = seconds
        self._remembered = remembered
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, who: str) -> float:
        """Return for how many seconds somebody has to wait; 0 when none."""
        failures = self._failures.get(who)
        if failures is None or len(failures) < self._limit:
            return 0.0
        return max(0.0, failures[0] + self._seconds - self._clock())

    def failed(self, who: str) -> None:
        """Count a failure."""
        failures = self._failures.setdefault(who, deque(maxlen=self._limit))
        failures.append(self._clock())
        self._failures.move_to_end(who)
        if len(self._failures) > self._remembered:
            self._failures.popitem(last=False)

    def succeeded(self, who: str) -> None:
        """Forget somebody's failures."""
        self._failures.pop(who, None)
