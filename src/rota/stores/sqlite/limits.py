"""Slots of limited scopes, and pauses of queues."""

import json
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from rota.model.events import Notice
from rota.model.states import State
from rota.ports.limits import SlotRequest
from rota.stores.sqlite.finish import Aftermath, archive, release_overlap, tell
from rota.stores.sqlite.returning import Claimed, claimed_jobs
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.writer import Writer

__all__ = ["SqliteLimits"]


class SqliteLimits:
    """`LimitStore` on SQLite."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def acquire(self, requests: Sequence[SlotRequest]) -> frozenset[UUID]:
        """Give slots in order; see the port."""
        return await self._writer.run(lambda transaction: _acquire(transaction, requests))

    async def sweep(self) -> int:
        """Release held jobs whose scopes have room; see the port."""
        return await self._writer.run(_sweep)

    async def pause_queue(self, queue: str, by: str) -> bool:
        """Stop claims from a queue; see the port."""

        def operation(transaction: Transaction) -> bool:
            changed = transaction.change("pause_queue", queue=queue, by=by) > 0
            if changed:
                transaction.notices.append(Notice("queues", queue))
            return changed

        return await self._writer.run(operation)

    async def resume_queue(self, queue: str) -> bool:
        """Allow claims from a queue again; see the port."""

        def operation(transaction: Transaction) -> bool:
            changed = transaction.change("resume_queue", queue=queue) > 0
            if changed:
                transaction.notices.append(Notice("queues", queue))
            return changed

        return await self._writer.run(operation)


def _acquire(transaction: Transaction, requests: Sequence[SlotRequest]) -> frozenset[UUID]:
    # A claim that stands twice is asked for once; one that was lost neither gets a slot nor sets a limit.
    unique = list({request.claim: request for request in requests}.values())
    rows = claimed_jobs(transaction, [request.claim for request in unique])
    wanted = [(row, unique[row.place]) for row in sorted(rows)]
    capacities = dict(scope for _, request in wanted for scope in request.scopes)
    used = Counter(dict(transaction.rows("slots_used", scopes=json.dumps(list(capacities)))))
    taken: Counter[str] = Counter()
    granted: set[UUID] = set()
    holding: list[dict[str, object]] = []
    refused: list[tuple[bytes, Claimed, str]] = []
    for row, request in wanted:
        scopes = dict(request.scopes)
        full = next((name for name, size in scopes.items() if used[name] + taken[name] >= size), None)
        if row.slots is None and full is not None:
            refused.append((request.claim.id.bytes, row, full))
            continue
        granted.add(request.claim.id)
        if row.slots is None and scopes:
            taken.update(scopes.keys())
            holding.append({"seq": row.seq, "slots": json.dumps(list(scopes))})
    transaction.change_each("hold_slots", holding)
    counted = ({"scope": name, "taken": taken[name], "capacity": size} for name, size in capacities.items())
    transaction.change_each("open_slots", counted)
    _park(transaction, refused)
    return frozenset(granted)


def _park(transaction: Transaction, refused: Sequence[tuple[bytes, Claimed, str]]) -> None:
    """Put refused jobs back under the scope that was full; those whose cancel was asked for end here."""
    aftermath = Aftermath(transaction)
    cancelled = [row for _, row, _ in refused if row.cancel_requested]
    for row in cancelled:
        aftermath.ended(row.parent)
    archive(transaction, State.CANCELLED, [(row.seq, None) for row in cancelled])
    parked = [one for one in refused if not one[1].cancel_requested]
    transaction.change_each("park", ({"seq": row.seq, "held": f"limit:{scope}"} for _, row, scope in parked))
    tell(transaction, "hold", ((job, row.attempt, {"scope": scope}) for job, row, scope in parked))
    aftermath.follow()


def _sweep(transaction: Transaction) -> int:
    queues = []
    for (reason,) in transaction.rows("held_reasons"):
        kind, _, name = reason.partition(":")
        if kind == "limit":
            queues += [queue for (queue,) in transaction.rows("release", scope=name)]
        elif kind == "overlap":
            queues += release_overlap(transaction, [name])
    transaction.announce_ready(queues)
    return len(queues)
