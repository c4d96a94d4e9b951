"""Local times by the rules of crontab(5)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct, structs, to_builtins

from rota.triggers.base import utc
from rota.triggers.crontab import Crontab, expand, parse
from rota.triggers.zones import find_zone, instant, offsets, turn_at

__all__ = ["Cron", "cron"]

_MINUTE = timedelta(minutes=1)
_UTC_NAME = "UTC"
# Local times of the first day of the calendar may lie before it in UTC.
_EARLIEST = datetime.min.replace(tzinfo=UTC) + timedelta(days=2)


def cron(expression: str, tz: str | None = None) -> "Cron":
    """Tick when local clocks show what five fields say: `cron("0 8 * * 1", tz="Europe/Amsterdam")`.

    The fields are those of crontab(5): minute (0-59), hour (0-23), day of month (1-31), month (1-12 or
    jan-dec), day of week (0-7 or sun-sat; 0 and 7 are Sunday, 1 is Monday). Each is `*`, a number, a range
    `1-5`, one of those with a step (`*/15`, `8-18/2`; `5/15` is `5-59/15`), or a list of these with commas.
    Names may be used wherever numbers may, in any case. `@hourly`, `@daily` or `@midnight`, `@weekly`,
    `@monthly`, `@yearly` or `@annually` stand for their five fields.

    **Days.** As in crontab(5): when neither day field begins with `*`, a day fits if either of them fits:
    `0 0 13 * 5` ticks on each 13th and on each Friday. When one begins with `*`, both must fit: `0 0 13 * *`
    on each 13th, `0 0 */2 * 1` on Mondays with an odd date.

    **When clocks are turned** (cron(8) of Vixie and Debian, without their limit of three hours):

    - An expression whose minute or hour field begins with `*` is a *wildcard*. It keeps real elapsed time: it
      ticks whenever a clock on the wall would show a fitting time. `*/15 * * * *` ticks every 15 minutes
      and `0 * * * *` every hour through both changes; `*/15 2 * * *` ticks twice as often on the day that
      02:00 to 03:00 is repeated and not at all on the day that it is skipped.
    - Any other expression names its times. It ticks once for each: a time that is repeated ticks the first
      time only, one that is skipped ticks at once after the gap (several of one gap: once).

    Args:
        expression: five fields, or an alias.
        tz: an IANA zone name. None: the default zone of the settings, filled in when the schedule is declared
            (`in_zone`); a trigger that was never declared takes UTC.

    Raises:
        TriggerError: a field is malformed or out of bounds, the date can never come (`0 0 31 2 *`), or the
            zone does not exist. It names the field, its value and the remedy.
    """
    return Cron(expression, tz)


class Cron(Struct, frozen=True, omit_defaults=True, tag="cron", tag_field="kind", forbid_unknown_fields=True):
    """Made by `cron`, which explains it. `expression` holds five fields; an alias is written out."""

    expression: str
    tz: str | None = None

    def __post_init__(self) -> None:
        structs.force_setattr(self, "expression", expand(self.expression))
        parse(self.expression)
        if self.tz is not None:
            find_zone(self.tz)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first tick strictly after `moment` (see `Trigger`)."""
        moment = max(utc("cron", "moment", moment), _EARLIEST)
        crontab, zone = parse(self.expression), find_zone(self.tz or _UTC_NAME)
        search = _whenever_shown if crontab.wildcard else _once_each
        try:
            return search(crontab, zone, moment)
        except OverflowError:  # the end of the calendar
            return None

    def count(self, after: datetime, until: datetime, limit: int) -> int:
        """Return how many ticks lie after `after` and not after `until`, at most `limit` (see `Trigger`)."""
        number, tick = 0, self.next_after(after)
        while number < limit and tick is not None and tick <= until:
            number, tick = number + 1, self.next_after(tick)
        return number

    def in_zone(self, zone: str) -> "Cron":
        """Return this trigger with `zone`, unless it has one (see `Trigger`)."""
        return self if self.tz is not None else Cron(self.expression, zone)

    def to_json(self) -> dict[str, Any]:
        """Return the structured form: "expression", and "tz" if it is known."""
        form: dict[str, Any] = to_builtins(self)
        return form

    def __str__(self) -> str:
        return f"cron {self.expression} {self.tz}" if self.tz else f"cron {self.expression}"


def _once_each(crontab: Crontab, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """Return the next tick of an expression that names its times."""
    fitting = crontab.next_wall(_next_minute(moment.astimezone(zone)))
    while fitting is not None:
        before, after = offsets(fitting, zone)
        if before == after:
            return instant(fitting, before)
        turn = turn_at(fitting, before, after, zone)
        tick = turn.at if turn.skips else instant(fitting, before)
        if tick > moment:
            return tick
        # `moment` is in the second pass of repeated times: they have ticked.
        fitting = crontab.next_wall(_whole(turn.end))
    return None


def _whenever_shown(crontab: Crontab, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """Return the next tick of a wildcard: the next moment at which clocks show a fitting time."""
    local = moment.astimezone(zone)
    fitting = crontab.next_wall(_next_minute(local))
    shown = local.replace(tzinfo=None, fold=0, microsecond=0)
    before, after = offsets(shown, zone)
    if before > after and local.fold == 0:
        # In the first pass of repeated times: what is left of it comes first, then the second pass.
        turn = turn_at(shown, before, after, zone)
        if fitting is not None and fitting < turn.end:
            return instant(fitting, before)
        fitting = crontab.next_wall(_whole(turn.start))
    while fitting is not None:
        before, after = offsets(fitting, zone)
        if before >= after:
            first = instant(fitting, before)
            return first if first > moment else instant(fitting, after)
        fitting = crontab.next_wall(_whole(turn_at(fitting, before, after, zone).end))
    return None


def _next_minute(local: datetime) -> datetime:
    """Return the first whole minute that a clock shows after `local` (naive)."""
    return local.replace(tzinfo=None, fold=0, second=0, microsecond=0) + _MINUTE


def _whole(wall: datetime) -> datetime:
    """Return the first whole minute at or after `wall`: old offsets from UTC have seconds."""
    return wall if wall.second == 0 else _next_minute(wall)
