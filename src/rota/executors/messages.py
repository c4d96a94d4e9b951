"""What a worker and its child processes tell each other: MessagePack of Structs, each behind its length."""

import struct
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from rota.definitions.invocation import fault_of
from rota.model.job import ClaimedJob
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

__all__ = [
    "Boot",
    "Close",
    "Ended",
    "Frames",
    "FromChild",
    "Line",
    "Reached",
    "Ready",
    "Start",
    "Stop",
    "ToChild",
    "Unfit",
    "decode_from_child",
    "decode_to_child",
    "frame",
    "pack_outcome",
    "unpack_outcome",
]


class Boot(Struct, frozen=True, tag=True):
    """Load the definitions: `loader` ("module:function") is called with `argument`.

    Before that the program's main module is imported under another name, by `main_module` (as `python -m`
    had it) or `main_path` (a script), if one is given. After so many jobs, or when its memory has peaked
    at so many bytes, the child is replaced; 0: never.
    """

    loader: str
    argument: str
    argv: list[str]
    main_module: str | None
    main_path: str | None
    recycle_after_jobs: int = 0
    recycle_memory: int = 0


class Start(Struct, frozen=True, tag=True):
    """Run a job; the limits, in bytes, are those of the worker's own definitions."""

    job: ClaimedJob
    log_limit: int
    result_limit: int


class Stop(Struct, frozen=True, tag=True):
    """The job with this claim token has to stop."""

    token: int
    reason: str


class Close(Struct, frozen=True, tag=True):
    """Release everything and exit."""


class Ready(Struct, frozen=True, tag=True):
    """The definitions are loaded and resources open."""


class Unfit(Struct, frozen=True, tag=True):
    """They are not; the child exits."""

    fault: Fault


class Line(Struct, frozen=True, tag=True):
    """A log line of the running job."""

    token: int
    level: str
    message: str
    fields: dict[str, Any] | None


class Reached(Struct, frozen=True, tag=True):
    """How far the running job is."""

    token: int
    done: int
    total: int | None


class Ended(Struct, frozen=True, tag=True):
    """The job ended; `kind` names the outcome's class. A `spent` child closes, and takes no other job.

    Not `begun` is a job whose task the child does not know.
    """

    token: int
    kind: str
    outcome: msgspec.Raw
    spent: bool
    begun: bool = True


ToChild = Boot | Start | Stop | Close
FromChild = Ready | Unfit | Line | Reached | Ended

decode_to_child = msgspec.msgpack.Decoder(ToChild).decode
decode_from_child = msgspec.msgpack.Decoder(FromChild).decode

_encode = msgspec.msgpack.Encoder().encode
_KINDS = (Cancelled, Failed, Handed, Retried, Snooze, Succeeded, Suspended)
_DECODERS: dict[str, msgspec.msgpack.Decoder[Outcome]] = {
    kind.__name__: msgspec.msgpack.Decoder(kind) for kind in _KINDS
}
_LENGTH = struct.Struct(">I")
_LONGEST = 1024 * 1024 * 1024


def frame(message: ToChild | FromChild) -> bytes:
    """Return a message as it travels.

    Raises:
        ValueError, TypeError, OverflowError: a value in it has no form in MessagePack.
    """
    body = _encode(message)
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Puts messages together from bytes as they come."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Add bytes, and yield the body of every message that is complete.

        Raises:
            msgspec.DecodeError: these are no messages.
        """
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._buffer)[0]
            if end > _LONGEST:
                raise msgspec.DecodeError(f"a message of {end} bytes")
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield body


def pack_outcome(token: int, outcome: Outcome, *, spent: bool, begun: bool = True) -> bytes:
    """Return an `Ended` as it travels; an outcome that cannot travel becomes a failure that says so."""
    try:
        raw = _encode(outcome)
    except (ValueError, TypeError, OverflowError) as error:
        outcome = Failed(fault_of(error))
        raw = _encode(outcome)
    return frame(Ended(token, type(outcome).__name__, msgspec.Raw(raw), spent, begun))


def unpack_outcome(ended: Ended) -> Outcome:
    """Return the outcome of a message; one of wrong types, which a task can return, becomes a failure."""
    try:
        return _DECODERS[ended.kind].decode(ended.outcome)
    except (msgspec.DecodeError, KeyError) as error:
        return Failed(fault_of(error))
