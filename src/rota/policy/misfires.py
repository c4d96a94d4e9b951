"""What to do about due moments, when some of them may have been missed."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from rota.model.errors import ConfigurationError, did_you_mean

__all__ = ["CATCH_UP_CAP", "ON_TIME", "WALKED", "CatchUp", "Decision", "Timetable", "decide"]

CATCH_UP_CAP = 100
"""How many missed moments `CatchUp.ALL` runs at most: the latest ones, oldest first."""

ON_TIME = timedelta(seconds=10)
"""A moment handled within this time was not missed: twice the scheduler's longest sleep."""

WALKED = 1_000
"""Missed moments of a trigger that has to walk are counted up to here; the number then means "or more"."""

_LARGEST = 1_000_000_000  # fits a 32-bit column


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


def decide(timetable: Timetable, due: datetime, now: datetime, catch_up: str) -> Decision:
    """Decide which of a schedule's due moments is handled now.

    One call handles one moment, so that each can be written in one transaction; where more are due than it
    covers, `next_at` has come too and the next call handles that. It remembers nothing between calls.

    - "one": the latest moment runs, those before it are missed.
    - "all": the oldest runs first. Where more than `CATCH_UP_CAP` are due, those before the latest so many
      are missed.
    - "none": the latest runs if it is at most `ON_TIME` ago, all others are missed.

    Args:
        timetable: the trigger.
        due: the schedule's next moment as stored, not after `now`.
        now: the store's present moment.
        catch_up: a `CatchUp`, as stored.

    Raises:
        ConfigurationError: `catch_up` is unknown.
    """
    policy = _policy(catch_up)
    following = timetable.next_after(due)
    if following is None or following > now:
        return Decision(due, policy is not CatchUp.NONE or now - due <= ON_TIME, 0, following)
    if policy is CatchUp.ALL:
        if timetable.count(due, now, CATCH_UP_CAP) < CATCH_UP_CAP:
            return Decision(due, runs=True, missed=0, next_at=following)
        at = _latest(timetable, due, now, CATCH_UP_CAP)
        return Decision(at, runs=True, missed=_missed(timetable, due, at), next_at=timetable.next_after(at))
    at = _latest(timetable, due, now, 1)
    runs = policy is CatchUp.ONE or now - at <= ON_TIME
    return Decision(at, runs, _missed(timetable, due, at), timetable.next_after(at))


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
