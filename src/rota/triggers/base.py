"""What every trigger can do, and what those that follow a local clock have in common."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, Protocol, Self, TypedDict

from msgspec import Struct, json, structs

from rota.model.errors import TriggerError, did_you_mean
from rota.triggers.words import local_words
from rota.triggers.zones import EPOCH, NextWall, Repeated, Skipped, find_zone, timeline

__all__ = [
    "Jittered",
    "LocalTrigger",
    "Options",
    "Trigger",
    "given",
    "refuse_backwards",
    "span",
    "utc",
    "walk",
]

_SECOND = timedelta(seconds=1)
_NONE = timedelta(0)
_UTC_NAME = "UTC"
_ALWAYS = (-(10**12), 10**12)  # seconds: from before the calendar to after it


class Trigger(Protocol):
    """Says when a schedule ticks: a frozen value without state. Two that were written alike are equal.

    `str` gives a short text for people; `parse.from_json(trigger.to_json())` gives an equal trigger.
    """

    @property
    def jitter(self) -> timedelta:
        """By how much the run of a tick may be delayed at most. The tick itself stays where it is.

        Who runs the tick applies it, always by the same part for one schedule and tick (`policy.jitter`).
        """
        ...

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first tick strictly after `moment`; both are aware, the tick is in UTC.

        Returns:
            None when there is no further tick.

        Raises:
            TriggerError: `moment` has no zone.
        """
        ...

    def count(self, after: datetime, until: datetime, limit: int) -> int:
        """Return how many ticks lie after `after` and not after `until`.

        A trigger that has to walk from tick to tick stops at `limit`; one that can compute the number does.
        """
        ...

    def in_zone(self, zone: str) -> Self:
        """Return this trigger with `zone`, an IANA name, wherever it names none of its own.

        Called when a schedule is declared: what is stored does not change its meaning with a setting.

        Raises:
            TriggerError: there is no such zone.
        """
        ...

    def to_json(self) -> dict[str, Any]:
        """Return the structured form: JSON's own types, with the trigger's name under "kind"."""
        ...


class Jittered(
    Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"
):
    """What all of Rota's triggers are made of: a frozen value with a structured form."""

    jitter: timedelta = _NONE

    def __post_init__(self) -> None:
        if self.jitter < _NONE:
            raise TriggerError(self.kind, "jitter", str(self.jitter), "is below zero", "Give 0 or more")
        if not self.jitter:
            structs.force_setattr(self, "jitter", _NONE)  # the default itself, which is left out of the form

    @property
    def kind(self) -> str:
        """The name of the function that makes it."""
        return str(self.__struct_config__.tag)

    def to_json(self) -> dict[str, Any]:
        """Return the structured form; moments and lengths of time as ISO 8601 (see `Trigger`)."""
        form: dict[str, Any] = json.decode(json.encode(self))  # lists, as they come back from a store
        return form

    def _in_utc(self, *fields: str) -> None:
        """Hold moments in UTC, so that two that mean the same are equal."""
        for field in fields:
            moment = getattr(self, field)
            if moment is not None:
                structs.force_setattr(self, field, utc(self.kind, field, moment))


class _Search(NamedTuple):
    """What a local trigger looks up for each tick."""

    tick_after: Callable[[int, NextWall], int | None]
    next_wall: NextWall
    first: int  # every tick comes after this second of UTC
    last: int  # none comes after this one


class Options(TypedDict, total=False):
    """What may be given to every trigger that follows a local clock.

    Attributes:
        start: no tick before it, a moment with a zone.
        end: no tick after it.
        jitter: by how much the run of a tick may be delayed at most, as a timedelta or in seconds; the tick
            itself stays where it is.
        skipped: what becomes of local times that clocks jump over: "shift" ticks once right after the gap,
            "skip" not at all.
        repeated: in which pass local times tick that clocks show twice: "first", "second" or "both".
    """

    start: datetime | None
    end: datetime | None
    jitter: timedelta | float
    skipped: Skipped | None
    repeated: Repeated | None


class LocalTrigger(Jittered, frozen=True, kw_only=True, dict=True):
    """A trigger that says what a local clock shows when it ticks: whole seconds, in a zone.

    Its kind of trigger defines `search`, and by `turned` what becomes of skipped and repeated local times
    when nothing else was chosen. `tz` is an IANA zone name, or None when it is not said yet (see `in_zone`),
    and UTC until then; the other fields are `Options`.
    """

    tz: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    skipped: Skipped | None = None
    repeated: Repeated | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tz is not None:
            find_zone(self.tz)
        for field, choices in (("skipped", ("skip", "shift")), ("repeated", ("first", "second", "both"))):
            value = getattr(self, field)
            if value is not None and value not in choices:
                remedy = f"Choose {', '.join(choices[:-1])} or {choices[-1]}"
                raise TriggerError(self.kind, field, value, "is unknown", remedy)
        self._in_utc("start", "end")
        refuse_backwards(self.kind, self.start, self.end)

    def search(self) -> NextWall:
        """Return what finds the first local second, at or after a given one, at which it ticks."""
        raise NotImplementedError

    def turned(self) -> tuple[Skipped, Repeated]:
        """Return what becomes of skipped and of repeated local times, unless it was chosen."""
        return "shift", "first"

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first tick strictly after `moment` (see `Trigger`)."""
        tick_after, next_wall, first, last = self._search
        try:
            since = moment - EPOCH
        except TypeError:
            since = utc(self.kind, "moment", moment) - EPOCH  # says what is wrong with it
        second = since.days * 86_400 + since.seconds
        if second < first:  # noqa: PLR1730 - a call of max() for each tick would be felt
            second = first
        tick = tick_after(second, next_wall)
        if tick is None or tick > last:
            return None
        try:
            return EPOCH + timedelta(0, tick)
        except OverflowError:  # the end of the calendar
            return None

    def count(self, after: datetime, until: datetime, limit: int) -> int:
        """Return how many ticks lie after `after` and not after `until`, at most `limit` (see `Trigger`)."""
        return walk(self, after, until, limit)

    def in_zone(self, zone: str) -> Self:
        """Return this trigger with `zone`, unless it has one (see `Trigger`)."""
        if self.tz is not None:
            return self
        find_zone(zone)
        return structs.replace(self, tz=zone)

    def refuse_empty(self) -> None:
        """Refuse a trigger that never ticks between its start and its end."""
        earliest = self.start - timedelta.resolution if self.start else datetime.min.replace(tzinfo=UTC)
        if self.next_after(earliest) is None:
            field = "end" if self.end else "start"
            reason = (
                f"leaves no tick after start {self.start}" if self.start else "comes before the first tick"
            )
            remedy = "Give a later end" if self.end else "Give an earlier start"
            raise TriggerError(self.kind, field, str(getattr(self, field)), reason, remedy)

    def words(self) -> str:
        """Return what follows the words of the trigger itself: zone, bounds, policies."""
        chosen = [f"{policy} times {value}" for policy, value in self._policies() if value]
        return local_words(self.tz, self.start, self.end, self.jitter, *chosen)

    def _policies(self) -> tuple[tuple[str, str | None], ...]:
        return ("skipped", self.skipped), ("repeated", self.repeated)

    @cached_property
    def _search(self) -> _Search:
        skipped, repeated = self.turned()
        line = timeline(self.tz or _UTC_NAME, self.skipped or skipped, self.repeated or repeated)
        first, last = _ALWAYS
        if self.start is not None:
            first = -((EPOCH - self.start) // _SECOND) - 1
        if self.end is not None:
            last = (self.end - EPOCH) // _SECOND
        return _Search(line.tick_after, self.search(), first, last)


def refuse_backwards(kind: str, start: datetime | None, end: datetime | None) -> None:
    """Refuse an end before the start."""
    if start is not None and end is not None and start > end:
        raise TriggerError(kind, "end", str(end), f"is before start {start}", "Swap them")


def walk(trigger: Trigger, after: datetime, until: datetime, limit: int) -> int:
    """Return how many ticks lie after `after` and not after `until`, from tick to tick, at most `limit`."""
    number, tick = 0, trigger.next_after(after)
    while number < limit and tick is not None and tick <= until:
        number, tick = number + 1, trigger.next_after(tick)
    return number


def span(kind: str, field: str, length: timedelta | float) -> timedelta:
    """Return a length of time that was given as such, or in seconds.

    Raises:
        TriggerError: it is neither.
    """
    if isinstance(length, timedelta):
        return length
    try:
        return timedelta(seconds=length)
    except (TypeError, ValueError, OverflowError):
        remedy = "Give seconds, or a timedelta"
        raise TriggerError(kind, field, length, "is no length of time", remedy) from None


def given(kind: str, options: Mapping[str, Any], others: Iterable[str] = ()) -> dict[str, Any]:
    """Return options as the fields that they are kept in.

    Args:
        kind: the trigger that they were given to.
        options: `Options`, as far as its caller looked.
        others: names of what else it takes.

    Raises:
        TriggerError: one of them does not exist, or the jitter is no length of time.
    """
    for name, value in options.items():
        if name not in Options.__annotations__:
            known = [*others, *Options.__annotations__]
            remedy = f"Choose {', '.join(known)}.{did_you_mean(name, known)}"
            raise TriggerError(kind, name, value, "is no option", remedy)
    return {**options, "jitter": span(kind, "jitter", options.get("jitter", 0))}


def utc(trigger: str, field: str, moment: Any) -> datetime:
    """Return an aware moment in UTC.

    Raises:
        TriggerError: it has no zone, so it could mean any of 38 moments, or it leaves the calendar in UTC.
    """
    if not isinstance(moment, datetime):
        remedy = "Give a datetime with a zone"
        raise TriggerError(trigger, field, moment, "is no moment", remedy)
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise TriggerError(trigger, field, str(moment), "has no time zone", "Add tzinfo=UTC, or a ZoneInfo")
    try:
        in_utc: datetime = moment.astimezone(UTC)
    except OverflowError:
        remedy = "Give a moment from year 1 to 9999"
        raise TriggerError(trigger, field, str(moment), "is beyond the calendar", remedy) from None
    return in_utc
