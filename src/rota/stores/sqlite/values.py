"""How values stand in columns: moments as microseconds, ids as 16 bytes, the rest as JSON text."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from rota.model.clock import from_micros, to_micros

__all__ = [
    "id_or_none",
    "id_set",
    "ids",
    "json_or_none",
    "json_text",
    "micros",
    "micros_or_none",
    "moment_or_none",
    "span_or_none",
    "uuid_or_none",
]

_MICROSECOND = timedelta(microseconds=1)
_encode = msgspec.json.Encoder().encode


def micros(span: timedelta) -> int:
    """Return a span in whole microseconds."""
    return span // _MICROSECOND


def micros_or_none(moment: datetime | None) -> int | None:
    """Return a moment as it is stored."""
    return None if moment is None else to_micros(moment)


def id_or_none(value: UUID | None) -> bytes | None:
    """Return an id as it is stored."""
    return None if value is None else value.bytes


def ids(values: Iterable[UUID]) -> bytes:
    """Return ids end to end: statements cut them apart again, which is faster than one call for each."""
    return b"".join(value.bytes for value in values)


def id_set(values: Collection[UUID]) -> dict[str, Any]:
    """Return ids as the parameters `ids` and `places`, the latter a JSON array of equal length."""
    return {"ids": ids(values), "places": json.dumps([0] * len(values))}


def moment_or_none(value: int | None) -> datetime | None:
    """Return a stored moment."""
    return None if value is None else from_micros(value)


def span_or_none(value: int | None) -> timedelta | None:
    """Return a stored span."""
    return None if value is None else timedelta(microseconds=value)


def uuid_or_none(value: bytes | None) -> UUID | None:
    """Return a stored id."""
    return None if value is None else UUID(bytes=value)


def json_text(value: Any) -> str:
    """Return a value as JSON text."""
    return _encode(value).decode()


def json_or_none(value: Any) -> str | None:
    """Return a value as JSON text; None stays NULL."""
    return None if value is None else _encode(value).decode()
