"""What may run: slots of limited scopes, and pauses of queues."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from rota.model.job import Claim

__all__ = ["LimitStore", "SlotRequest"]


class SlotRequest(Struct, frozen=True):
    """A claimed job that needs one slot in each of its scopes before it may start.

    `scopes` pairs a scope ("task:send", "queue:mail", "key:send:tenant-7") with its limit.
    """

    claim: Claim
    scopes: tuple[tuple[str, int], ...]


class LimitStore(Protocol):
    """Slots are exact over all workers: a running job's row names the slots that it holds."""

    async def acquire(self, requests: Sequence[SlotRequest]) -> frozenset[UUID]:
        """Give slots in order of `requests`; returns the jobs that may start.

        A refused job is parked in the same transaction: ready, held by the first full scope, its attempt
        uncounted. It becomes claimable again when a slot of that scope is released.
        """
        ...

    async def sweep(self) -> int:
        """Release held jobs whose scopes have room, as after a limit was raised; returns how many."""
        ...

    async def pause_queue(self, queue: str, by: str) -> bool:
        """Stop claims from a queue; False when it was paused already."""
        ...

    async def resume_queue(self, queue: str) -> bool:
        """Allow claims again; False when it was not paused."""
        ...
