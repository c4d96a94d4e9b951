"""One thing to measure in a round, and who it is about."""

from collections.abc import Callable

from msgspec import Struct

from bench.contenders.contract import Order
from bench.figures import Figures
from bench.places import Places

__all__ = ["Party", "Step"]

LABELS = {"raw_postgres": "raw", "raw_sqlite": "raw"}


class Party(Struct, frozen=True):
    """A contender on a store: its module, the store, and how it is set up where that is a choice."""

    module: str
    store: str
    setup: str = ""

    @property
    def label(self) -> str:
        """How figures name it."""
        name = LABELS.get(self.module, self.module)
        return f"{name} ({self.setup})" if self.setup else name

    def order(self, url: str, jobs: int = 0) -> Order:
        """Return what its process is told."""
        return Order(url, jobs, self.setup or "100")


class Step(Struct, frozen=True):
    """One measurement of one party; `once` has no rounds, since it takes long and varies little."""

    case: str
    party: Party
    measure: Callable[[Places, Figures], None]
    once: bool = False
