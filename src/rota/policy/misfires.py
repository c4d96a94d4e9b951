"""What to do about due moments, when some of them may have been missed."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from rota.model.errors import ConfigurationError, did_you_mean

__all__ = [
    "CATCH_UP_CAP",
    "ON_TIME",
    "WALKED",
    "CatchUp",
    "Decision",
    "Timetable",
    "decide",
    "missed_between",
]

CATCH_UP_CAP = 100
"""How many missed moments `CatchUp.ALL` runs at most: the latest ones, oldest first."""

ON_TIME = timedelta(seconds=10)
"""A moment handled within this time was not missed: twice the scheduler's longest sleep."""

WALKED = 1_000
"""Missed moments of a trigger that has to walk are counted up to here; the number then means "or more"."""

_LARGEST = 1_000_000_000  # fits a 32-bit column
_TICK = timedelta.resolution
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class CatchUp(StrEnum):
    """What happens to moments that were missed: the latest runs, all run, none runs."""

    ONE = "one"
    ALL = "all"
    NONE = "none"


class Timetable(Protocol):
    """What is asked of a trigger here (see `rota.triggers.base.Trigger`)."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first tick strictly after `moment`."""
        ...

    def count(self, after: datetime, until: datetime, limit: int) -> int:
        """Return how many ticks lie after `after` and not after `until`; walking may stop at `limit`."""
        ...


class Decision(Struct, frozen=True):
    """What becomes of a schedule that is due.

    Args:
        at: the due moment that is handled now.
        runs: whether a job is made for it; otherwise it is recorded as missed.
        missed: how many due moments before `at` are recorded as missed with it, as one range.
        next_at: the schedule's next moment, which may have come as well; None when it has ended.
    """

    at: datetime
    runs: bool
    missed: int
    next_at: datetime | None


def decide(
    timetable: Timetable, due: datetime, now: datetime, catch_up: str, grace: timedelta | None = None
) -> Decision:
    """Decide which of a schedule's due moments is handled now.

    One call handles one moment, so that each can be written in one transaction; where more are due than it
    covers, `next_at` has come too and the next call handles that. It remembers nothing between calls.

    - "one": the latest moment runs, those before it are missed.
    - "all": the oldest runs first. Where more than `CATCH_UP_CAP` are due, those before the latest so many
      are missed.
    - "none": the latest runs if it is at most `ON_TIME` ago, all others are missed.

    With a grace, no moment runs that came longer ago: it is missed as well.

    Args:
        timetable: the trigger.
        due: the schedule's next moment as stored, not after `now`.
        now: the store's present moment.
        catch_up: a `CatchUp`, as stored.
        grace: how late a moment may run; None: at any time, for "none" `ON_TIME`.

    Raises:
        ConfigurationError: `catch_up` is unknown.
    """
    policy = _policy(catch_up)
    oldest = _oldest(now, policy, grace)
    following = timetable.next_after(due)
    if following is None or following > now:
        return Decision(due, due >= oldest, 0, following)
    if policy is CatchUp.ALL:
        # Those that are too old for the grace are left out like those beyond the cap.
        fits = due >= oldest
        fresh = min(timetable.count(due if fits else oldest - _TICK, now, CATCH_UP_CAP), CATCH_UP_CAP)
        if fits and fresh < CATCH_UP_CAP:
            return Decision(due, runs=True, missed=0, next_at=following)
        at = _latest(timetable, due, now, max(fresh, 1))
    else:
        at = _latest(timetable, due, now, 1)
    return Decision(at, at >= oldest, _missed(timetable, due, at), timetable.next_after(at))


def _oldest(now: datetime, policy: CatchUp, grace: timedelta | None) -> datetime:
    """Return the oldest moment that may still run."""
    if grace is None:
        if policy is not CatchUp.NONE:
            return _BEGINNING
        grace = ON_TIME
    try:
        return now - grace
    except OverflowError:
        return _BEGINNING


def missed_between(
    timetable: Timetable, due: datetime, now: datetime
) -> tuple[datetime, int, datetime | None]:
    """Return the latest moment from `due` up to `now`, how many lie before it, and the next one."""
    following = timetable.next_after(due)
    if following is None or following > now:
        return due, 0, following
    at = _latest(timetable, due, now, 1)
    return at, _missed(timetable, due, at), timetable.next_after(at)


def _policy(catch_up: str) -> CatchUp:
    try:
        return CatchUp(catch_up)
    except ValueError:
        known = [policy.value for policy in CatchUp]
        hint = did_you_mean(str(catch_up), known)
        raise ConfigurationError(
            [f"catch_up {catch_up!r} is unknown.{hint} Choose {', '.join(known)}"]
        ) from None


def _latest(timetable: Timetable, due: datetime, now: datetime, rank: int) -> datetime:
    """Return the tick that is the `rank`-th latest of those after `due` and not after `now`.

    Bisects time: each step counts at most `rank` + 1 ticks, however many were missed.
    """
    early, late, middle = due, now, due
    while True:
        left = timetable.count(middle, now, rank + 1)
        if left == rank:
            tick = timetable.next_after(middle)
            assert tick is not None  # noqa: S101 - `left` counted it
            return tick
        if left > rank:
            early = middle
        else:
            late = middle
        middle = early + (late - early) // 2


def _missed(timetable: Timetable, due: datetime, at: datetime) -> int:
    """Return how many due moments lie before `at`, `due` among them."""
    return min(timetable.count(due, at, WALKED), _LARGEST)
