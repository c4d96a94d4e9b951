"""One moment."""

from datetime import datetime, timedelta
from typing import Self

from rota.triggers.base import Jittered, span, utc
from rota.triggers.words import local_words, moment_words

__all__ = ["Once", "once"]


def once(at: datetime, *, jitter: timedelta | float = 0) -> "Once":
    """Tick at one moment and never again: `once(datetime(2026, 1, 1, 8, tzinfo=UTC))`.

    Args:
        at: the moment, with a zone.
        jitter: by how much its run may be delayed at most, as a timedelta or in seconds.

    Raises:
        TriggerError: the moment has no zone, or the jitter is below zero.
    """
    return Once(at, jitter=span("once", "jitter", jitter))


class Once(Jittered, frozen=True, tag="once"):
    """Made by `once`."""

    at: datetime

    def __post_init__(self) -> None:
        super().__post_init__()
        self._in_utc("at")

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the tick if it comes after `moment` (see `Trigger`)."""
        return self.at if utc("once", "moment", moment) < self.at else None

    def count(self, after: datetime, until: datetime, limit: int) -> int:
        """Return 1 if the tick lies after `after` and not after `until`, else 0 (see `Trigger`)."""
        lies = utc("once", "after", after) < self.at <= utc("once", "until", until)
        return min(int(lies), limit)

    def in_zone(self, zone: str) -> Self:  # noqa: ARG002 - a moment is the same in every zone
        """Return this trigger: a moment needs no zone."""
        return self

    def __str__(self) -> str:
        return f"once{moment_words(('at', self.at))}{local_words(None, None, None, self.jitter)}"
