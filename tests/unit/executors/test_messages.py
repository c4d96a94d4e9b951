"""What a worker and its children tell each other, byte by byte."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.executors.messages import (
    Boot,
    Close,
    Ended,
    Frames,
    FromChild,
    Line,
    Reached,
    Ready,
    Start,
    Stop,
    ToChild,
    Unfit,
    decode_from_child,
    decode_to_child,
    frame,
    pack_outcome,
    unpack_outcome,
)
from rota.model.outcome import (
    Cancelled,
    Failed,
    Fault,
    Handed,
    Outcome,
    Retried,
    Snooze,
    Succeeded,
    Suspended,
)
from tests.unit.executors.attempts import attempt_to

FAULT = Fault("E", "why", "Traceback …", ("app.E", "builtins.Exception"), 1.5)


def bodies(data: bytes, size: int) -> list[bytes]:
    frames = Frames()
    return [body for at in range(0, len(data), size) for body in frames.feed(data[at : at + size])]


@pytest.mark.parametrize(
    "message",
    [
        Boot("a:b", "c:d", ["x", "y"], None, "/main.py"),
        Start(attempt_to(lambda: None).job, 1, 2),
        Stop(7, "cancelled"),
        Close(),
    ],
)
def test_what_goes_to_the_child_arrives(message: ToChild) -> None:
    assert [decode_to_child(body) for body in bodies(frame(message), 7)] == [message]


@pytest.mark.parametrize(
    "message",
    [
        Ready(),
        Unfit(FAULT),
        Line(7, "info", "text", {"a": 1, "b": None}),
        Reached(7, 1, None),
        Ended(7, "Succeeded", msgspec.Raw(b"\x92\xc0\xc0"), spent=True),
    ],
)
def test_what_comes_from_the_child_arrives(message: FromChild) -> None:
    assert [decode_from_child(body) for body in bodies(frame(message), 3)] == [message]


@given(st.lists(st.binary(max_size=300), max_size=20), st.integers(1, 1000))
def test_messages_are_put_together_however_they_are_cut(texts: list[bytes], size: int) -> None:
    messages = [Line(1, "info", text.hex(), None) for text in texts]

    received = bodies(b"".join(map(frame, messages)), size)

    assert [decode_from_child(body) for body in received] == messages


def test_what_is_no_message_is_refused_before_it_takes_memory() -> None:
    with pytest.raises(msgspec.DecodeError, match="4294967299 bytes"):
        list(Frames().feed(b"\xff" * 8))


@pytest.mark.parametrize(
    "outcome",
    [
        Succeeded(),
        Succeeded(b'{"a":1}', timedelta(days=1)),
        Failed(FAULT),
        Retried(timedelta(seconds=2.5), FAULT),
        Snooze(timedelta(minutes=1), "later"),
        Suspended("key", datetime(2026, 1, 1, tzinfo=UTC), 3),
        Handed("id", datetime(2026, 1, 1, tzinfo=UTC)),
        Cancelled("cancelled"),
    ],
)
def test_every_outcome_arrives_as_it_was(outcome: Outcome) -> None:
    (body,) = bodies(pack_outcome(7, outcome, spent=False), 64)
    ended = decode_from_child(body)

    assert isinstance(ended, Ended)
    assert unpack_outcome(ended) == outcome


def test_an_outcome_of_an_unknown_kind_is_a_failure() -> None:
    assert isinstance(unpack_outcome(Ended(7, "Mistaken", msgspec.Raw(b"\x90"), spent=False)), Failed)
