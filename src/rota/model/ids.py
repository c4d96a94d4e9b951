"""Identifiers and claim tokens."""

import os
import secrets
import threading
import time
from uuid import UUID

__all__ = ["new_id", "new_token"]

_VERSION_AND_VARIANT = (7 << 76) | (2 << 62)
_RANDOM_BITS = 62
_lock = threading.Lock()
_last_tick = 0


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562 §5.7) that sorts after every id made before it in this process.

    The 12 bits after the milliseconds carry the fraction of the millisecond (RFC 9562 §6.2, method 3);
    within one process a tie is broken by stepping that fraction forward.
    """
    global _last_tick  # noqa: PLW0603 - the one piece of state that monotonic ids need
    now = time.time_ns()
    tick = (now // 1_000_000) << 12 | (now % 1_000_000) * 4096 // 1_000_000
    with _lock:
        if tick <= _last_tick:
            tick = _last_tick + 1
        _last_tick = tick
    random = int.from_bytes(os.urandom(8), "big") >> (64 - _RANDOM_BITS)
    return UUID(int=(tick >> 12) << 80 | _VERSION_AND_VARIANT | (tick & 0xFFF) << 64 | random)


def new_token() -> int:
    """Make a claim token: 63 random bits, so that it fits a signed 64-bit column; never 0."""
    return secrets.randbits(63) or 1
