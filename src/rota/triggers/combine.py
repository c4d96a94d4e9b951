"""Triggers made of triggers: all of them, any of them, one of them but not then."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from msgspec import structs

from rota.model.errors import TriggerError
from rota.triggers.base import Jittered, Trigger, span, walk
from rota.triggers.holidays import Holidays, dates_of, is_dates
from rota.triggers.words import duration, listed, local_words
from rota.triggers.zones import find_zone

__all__ = ["AllOf", "AnyOf", "Excluding", "all_of", "any_of", "excluding"]

_NONE = timedelta(0)
_TICK = timedelta.resolution
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_STEPS = 10_000
"""How many moments are tried, one after the other, before a search is given up."""


def any_of(*triggers: Trigger, jitter: timedelta | float = 0) -> "AnyOf":
    """Tick whenever at least one of the triggers does; once where several tick at the same moment.

    Args:
        triggers: two or more.
        jitter: by how much the run of a tick may be delayed at most, as a timedelta or in seconds.

    Raises:
        TriggerError: fewer than two triggers, something else than a trigger, or one with a jitter of its own.
    """
    return AnyOf(triggers, jitter=span("any_of", "jitter", jitter))


def all_of(*triggers: Trigger, threshold: timedelta | float = 0, jitter: timedelta | float = 0) -> "AllOf":
    """Tick when all of the triggers do, at the earliest of their moments.

    A moment of one trigger is a tick if each of the others ticks at it or at most `threshold` later. The
    search for the next one tries 10,000 moments: triggers that do not meet within these are refused when
    they are joined, and raise an error if it happens later. It never hangs.

    Args:
        triggers: two or more.
        threshold: how far apart the moments may lie, as a timedelta or in seconds; 0: they must be equal.
        jitter: by how much the run of a tick may be delayed at most, as a timedelta or in seconds.

    Raises:
        TriggerError: fewer than two triggers, something else than a trigger, one with a jitter of its own, a
            negative threshold, or they never tick together.
    """
    within = span("all_of", "threshold", threshold)
    return AllOf(triggers, threshold=within, jitter=span("all_of", "jitter", jitter))


def excluding(
    trigger: Trigger,
    *what: Trigger | Holidays | date,
    tz: str | None = None,
    jitter: timedelta | float = 0,
) -> "Excluding":
    """Tick when a trigger does, but not on some dates, nor at moments of other triggers.

    `excluding(cron("0 8 * * 1-5"), holidays)`, `excluding(every(minutes=15), cron("* 2 * * *"))`.

    Args:
        trigger: the one that ticks.
        what: dates on which it does not tick, one by one, as a collection, or as an object of a holiday
            library, which is asked for each day from 2000 to 2049; and triggers at whose moments it does not.
        tz: the zone of the dates. None: that of the trigger, else the default zone of the settings.
        jitter: by how much the run of a tick may be delayed at most, as a timedelta or in seconds.

    Raises:
        TriggerError: nothing is excluded, or nothing is left; the zone does not exist; or something is no
            trigger, no date and no collection of dates.
    """
    dates = [one for one in what if is_dates(one)]
    moments = tuple(one for one in what if not is_dates(one))
    return Excluding(
        trigger,
        dates=tuple(sorted({day for one in dates for day in dates_of("excluding", one)})),
        moments=moments,
        tz=tz or getattr(trigger, "tz", None),
        jitter=span("excluding", "jitter", jitter),
    )


class _Combined(Jittered, frozen=True):
    """What `any_of` and `all_of` have in common."""

    triggers: tuple[Any, ...]  # of `Trigger`: their structured forms are read one by one

    between: ClassVar[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        structs.force_setattr(self, "triggers", tuple(self.triggers))
        if len(self.triggers) < 2:  # noqa: PLR2004 - one is no combination
            raise TriggerError(self.kind, "triggers", len(self.triggers), "are too few", "Give two or more")
        _check(self.kind, self.triggers)

    def count(self, after: datetime, until: datetime, limit: int) -> int:
        """Return how many ticks lie after `after` and not after `until`, at most `limit` (see `Trigger`)."""
        return walk(self, after, until, limit)

    def in_zone(self, zone: str) -> Self:
        """Return this trigger with `zone` in all parts that name none (see `Trigger`)."""
        return structs.replace(self, triggers=tuple(trigger.in_zone(zone) for trigger in self.triggers))

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first tick strictly after `moment` (see `Trigger`)."""
        raise NotImplementedError

    def __str__(self) -> str:
        words = f" {self.between} ".join(f"({trigger})" for trigger in self.triggers)
        return words + local_words(None, None, None, self.jitter)


class AnyOf(_Combined, frozen=True, tag="any_of"):
    """Made by `any_of`."""

    between = "or"

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first tick strictly after `moment` (see `Trigger`)."""
        ticks = [trigger.next_after(moment) for trigger in self.triggers]
        return min((tick for tick in ticks if tick is not None), default=None)


class AllOf(_Combined, frozen=True, tag="all_of"):
    """Made by `all_of`."""

    threshold: timedelta = _NONE

    between = "and"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.threshold < _NONE:
            raise TriggerError("all_of", "threshold", str(self.threshold), "is below zero", "Give 0 or more")
        if not self.threshold:
            structs.force_setattr(self, "threshold", _NONE)
        if self.next_after(_EARLIEST) is None:
            remedy = "Give triggers that do, or a larger threshold"
            raise TriggerError("all_of", "triggers", str(self), "never tick together", remedy)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first tick strictly after `moment` (see `Trigger`).

        Raises:
            TriggerError: they did not meet in 10,000 steps.
        """
        for _ in range(_STEPS):
            ticks = [trigger.next_after(moment) for trigger in self.triggers]
            if None in ticks:
                return None
            first, last = min(ticks), max(ticks)
            if last - first <= self.threshold:
                earliest: datetime = first
                return earliest
            # The one that is last has no tick before it, so nothing earlier than this can be a tick.
            moment = last - self.threshold - _TICK
        remedy = "Give triggers that meet more often, or a larger threshold"
        raise TriggerError("all_of", "triggers", str(self), f"do not meet in {_STEPS:,} steps", remedy)

    def __str__(self) -> str:
        return super().__str__() + (f" within {duration(self.threshold)}" if self.threshold else "")


class Excluding(Jittered, frozen=True, tag="excluding", dict=True):
    """Made by `excluding`."""

    trigger: Any  # a `Trigger`, and so are the moments: structured forms are read one by one
    dates: tuple[date, ...] = ()
    moments: tuple[Any, ...] = ()
    tz: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check("excluding", [self.trigger, *self.moments])
        if self.tz is not None:
            find_zone(self.tz)
        if not self.dates and not self.moments:
            remedy = "Give dates, holidays or a trigger"
            raise TriggerError("excluding", "what", (), "excludes nothing", remedy)
        structs.force_setattr(self, "dates", tuple(sorted(set(self.dates))))
        if self.next_after(_EARLIEST) is None:
            raise TriggerError("excluding", "what", str(self), "leaves no tick", "Exclude less")

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first tick strictly after `moment` (see `Trigger`).

        Raises:
            TriggerError: 10,000 ticks in a row are excluded.
        """
        tick: datetime | None = self.trigger.next_after(moment)
        for _ in range(_STEPS + len(self.dates)):
            if tick is None:
                break
            if (day_ends := self._end_of_excluded_day(tick)) is not None:
                tick = self.trigger.next_after(max(tick, day_ends))
            elif any(other.next_after(tick - _TICK) == tick for other in self.moments):
                tick = self.trigger.next_after(tick)
            else:
                break
        else:
            reason = f"excludes {_STEPS:,} ticks in a row"
            raise TriggerError("excluding", "what", str(self), reason, "Exclude less")
        return tick

    def _end_of_excluded_day(self, tick: datetime) -> datetime | None:
        """Return the last moment of a tick's local day if that is excluded."""
        zone, dates = self._days
        if not dates:
            return None
        try:
            local = tick.astimezone(zone)
            last = local.replace(hour=23, minute=59, second=59, microsecond=999_999, fold=1)
            return last.astimezone(UTC) if local.date() in dates else None
        except OverflowError:  # at either end of the calendar
            return None

    def count(self, after: datetime, until: datetime, limit: int) -> int:
        """Return how many ticks lie after `after` and not after `until`, at most `limit` (see `Trigger`)."""
        return walk(self, after, until, limit)

    def in_zone(self, zone: str) -> Self:
        """Return this trigger with `zone` wherever it names none (see `Trigger`)."""
        find_zone(zone)
        return structs.replace(
            self,
            trigger=self.trigger.in_zone(zone),
            moments=tuple(one.in_zone(zone) for one in self.moments),
            tz=self.tz or zone,
        )

    def __str__(self) -> str:
        what = [f"({one})" for one in self.moments]
        if self.dates:
            what.insert(0, f"{len(self.dates)} date{'s' if len(self.dates) > 1 else ''}")
        return f"({self.trigger}) except {listed(what)}{local_words(None, None, None, self.jitter)}"

    @cached_property
    def _days(self) -> tuple[ZoneInfo, frozenset[date]]:
        return find_zone(self.tz or "UTC"), frozenset(self.dates)


def _check(kind: str, triggers: Iterable[Any]) -> None:
    """Refuse parts that are no triggers, or have a jitter: nobody would apply it."""
    for trigger in triggers:
        if not isinstance(trigger, Jittered):
            remedy = "Give triggers, as every(...) and cron(...) make them"
            raise TriggerError(kind, "triggers", trigger, "is no trigger", remedy)
        if trigger.jitter:
            remedy = f"Give the jitter to {kind}(...) itself"
            raise TriggerError(kind, "jitter", str(trigger.jitter), f"is that of a part, {trigger}", remedy)
