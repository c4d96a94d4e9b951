"""How many jobs a worker may hold beyond its free slots."""

from typing import ClassVar

from msgspec import Struct

__all__ = ["Prefetch"]


class Prefetch(Struct, frozen=True, gc=False):
    """How long recent jobs took, and how many waiting jobs that allows.

    A worker whose jobs are short would spend its time asking for the next one, so it may hold up to `LARGEST`
    that wait for a slot. Held jobs are out of other workers' reach: one slow job is enough to end it, and a
    new worker first shows `PROOF` jobs.

    Args:
        average: exponential moving average of the jobs' durations, in seconds.
        seen: how many jobs the average is made of, counted up to `PROOF`.
    """

    LARGEST: ClassVar[int] = 100
    SHORT: ClassVar[float] = 0.010
    PROOF: ClassVar[int] = 20
    WEIGHT: ClassVar[float] = 0.1

    average: float = 0.0
    seen: int = 0

    def after(self, seconds: float, jobs: int = 1) -> "Prefetch":
        """Return what is known once `jobs` more jobs took `seconds` each (on average, for a group)."""
        if jobs < 1:
            return self
        # The plain mean until the window is full: the average starts from facts, not from a guess.
        weight = self.WEIGHT if jobs == 1 else 1 - (1 - self.WEIGHT) ** jobs
        share = max(weight, jobs / (self.seen + jobs))
        average = self.average + share * (seconds - self.average)
        return Prefetch(average, min(self.seen + jobs, self.PROOF))

    def extra(self) -> int:
        """Return how many jobs may wait for a slot: `LARGEST`, or 0 unless recent jobs took under 10 ms."""
        return self.LARGEST if self.seen >= self.PROOF and self.average < self.SHORT else 0
