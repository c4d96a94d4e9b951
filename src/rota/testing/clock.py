"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

__all__ = ["FakeClock"]


class FakeClock:
    """Says the moment that it was told; time passes only by `advance` and `set`.

        clock = FakeClock(datetime(2026, 1, 5, 12, tzinfo=UTC))
        clock.advance(30)
        clock.advance(hours=1, minutes=30)

    Raises:
        ValueError: a moment has no zone, or time would go back.
    """

    def __init__(self, start: datetime) -> None:
        self._now = _aware(start)

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        return self._now

    def advance(
        self,
        by: float | timedelta = 0,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> datetime:
        """Let time pass, in seconds, as a `timedelta` or by named parts, and return the new moment."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        step += timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if step < timedelta(0):
            raise ValueError(f"time does not go back by {-step}: use set() where a test needs that")
        self._now += step
        return self._now

    def set(self, moment: datetime) -> datetime:
        """Jump to any moment, also an earlier one, and return it."""
        self._now = _aware(moment)
        return self._now


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no zone: give it tzinfo=UTC")
    return moment.astimezone(UTC)
