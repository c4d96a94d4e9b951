"""Filters of jobs as they stand in addresses and forms."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from msgspec import Struct, structs
from starlette.datastructures import ImmutableMultiDict

from rota.model.job import JobFilter
from rota.model.states import State
from rota.settings import parse_seconds

__all__ = ["Filters", "read_filters"]

FIELDS = ("queue", "task", "key", "tag", "schedule", "parent", "fault", "since", "until")
RARE = frozenset({"tag", "schedule", "parent", "until"})


class Filters(Struct, frozen=True):
    """A filter, as it was written and as it is meant.

    Args:
        states: as given.
        values: the other fields that were filled in, as given.
        faults: what is wrong with which field.
        which: what it means; without the fields that are wrong.
    """

    states: tuple[str, ...]
    values: dict[str, str]
    faults: dict[str, str]
    which: JobFilter

    @property
    def query(self) -> str:
        """The filter as a query string."""
        return urlencode(self.pairs)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The filter as fields of a form."""
        return [*(("state", one) for one in self.states), *self.values.items()]

    @property
    def rare(self) -> bool:
        """Whether a field is filled in that few need."""
        return not self.values.keys().isdisjoint(RARE)

    def narrowed(self, states: frozenset[State]) -> JobFilter:
        """Return what it means among these states."""
        return structs.replace(self.which, states=(self.which.states or states) & states)


def read_filters(given: ImmutableMultiDict[str, Any], now: datetime) -> Filters:
    """Read the fields of a filter.

    Args:
        given: a query or a form.
        now: the moment from which "2h" counts back.
    """
    states = tuple(dict.fromkeys(str(one) for one in given.getlist("state") if one))
    values = {name: text for name in FIELDS if (text := str(given.get(name, "")).strip())}
    fields: dict[str, Any] = {}
    faults: dict[str, str] = {}
    known = [one for one in states if one in set(State)]
    if len(known) < len(states):
        faults["state"] = f"Choose of {', '.join(State)}"
    for name, text in values.items():
        try:
            fields[name] = _READ.get(name, _text)(text, now)
        except ValueError as error:
            faults[name] = str(error)
    which = JobFilter(states=frozenset(map(State, known)), **fields)
    return Filters(states, values, faults, which)


def _text(text: str, _: datetime) -> str:
    if "\0" in text:
        raise ValueError("This holds a NUL character")
    return text


def _tag(text: str, _: datetime) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise ValueError("Write it as name=value")
    return name.strip(), value.strip()


def _id(text: str, _: datetime) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError("This is no id of a job") from None


def _moment(text: str, now: datetime) -> datetime:
    """Read a moment, or how long ago it was."""
    ago = parse_seconds(text)
    try:
        moment = now - timedelta(seconds=ago) if ago is not None else datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("Write a length of time such as 2h, or a moment such as 2026-01-31T08:00") from None


_READ: Mapping[str, Any] = {"tag": _tag, "parent": _id, "since": _moment, "until": _moment}
