"""What happened, over time: how attempts ended, minute by minute, and the events of all jobs in one line."""

from datetime import datetime

from msgspec import Struct

from rota.model.events import JobEvent

__all__ = ["BUCKETS", "PlacedEvent", "StatRow", "Tally", "bucket_of", "upper_bound"]

BUCKETS = 28
"""How many classes of length there are; the last one holds all from 37 hours up."""


def bucket_of(seconds: float) -> int:
    """Return the class of a length of time: class n holds what is below 2**n ms, from 2**(n - 1) on."""
    return min(max(0, int(seconds * 1000)).bit_length(), BUCKETS - 1)


def upper_bound(bucket: int) -> float:
    """Return the length of time, in seconds, below which those of a class are."""
    return float(2**bucket) / 1000


class Tally(Struct, frozen=True, kw_only=True):
    """Attempts of one task in one queue that ended alike.

    Args:
        queue: where the jobs waited.
        task: what ran.
        outcome: "succeeded", "failed", "retried" …
        count: how many.
        wait: seconds from ready to started, of all together.
        duration: seconds that they ran, of all together.
        waits: how many waited how long (see `bucket_of`).
        durations: how many ran how long.
    """

    queue: str
    task: str
    outcome: str
    count: int
    wait: float
    duration: float
    waits: tuple[int, ...]
    durations: tuple[int, ...]


class StatRow(Struct, frozen=True):
    """What ended within the minute that begins at `minute`."""

    minute: datetime
    tally: Tally


class PlacedEvent(Struct, frozen=True):
    """An event and its place in the line of all events."""

    place: int
    event: JobEvent
