"""From a structured form, or a line of text, to the trigger."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from rota.model.errors import TriggerError, did_you_mean
from rota.triggers.base import Jittered, Trigger
from rota.triggers.business import BusinessDays
from rota.triggers.calendar import Calendar
from rota.triggers.combine import AllOf, AnyOf, Excluding
from rota.triggers.cron import Cron, cron
from rota.triggers.fields import WEEKDAY
from rota.triggers.interval import Interval, every
from rota.triggers.once import Once, once
from rota.triggers.rrule import RRule, rrule

__all__ = ["from_json", "parse"]

_KINDS: dict[str, type[Jittered]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (AllOf, AnyOf, BusinessDays, Calendar, Cron, Excluding, Interval, Once, RRule)
}
_PARTS = {"triggers": list, "moments": list, "trigger": dict}  # fields that hold triggers
_DEEPEST = 20
_UNITS = {
    **dict.fromkeys(("w", "week", "weeks"), "weeks"),
    **dict.fromkeys(("d", "day", "days"), "days"),
    **dict.fromkeys(("h", "hour", "hours"), "hours"),
    **dict.fromkeys(("m", "min", "minute", "minutes"), "minutes"),
    **dict.fromkeys(("s", "sec", "second", "seconds"), "seconds"),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), "milliseconds"),
    **dict.fromkeys(("us", "µs", "microsecond", "microseconds"), "microseconds"),
}
_NUMBER_OR_WORD = re.compile(r"\d+(?:\.\d+)?|[a-zµ]+|[^\s,]", re.IGNORECASE)
_WHEN = "Write a crontab line as '0 8 * * 1 Europe/Amsterdam', 'every 5 minutes', an RRULE, or a moment"


def parse(text: str | Mapping[str, Any]) -> Trigger:
    """Return the trigger that a line of text, or a structured form, means.

    - `0 8 * * 1`, `@daily`, each with a zone behind it if you like: `0 8 * * 1 Europe/Amsterdam`;
    - `every 5 minutes`, `every 1h 30m`, `every day`: elapsed time;
    - `2026-01-01T08:00:00+01:00`, perhaps after `once`: one moment, with its offset or Z;
    - `FREQ=WEEKLY;BYDAY=MO`, perhaps after `rrule` or with a DTSTART line: a recurrence rule;
    - `{"kind": "cron", …}`: the structured form as JSON.

    Raises:
        TriggerError: it means nothing; says what, and what could be written.
    """
    if isinstance(text, Mapping):
        return from_json(text)
    text = str(text).strip()
    word = text.split(maxsplit=1)[0].lower() if text else ""
    if text.startswith("{"):
        return _from_text_of_json(text)
    if word == "every":
        return _every(text)
    if word in {"once", "rrule", "cron"}:
        text = text[len(word) :].strip()
    if word == "rrule" or re.match(r"(?:RRULE|DTSTART|FREQ)\b", text, re.IGNORECASE):
        return rrule(text)
    if word == "once" or re.match(r"\d{4}-?\d\d-?\d\d", text):
        return _once(text)
    if word != "cron" and len(text.split()) < 5 and not text.startswith("@"):  # noqa: PLR2004 - a line's fields
        raise TriggerError("trigger", "text", text, "means nothing", _WHEN)
    return _cron(text)


def from_json(form: Mapping[str, Any]) -> Trigger:
    """Return the trigger whose `to_json` is `form`; it is checked as if it were written in code.

    Raises:
        TriggerError: its kind is unknown, or a field is missing, unknown, of a wrong type or out of bounds.
    """
    try:
        text = msgspec.json.encode(form)
    except (TypeError, ValueError, RecursionError):  # no JSON: refused with the field named
        trigger: Trigger = _from_json(form, _DEEPEST)
        return trigger
    return _from_text(text)


@lru_cache(maxsize=4096)  # a scheduler reads a schedule's trigger at each of its ticks
def _from_text(text: bytes) -> Trigger:
    trigger: Trigger = _from_json(msgspec.json.decode(text), _DEEPEST)
    return trigger


def _from_json(form: Any, depth: int) -> Any:
    name = form.get("kind") if isinstance(form, Mapping) else None
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        remedy = f"Choose {', '.join(_KINDS)}.{did_you_mean(str(name), _KINDS)}"
        raise TriggerError("trigger", "kind", name, "is unknown", remedy)
    if not depth:
        raise TriggerError(str(name), "form", "…", f"is more than {_DEEPEST} deep", "Join fewer triggers")
    inner = dict(form)
    for field, of in _PARTS.items():
        if field in kind.__struct_fields__ and isinstance(form.get(field), of):
            part = form[field]
            inner[field] = (
                [_from_json(one, depth - 1) for one in part] if of is list else _from_json(part, depth - 1)
            )
    try:
        return msgspec.convert(inner, kind)
    except msgspec.ValidationError as error:
        fields = ", ".join(kind.__struct_fields__)
        raise TriggerError(
            str(name), "form", dict(form), f"cannot be read: {error}", f"Fields: {fields}"
        ) from None


def _from_text_of_json(text: str) -> Trigger:
    try:
        form = json.loads(text)
    except ValueError as error:
        raise TriggerError("trigger", "text", text, f"is no JSON: {error}", _WHEN) from None
    return from_json(form)


def _cron(text: str) -> Trigger:
    """Read a crontab line that may have a zone behind it."""
    *fields, last = text.split()
    if (len(fields) >= 5 or text.startswith("@")) and _may_be_zone(last):  # noqa: PLR2004 - a line's fields
        return cron(" ".join(fields), tz=last)
    return cron(text)


def _may_be_zone(word: str) -> bool:
    """Whether a word is written as zones are, and no weekday."""
    if not word[0].isupper():
        return False
    try:
        WEEKDAY.read(word)
    except TriggerError:
        return True
    return False


def _every(text: str) -> Trigger:
    parts, number = dict.fromkeys(_UNITS.values(), 0.0), None
    words = _NUMBER_OR_WORD.findall(text[len("every") :])
    for word in words:
        if word[0].isdigit() and number is None:
            number = float(word)
        elif word.lower() in _UNITS:
            parts[_UNITS[word.lower()]] += 1 if number is None else number
            number = None
        else:
            hint = did_you_mean(word.lower(), _UNITS)
            remedy = f"Write 'every 5 minutes' or 'every 1h 30m'; days of the week by a crontab line.{hint}"
            raise TriggerError("every", "unit", word, "is no unit of time", remedy)
    if number is not None or not words:
        remedy = "Write 'every 5 minutes' or 'every 1h 30m'"
        raise TriggerError("every", "text", text, "ends without a unit of time", remedy)
    parts["microseconds"] += parts.pop("milliseconds") * 1000
    return every(**parts)  # type: ignore[arg-type]  # the moments are not among them


def _once(text: str) -> Trigger:
    try:
        return once(datetime.fromisoformat(text))
    except ValueError:
        remedy = "Write it as 2026-01-01T08:00:00+01:00"
        raise TriggerError("once", "at", text, "is no moment", remedy) from None
