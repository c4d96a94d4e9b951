"""Recurrence rules of RFC 5545 (iCalendar), read by python-dateutil."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from typing import Any, Unpack
from zoneinfo import ZoneInfo

from msgspec import structs

from rota.model.errors import ConfigurationError, TriggerError
from rota.triggers.base import LocalTrigger, Options, given, utc
from rota.triggers.zones import NextWall, Repeated, Skipped, find_zone

__all__ = ["RRule", "rrule"]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local
_FIRST = datetime(2000, 1, 1)  # noqa: DTZ001 - local
_SECOND = timedelta(seconds=1)
_MOST_COUNTED = 10_000
_HORIZON = timedelta(days=100 * 365)
_LINE = re.compile(r"(?P<name>[A-Z]+)(?:;(?P<parameters>[^:]*))?:(?P<value>.*)")
_MOMENT = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
_YEARLY, _MONTHLY = "YEARLY", "MONTHLY"
_PERIODS = {
    "WEEKLY": timedelta(weeks=1),
    "DAILY": timedelta(days=1),
    "HOURLY": timedelta(hours=1),
    "MINUTELY": timedelta(minutes=1),
    "SECONDLY": timedelta(seconds=1),
}
_SAYS_WHICH_DAYS = {"BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY"}


def rrule(
    rule: str,
    *,
    tz: str | None = None,
    **options: Unpack[Options],
) -> "RRule":
    """Tick by a recurrence rule of RFC 5545: `rrule("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17")`.

    The rule may stand alone or with a DTSTART line, as calendars write it:
    `DTSTART;TZID=Europe/Amsterdam:20260101T080000` and, on the next line, `RRULE:FREQ=DAILY;INTERVAL=2`.
    Needs the extra `rrule`.

    As the RFC says, local times that do not exist are left out, those that are repeated tick the first time,
    and what the rule does not say (a time of day, a weekday) is that of the start. It looks 100 years ahead:
    a rule that has no tick until then has none.

    Args:
        rule: parts such as FREQ, INTERVAL, BYDAY; COUNT is at most 10,000.
        tz: an IANA zone name. None: that of DTSTART, of the start if it has one, else the default zone of the
            settings (see `cron`).
        options: start, end, jitter, skipped ("skip" unless chosen), repeated ("first" unless chosen); see
            `Options`. The start is DTSTART: the first tick, if the rule fits it, and what intervals are
            counted from; without it 2000-01-01 00:00 local time. The end may be written as UNTIL.

    Raises:
        ConfigurationError: python-dateutil is missing; names the extra.
        TriggerError: the rule is malformed, says something that a trigger cannot mean, or has no tick.
    """
    found, dtstart = _lines(rule)
    fields = given("rrule", options)
    start, end = options.get("start"), options.get("end")
    if dtstart is not None and start is not None:
        raise TriggerError("rrule", "start", str(start), "stands beside DTSTART", "Leave out one of them")
    if dtstart is not None:
        parameters, value = dtstart
        tz = tz or ("UTC" if value.endswith("Z") else parameters.removeprefix("TZID=") or None)
        fields["start"] = _moment("DTSTART", value, tz)
    elif tz is None and start is not None and isinstance(start.tzinfo, ZoneInfo):
        tz = start.tzinfo.key
    parts = found.upper().split(";")
    until = [part.removeprefix("UNTIL=") for part in parts if part.startswith("UNTIL=")]
    if until and end is not None:
        raise TriggerError("rrule", "end", str(end), "stands beside UNTIL", "Leave out one of them")
    if until:
        fields["end"] = _moment("UNTIL", until[0], tz, end_of_day=True)
    return RRule(";".join(part for part in parts if not part.startswith("UNTIL=")), tz=tz, **fields)


class RRule(LocalTrigger, frozen=True, tag="rrule"):
    """Made by `rrule`: `rule` holds the parts without UNTIL, which is `end`."""

    rule: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start is not None:
            structs.force_setattr(self, "start", self.start.replace(microsecond=0))
        parts = _parts(self.rule)
        if "COUNT" in parts and self.start is None:
            raise TriggerError(
                "rrule", "start", None, "is missing", "COUNT needs a start or DTSTART to count from"
            )
        _base(self.rule, self._local_start())
        if not _ticks(self.rule, self._local_start()):
            remedy = "Give parts that some date fits"
            raise TriggerError(
                "rrule", "rule", self.rule, "has no tick within 100 years of its start", remedy
            )
        if self.end is not None:
            self.refuse_empty()

    def turned(self) -> tuple[Skipped, Repeated]:
        """Return what RFC 5545 (3.3.10 and 3.3.5) says of skipped and repeated times."""
        return "skip", "first"

    def search(self) -> NextWall:
        """Return what finds the next local time (see `LocalTrigger`)."""
        start = self._local_start()
        if "COUNT" in _parts(self.rule):
            exact = (self.skipped or "skip") == "skip"
            counted = _counted(self.rule, start, self.tz or "UTC" if exact else None)
            return lambda wall: next(iter(counted[bisect_left(counted, wall) :]), None)
        return lambda wall: _next(self.rule, start, wall)

    def __str__(self) -> str:
        return f"rrule {self.rule}{self.words()}"

    def _local_start(self) -> datetime:
        if self.start is None:
            return _FIRST
        return self.start.astimezone(find_zone(self.tz or "UTC")).replace(tzinfo=None, fold=0)


def _lines(text: str) -> tuple[str, tuple[str, str] | None]:
    """Return the rule, and the parameters and value of DTSTART if it is there."""
    rule, dtstart = "", None
    for line in text.split():
        found = _LINE.fullmatch(line)
        if found is None or found["name"] == "RRULE":
            if rule:
                raise TriggerError(
                    "rrule", "rule", text, "has more than one rule", "Join them by any_of(...)"
                )
            rule = line if found is None else found["value"]
        elif found["name"] == "DTSTART":
            dtstart = found["parameters"] or "", found["value"]
        else:
            remedy = "Write DTSTART and one RRULE; leave out dates by excluding(...), add some by any_of(...)"
            raise TriggerError("rrule", "rule", text, f"has a line {found['name']}", remedy)
    return rule, dtstart


def _parts(rule: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in rule.split(";"):
        name, _, value = part.partition("=")
        if not value or name in parts or name == "BYEASTER":  # of python-dateutil, not of the RFC
            remedy = "Write each part once, as in FREQ=WEEKLY;BYDAY=MO"
            raise TriggerError("rrule", name or "rule", part, "is empty, given twice or unknown", remedy)
        parts[name] = value
    if parts.get("FREQ") not in {_YEARLY, _MONTHLY, *_PERIODS}:
        remedy = f"Choose {_YEARLY}, {_MONTHLY}, {', '.join(_PERIODS)}"
        raise TriggerError("rrule", "FREQ", parts.get("FREQ"), "is unknown", remedy)
    for name, most in (("INTERVAL", 10**6), ("COUNT", _MOST_COUNTED)):
        value = parts.get(name, "1")
        if not value.isdigit() or not 1 <= int(value) <= most:
            raise TriggerError("rrule", name, value, "is out of bounds", f"Give 1 to {most:,}")
    return parts


def _moment(field: str, text: str, tz: str | None, *, end_of_day: bool = False) -> datetime:
    """Return a DATE or DATE-TIME of RFC 5545; without Z it is local time."""
    found = _MOMENT.fullmatch(text)
    try:
        time = found and (found[2] or ("235959" if end_of_day else "000000"))
        local = datetime.strptime(f"{found and found[1]}{time}", "%Y%m%d%H%M%S")  # noqa: DTZ007 - local
    except ValueError:
        remedy = "Write 20261231, 20261231T235959 or 20261231T235959Z"
        raise TriggerError("rrule", field, text, "is no date and time", remedy) from None
    zone = UTC if text.endswith("Z") else find_zone(tz or "UTC")
    return utc("rrule", field, local.replace(tzinfo=zone))


@lru_cache(maxsize=1024)
def _base(rule: str, start: datetime) -> Any:
    """Return the rule as python-dateutil has it, without COUNT, with all said that the start implies.

    So it may begin later, at any whole number of intervals.
    """
    try:
        from dateutil.rrule import rrulestr  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigurationError(["rrule needs python-dateutil: pip install 'rota[rrule]'"]) from None
    parts = _parts(rule)
    parts.pop("COUNT", None)
    if not _SAYS_WHICH_DAYS & parts.keys():
        if parts["FREQ"] == _YEARLY:
            parts.setdefault("BYMONTH", str(start.month))
        if parts["FREQ"] in {_YEARLY, _MONTHLY}:
            parts["BYMONTHDAY"] = str(start.day)
    try:
        return rrulestr(";".join("=".join(part) for part in parts.items()), dtstart=start)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        remedy = "See RFC 5545, section 3.3.10"
        raise TriggerError("rrule", "rule", rule, f"cannot be read: {error}", remedy) from None


def _next(rule: str, start: datetime, wall: int) -> int | None:
    """Return the first local second at or after `wall` that a rule without COUNT hits."""
    try:
        moment = _EPOCH + timedelta(seconds=max(wall, (start - _EPOCH) // _SECOND))
        begin = _begin(_parts(rule), start, moment)
        last = moment + _HORIZON
    except OverflowError:
        return None
    late = _late(begin)
    found = _base(rule, start).replace(dtstart=_later(begin, late)).after(_later(moment, late), inc=True)
    return (
        None if found is None or _later(found, -late) > last else (_later(found, -late) - _EPOCH) // _SECOND
    )


@lru_cache(maxsize=1024)
def _ticks(rule: str, start: datetime) -> bool:
    return _next(rule, start, 0) is not None


def _late(begin: datetime) -> int:
    """Return the years by which a search is moved, so that it ends with the calendar in 100 to 500 years.

    python-dateutil looks for a match until the year 9999, which takes it ten seconds where there is none. The
    calendar repeats each 400 years, weekdays and weeks included.
    """
    return max(0, (date.max.year - 100 - begin.year) // 400 * 400)


def _later(moment: datetime, years: int) -> datetime:
    return moment.replace(year=moment.year + years)


def _begin(parts: dict[str, str], start: datetime, moment: datetime) -> datetime:
    """Return where to begin the search for what follows `moment`: whole intervals after the start.

    python-dateutil walks through all that lies before; this leaves it one or two intervals.
    """
    interval = int(parts.get("INTERVAL", "1"))
    if parts["FREQ"] == _YEARLY:
        number = max(0, (moment.year - start.year) // interval - 1)
        return start.replace(year=start.year + number * interval, month=1, day=1) if number else start
    if parts["FREQ"] == _MONTHLY:
        months = (moment.year - start.year) * 12 + moment.month - start.month
        number = max(0, months // interval - 1)
        year, month = divmod(start.year * 12 + start.month - 1 + number * interval, 12)
        return start.replace(year=year, month=month + 1, day=1) if number else start
    period = interval * _PERIODS[parts["FREQ"]]
    return start + max(0, (moment - start) // period - 1) * period


@lru_cache(maxsize=256)
def _counted(rule: str, start: datetime, zone: str | None) -> tuple[int, ...]:
    """Return the local seconds of a rule with COUNT; with a zone, of those that exist there."""
    late, last = _late(start), start + _HORIZON
    moments = _base(rule, start).replace(dtstart=_later(start, late))
    existing = _existing((_later(moment, -late) for moment in moments), zone)
    counted = islice(takewhile(lambda moment: moment <= last, existing), int(_parts(rule)["COUNT"]))
    return tuple((moment - _EPOCH) // _SECOND for moment in counted)


def _existing(moments: Iterable[datetime], tz: str | None) -> Iterator[datetime]:
    """Yield the local moments that exist in a zone, or all."""
    zone = find_zone(tz) if tz else None
    for moment in moments:
        if zone is None or moment == _shown_again(moment, zone):
            yield moment


def _shown_again(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0)
