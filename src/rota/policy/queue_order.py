"""In which order one claim looks into a worker's queues."""

import math
from collections.abc import Mapping
from random import Random

from msgspec import Struct

from rota.model.errors import ConfigurationError, did_you_mean

__all__ = ["QueueOrder"]


class QueueOrder(Struct, frozen=True):
    """The queues of a worker, in strict order or by weight.

    Without weights the first queue is emptied before the next is looked at. With weights each claim draws a
    new order: a queue stands before another as often as its weight says (3 to 1: three times in four), and no
    queue starves.

    Args:
        queues: names, the preferred one first.
        weights: for each of the queues a number above 0; None: strict order.

    Raises:
        ConfigurationError: no queue, a queue named twice, a weight that is missing, out of bounds or of an
            unknown queue; it names every fault at once.
    """

    queues: tuple[str, ...]
    weights: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        faults = [f"queue {name!r} is named twice" for name in self._repeated()]
        if not self.queues:
            faults.append("no queue is named. Give at least one")
        for name in self.queues if self.weights is not None else ():
            faults += self._faults_of_weight(name)
        for name in self.weights or ():
            if name not in self.queues:
                hint = did_you_mean(name, self.queues)
                faults.append(f"queue {name!r} has a weight and is not among the worker's queues.{hint}")
        if faults:
            raise ConfigurationError(faults)

    def draw(self, random: Random) -> tuple[str, ...]:
        """Return the queues in the order for one claim.

        The weighted order is a sample without replacement (Efraimidis and Spirakis, "Weighted random sampling
        with a reservoir", 2006): each queue waits for an exponentially spread time, shorter by its weight.
        """
        if self.weights is None:
            return self.queues
        waits = {name: random.expovariate(self.weights[name]) for name in self.queues}
        return tuple(sorted(self.queues, key=waits.__getitem__))

    def _repeated(self) -> list[str]:
        return sorted({name for name in self.queues if self.queues.count(name) > 1})

    def _faults_of_weight(self, name: str) -> list[str]:
        weight = (self.weights or {}).get(name)
        if weight is None:
            return [f"queue {name!r} has no weight while others have. Give each queue one, or none"]
        if not math.isfinite(weight) or weight <= 0:
            return [f"queue {name!r}: weight {weight!r} is out of bounds. Give a number above 0"]
        return []
