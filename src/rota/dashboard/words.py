"""What templates say of moments, lengths of time, numbers and values."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from markupsafe import Markup, escape

from rota.model.job import JobRecord
from rota.operations.text import relative, span

__all__ = ["FILTERS"]

_LINE = 120
_DASH = Markup('<span class="quiet">–</span>')


def moment(at: datetime | None, now: datetime) -> Markup:
    """Show a moment by how far it is, which the page keeps up to date; the exact one is in the element."""
    if at is None:
        return _DASH
    return Markup('<time datetime="{}" data-relative>{}</time>').format(at.isoformat(), relative(at, now))


def exact(at: datetime | None) -> Markup:
    """Show a moment to the second."""
    if at is None:
        return _DASH
    return Markup('<time datetime="{}">{:%Y-%m-%d %H:%M:%S} UTC</time>').format(at.isoformat(), at)


def lasted(value: timedelta | float | None) -> str:
    """Show a length of time, given as such or in seconds."""
    if value is None:
        return "–"
    return span(value if isinstance(value, timedelta) else timedelta(seconds=value))


def pretty(value: Any) -> Markup:
    """Show a value as JSON over several lines."""
    return escape(msgspec.json.format(msgspec.json.encode(value)).decode())


def line(value: Any) -> Markup:
    """Show a value as JSON on one line, shortened."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return escape(text if len(text) <= _LINE else text[:_LINE] + "…")


def number(value: float) -> str:
    """Show a number with narrow spaces between thousands."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def size(value: int | None) -> str:
    """Show bytes in MiB."""
    return "–" if not value else f"{value / 2**20:.0f} MiB"


def short(value: UUID) -> str:
    """Show the end of an id, which is what tells ids of one second apart."""
    return f"…{str(value)[-8:]}"


def part(value: object) -> str:
    """Return a name as one part of a path, slashes in it escaped too."""
    return quote(str(value), safe="")


def took(job: JobRecord, now: datetime) -> timedelta | None:
    """Return how long the latest attempt has taken."""
    if job.started_at is None:
        return None
    return (job.finished_at or now) - job.started_at


FILTERS: dict[str, Callable[..., Any]] = {
    one.__name__: one for one in (moment, exact, pretty, line, number, size, short, part, took)
} | {"span": lasted}
