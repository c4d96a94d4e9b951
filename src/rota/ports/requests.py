"""Requests that were sent with a key, so that sending one again does nothing twice."""

from datetime import timedelta
from typing import Protocol
from uuid import UUID

from msgspec import Struct

__all__ = ["KEPT", "Begun", "KeptAnswer", "RequestStore"]

KEPT = timedelta(hours=24)
"""How long a request is remembered."""


class KeptAnswer(Struct, frozen=True):
    """What a request was answered: the status and the body."""

    status: int
    body: bytes


class Begun(Struct, frozen=True, kw_only=True):
    """What is known of a request.

    Args:
        mine: whether the caller is to do the work now.
        same: whether it says what the first of its key said.
        seed: the id that whoever did, or does, the work makes its ids from.
        answer: what the first was answered, once it was.
    """

    mine: bool
    same: bool
    seed: UUID
    answer: KeptAnswer | None


class RequestStore(Protocol):
    """Requests by whose they are and their key, for 24 hours."""

    async def begin(self, scope: str, key: str, digest: bytes, seed: UUID, lease: timedelta) -> Begun:
        """Take note of a request, or say what is known of it.

        Who began one and gave no answer within `lease` is presumed dead: the next one with the same digest
        does the work, from the first seed.
        """
        ...

    async def finish(self, scope: str, key: str, answer: KeptAnswer | None) -> None:
        """Keep a request's answer; with None the work failed, and the next one may do it at once."""
        ...
