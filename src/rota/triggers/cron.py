"""Local times by the rules of crontab(5).

The fields of an expression are minute (0-59), hour (0-23), day of month (1-31), month (1-12 or jan-dec),
day of week (0-7 or sun-sat; 0 and 7 are Sunday, 1 is Monday); with six fields seconds (0-59) come before
them. Each is `*`, a number, a range `1-5`, one of those with a step (`*/15`, `8-18/2`; `5/15` is
`5-59/15`), or a list of these with commas. Names may be used wherever numbers may, in any case. `@hourly`,
`@daily` or `@midnight`, `@weekly`, `@monthly`, `@yearly` or `@annually` stand for their fields.

A day of month may also be `L` or `last` (the last day), `L-3` (three days before it), `15W` (the day from
Monday to Friday nearest to 15, within the month), `LW`; and either day field `fri#2` or `2nd fri` (the
second Friday of the month), `fri#L`, `5L` or `last fri` (the last one).

**Days.** When neither day field begins with `*`, a day fits if either of them fits: `0 0 13 * 5` ticks on
each 13th and on each Friday. When one begins with `*`, both must fit: `0 0 13 * *` ticks on each 13th,
`0 0 */2 * 1` on Mondays with an odd date.

**When clocks are turned** (cron(8) of Vixie and Debian, without their limit of three hours), unless
`skipped` or `repeated` say otherwise:

- An expression whose minute or hour field begins with `*` is a *wildcard*. It keeps real elapsed time: it
  ticks whenever a clock on the wall would show a fitting time. Through both changes `*/15 * * * *` ticks
  every 15 minutes and `0 * * * *` every hour; `*/15 2 * * *` ticks twice as often on the day that 02:00 to
  03:00 is repeated and not at all on the day that it is skipped.
- Any other expression names its times. It ticks once for each: a time that is repeated ticks the first time
  only, one that is skipped ticks at once after the gap (several of one gap: once).
"""

from collections.abc import Mapping
from typing import Any, Unpack

from msgspec import structs

from rota.model.errors import TriggerError
from rota.triggers.base import LocalTrigger, Options, given
from rota.triggers.crontab import ANY, Crontab, expand, parse
from rota.triggers.words import crontab_words
from rota.triggers.zones import NextWall, Repeated, Skipped

__all__ = ["Cron", "CronOptions", "cron"]

# The most significant first. Fields after the last one given take the value here, those before it are `*`.
_LEAST = {
    "year": ANY,
    "month": "1",
    "day": "1",
    "week": ANY,
    "day_of_week": ANY,
    "hour": "0",
    "minute": "0",
    "second": "0",
}


class CronOptions(Options, total=False):
    """What may be given to `cron` by name: a number, or what the field of an expression may hold.

    Attributes:
        year: 1970 to 9999.
        month: 1 to 12, or a name.
        day: of the month.
        week: of the year, 1 to 53, by ISO 8601.
        day_of_week: 0 and 7 are Sunday, 1 is Monday; or a name.
        hour: of the day.
        minute: of the hour.
        second: of the minute.
    """

    year: int | str | None
    month: int | str | None
    day: int | str | None
    week: int | str | None
    day_of_week: int | str | None
    hour: int | str | None
    minute: int | str | None
    second: int | str | None


def cron(
    expression: str | None = None,
    tz: str | None = None,
    **options: Unpack[CronOptions],
) -> "Cron":
    """Tick when local clocks show what the fields say: `cron("0 8 * * 1", tz="Europe/Amsterdam")`.

    The module's head explains expressions. Instead of one, fields may be given by name: `cron(hour=1)`,
    `cron(day="last", hour=18, minute=30)`. Fields before the last one given are `*` unless given, those after
    it take their least value. All of them must fit, `day` and `day_of_week` both.

    Args:
        expression: five or six fields, or an alias.
        tz: an IANA zone name. None: the default zone of the settings, filled in when the schedule is declared
            (`in_zone`); a trigger that was never declared takes UTC.
        options: fields by name, and start, end, jitter, skipped, repeated; see `CronOptions` and `Options`.

    Raises:
        TriggerError: a field is malformed or out of bounds, the date can never come (`0 0 31 2 *`), no tick
            lies between start and end, or the zone does not exist. It names the field, its value and the
            remedy.
    """
    by_name = {name: str(value) for name in _LEAST if (value := options.get(name)) is not None}
    others = {name: value for name, value in options.items() if name not in _LEAST}
    fields = given("cron", others, _LEAST)
    if expression is None:
        return Cron(**_by_name(by_name), tz=tz, **fields)
    if by_name:
        remedy = f"Leave out the expression, or {', '.join(by_name)}"
        raise TriggerError("cron", "expression", expression, "stands beside fields by name", remedy)
    return Cron(expression, tz=tz, **fields)


def _by_name(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the definition that fields by name stand for."""
    if not fields:
        remedy = "Write cron('0 8 * * 1'), or fields by name as in cron(hour=8)"
        raise TriggerError("cron", "expression", None, "is missing", remedy)
    last = max(map(list(_LEAST).index, fields))
    words = {
        name: "".join(expand(fields[name]).split()) if name in fields else (least if place > last else ANY)
        for place, (name, least) in enumerate(_LEAST.items())
    }
    order = ("second", "minute", "hour", "day", "month", "day_of_week")
    return {
        "expression": " ".join(words[name] for name in (order[1:] if words["second"] == "0" else order)),
        "week": words["week"],
        "year": words["year"],
        "both": not words["day"].startswith(ANY) and not words["day_of_week"].startswith(ANY),
    }


class Cron(LocalTrigger, frozen=True, tag="cron"):
    """Made by `cron`, which explains it.

    `expression` holds five or six fields; an alias is written out. With `both`, both day fields must fit even
    if neither begins with `*`.
    """

    expression: str
    week: str = ANY
    year: str = ANY
    both: bool = False

    def __post_init__(self) -> None:
        structs.force_setattr(self, "expression", expand(self.expression))
        super().__post_init__()
        self._crontab  # noqa: B018 - reads and checks it
        if self.start is not None or self.end is not None:
            self.refuse_empty()

    def turned(self) -> tuple[Skipped, Repeated]:
        """Return the rule for turned clocks: wildcards keep elapsed time, others tick once."""
        return ("skip", "both") if self._crontab.wildcard else ("shift", "first")

    def search(self) -> NextWall:
        """Return the search for the next local second that fits (see `LocalTrigger`)."""
        return self._crontab.next_wall

    def __str__(self) -> str:
        words = crontab_words(self.expression, self.week, self.year, both=self.both)
        return f"{words}{self.words()}"

    @property
    def _crontab(self) -> Crontab:
        return parse(self.expression, self.week, self.year, both=self.both)
