"""The delay that a failed call asks for: Retry-After, RFC 9110 §10.2.3."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from rota.model.clock import Clock, SystemClock

__all__ = ["parse_retry_after", "retry_after_of"]

_HEADER = "retry-after"
_DATE = "date"
_LOCAL = SystemClock()
_LONGEST = timedelta(days=366).total_seconds()


def parse_retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks to wait.

    Args:
        value: seconds (`120`) or an HTTP-date in any of the three forms of RFC 9110 §5.6.7.
        now: the moment that a date is counted from, aware.

    Returns:
        Seconds from 0 to 366 days, 0 for a date that has passed; None for a value that is neither form: a
        header that cannot be read is no reason to fail otherwise than the call did.
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        return _bounded(float(text))
    moment = _http_date(text)
    return None if moment is None else _bounded((moment - now).total_seconds())


def retry_after_of(error: BaseException, clock: Clock = _LOCAL) -> float | None:
    """Return the seconds, up to 366 days, that an exception asks to wait; None when it asks for nothing.

    Looks at its attribute `retry_after` (seconds, a `timedelta` or a header's text), then at the Retry-After
    header of its `response` (httpx, requests) or of the exception itself (urllib, aiohttp). A date counts
    from the answer's own Date header, so that clocks need not agree, else from `clock`.
    """
    headers = _headers_of(error)
    asked = _peek(error, "retry_after")
    if asked is None:
        asked = headers.get(_HEADER)
    if isinstance(asked, str):
        sent = _http_date(headers.get(_DATE, ""))
        return parse_retry_after(asked, sent or clock.now())
    if isinstance(asked, timedelta):
        asked = asked.total_seconds()
    if isinstance(asked, int | float) and asked >= 0:
        return _bounded(asked)
    return None


def _headers_of(error: BaseException) -> Mapping[str, str]:
    """Return the HTTP headers that come with an exception, names in lower case."""
    headers = _peek(_peek(error, "response"), "headers") or _peek(error, "headers")
    try:
        return {str(name).lower(): str(value) for name, value in headers.items()}
    except (AttributeError, TypeError, ValueError):
        return {}


def _peek(thing: object, name: str) -> Any:
    try:
        return getattr(thing, name, None)
    except Exception:  # noqa: BLE001 - a property of someone's exception may raise anything; the first error counts
        return None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    # RFC 9110 §5.6.7: the asctime form names no zone and means UTC, as the two others do.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _bounded(seconds: float) -> float:
    return min(max(0.0, float(seconds)), _LONGEST)
