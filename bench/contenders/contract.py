"""What a contender can be asked to do, and what it tells of it. Every verb runs in a process of its own."""

import sys
import time

from msgspec import Struct

__all__ = [
    "GO",
    "GROUP",
    "PACE",
    "READY",
    "Contender",
    "Mark",
    "Order",
    "Timing",
    "await_go",
    "say",
    "tell_lateness",
]

READY, GO = "ready", "go"
GROUP = 1_000  # jobs of one bulk call
PACE = 0.05  # seconds between the jobs that an idle worker is sent


class Order(Struct, frozen=True):
    """What to do it on: the store's address, how many jobs, and how the contender is set up.

    `setup` is "100" for that concurrency, or "default" for what the contender does without being told.
    """

    url: str
    jobs: int = 0
    setup: str = "100"


class Mark(Struct, frozen=True):
    """How far a drain was at a moment (monotonic seconds), and the memory of its process in MB."""

    jobs: int
    at: float
    memory: float


class Timing(Struct, frozen=True):
    """Jobs done between two moments of the monotonic clock, which all processes of a machine share.

    `longest` is the slowest single call in seconds, where a verb measures one.
    """

    jobs: int
    began: float
    ended: float
    marks: tuple[Mark, ...] = ()
    longest: float = 0.0
    stored: float = 0.0  # jobs per second at which the jobs of a drain were enqueued before, one at a time

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began

    @property
    def rate(self) -> float:
        """Jobs per second."""
        return self.jobs / self.seconds


class Contender:
    """One system; it overrides the verbs that it has."""

    def fill(self, order: Order) -> Timing:
        """Store jobs in bulk, `GROUP` a call."""
        raise NotImplementedError

    def enqueue(self, order: Order) -> Timing:
        """Store jobs one call and one transaction at a time, from synchronous code where that is possible."""
        raise NotImplementedError

    def crowd(self, order: Order) -> Timing:
        """Store jobs one at a time from 16 processes at once."""
        raise NotImplementedError

    def drain(self, order: Order) -> Timing:
        """Run what is stored: `await_go`, then work until nothing is left."""
        raise NotImplementedError

    def serve(self, order: Order) -> None:
        """Be an idle worker until a signal: `say(READY)`; each job of `send` calls `tell_lateness` first."""
        raise NotImplementedError

    def send(self, order: Order) -> Timing:
        """Store one job every `PACE` seconds, which carries the moment at which its enqueue was called."""
        raise NotImplementedError

    def send_later(self, order: Order) -> Timing:
        """Store jobs that are due `PACE` seconds apart, a moment from now."""
        raise NotImplementedError

    def fill_beside(self, order: Order) -> Timing:
        """Store jobs that a worker must not stumble over: all due tomorrow, and a tenth in other queues."""
        raise NotImplementedError

    def retain(self, order: Order) -> Timing:
        """Work at a light load while old jobs are removed, to the last; `longest` is the slowest claim."""
        raise NotImplementedError


def say(line: str) -> None:
    """Speak to the process that measures."""
    print(line, flush=True)


def await_go() -> None:
    """Say that everything is set up and imported, and wait until all who take part are."""
    say(READY)
    sys.stdin.readline()


def tell_lateness(since: int) -> None:
    """Tell how many nanoseconds have passed since a moment of the machine's clock."""
    say(str(time.time_ns() - since))
