"""A world whose time passes: from due moment to due moment, a year in seconds."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from rota.app.rota import Rota
from rota.testing.clock import FakeClock
from rota.testing.draining import Ran, work_here
from rota.testing.isolation import isolated

__all__ = ["World", "world"]

_LIMIT = 1_000_000


class World:
    """An app with a private store and a clock that goes on to the next due moment whenever nothing is left.

    Attributes:
        clock: the app's; it stands still between calls.
        ran: all that ran, in the order in which it ended.
    """

    def __init__(self, app: Rota, clock: FakeClock) -> None:
        self.clock = clock
        self.ran: list[Ran] = []
        self._app = app

    def advance(
        self,
        by: timedelta | float = 0,
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        raise_errors: bool = True,
    ) -> list[Ran]:
        """Let time pass: schedules tick and jobs run, each at its moment.

        Args:
            by: how long, as a `timedelta` or in seconds; the named parts are added.
            weeks: of 7 days.
            days: of 24 hours.
            hours: of 60 minutes.
            minutes: of 60 seconds.
            seconds: of the clock.
            raise_errors: raise what the first failed attempt raised, once the time has passed.

        Returns:
            What ran, in the order in which it ended.
        """
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        step += timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        return self.advance_to(self.clock.now() + step, raise_errors=raise_errors)

    def advance_to(self, moment: datetime, *, raise_errors: bool = True) -> list[Ran]:
        """Let time pass up to a moment (see `advance`).

        Raises:
            ValueError: it is in this world's past.
        """
        if moment < self.clock.now():
            raise ValueError(f"{moment} is past: it is {self.clock.now()} in this world")
        shift = work_here(self._app, limit=_LIMIT, until=moment)
        self.ran += shift.ran
        shift.check(strict=raise_errors)
        return shift.ran


@contextmanager
def world(
    app: Rota, start: datetime | None = None, *, resources: Mapping[Any, Any] | None = None
) -> Iterator[World]:
    """Give an app a world of its own: a private, empty store with the code's schedules, and a clock.

        with world(app, datetime(2026, 1, 1, tzinfo=UTC)) as time:
            time.advance(days=365)
            assert len(time.ran) == 365

    Args:
        app: whose jobs and schedules.
        start: when it begins; without it where `isolated` does.
        resources: by type, in place of what the app's factories would make.
    """
    clock = None if start is None else FakeClock(start)
    with isolated(app, clock=clock, resources=resources) as given:
        yield World(app, given)
