"""Retry-After in its three forms of date, as seconds, and on exceptions of common libraries."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from rota.policy.retry_after import parse_retry_after, retry_after_of
from rota.testing.clock import FakeClock

NOW = datetime(1994, 11, 6, 8, 49, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("9" * 400, 366 * 86_400),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 30),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 30),
        ("Sun Nov  6 08:49:37 1994", 30),
        ("Sun, 06 Nov 1994 07:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 366 * 86_400),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("99999999999999999999 Nov 1994 08:49:37 GMT", None),
    ],
)
def test_a_header(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


class AskingError(Exception):
    def __init__(self, **attributes: Any) -> None:
        super().__init__("try later")
        self.__dict__.update(attributes)


class HostileError(Exception):
    @property
    def retry_after(self) -> float:
        raise RuntimeError("not now")


def response(**headers: str) -> SimpleNamespace:
    return SimpleNamespace(headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (AskingError(retry_after=1.5), 1.5),
        (AskingError(retry_after="7"), 7),
        (AskingError(retry_after=timedelta(minutes=1)), 60),
        (AskingError(retry_after=5, response=response(Retry_After="9")), 5),
        (AskingError(response=response(Retry_After="9")), 9),
        (AskingError(response=response(RETRY_AFTER="9")), 9),
        (AskingError(headers={"retry-after": "9"}), 9),
        (AskingError(response=response(Retry_After="Sun, 06 Nov 1994 08:49:37 GMT")), 30),
        (
            AskingError(
                response=response(
                    Retry_After="Sun, 06 Nov 1994 08:49:37 GMT", Date="Sun, 06 Nov 1994 08:48:37 GMT"
                )
            ),
            60,
        ),
        (AskingError(retry_after=-1), None),
        (AskingError(retry_after=float("nan")), None),
        (AskingError(retry_after=float("inf")), 366 * 86_400),
        (AskingError(retry_after=object()), None),
        (AskingError(response=None, headers=None), None),
        (AskingError(response=SimpleNamespace(headers=[("Retry-After", "9")])), None),
        (AskingError(), None),
        (HostileError(), None),
        (ValueError(), None),
    ],
)
def test_an_exception(error: Exception, seconds: float | None) -> None:
    assert retry_after_of(error, FakeClock(NOW)) == seconds
