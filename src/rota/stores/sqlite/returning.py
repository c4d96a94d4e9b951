"""Jobs that come back without an outcome: given back, or taken back from an owner that fell silent."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from rota.model.job import Claim
from rota.model.states import State
from rota.ports.jobs import RescuedJob
from rota.stores.sqlite.finish import Aftermath, Told, archive, tell
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.values import ids, uuid_or_none

__all__ = ["Claimed", "claimed_jobs", "give_back", "rescue"]


class Claimed(NamedTuple):
    """The row of a claim that holds; `place` is the claim's place among those asked for."""

    place: int
    seq: int
    attempt: int
    cancel_requested: int
    parent: bytes | None
    slots: str | None
    queue: str
    started_at: int | None


class _Lapsed(NamedTuple):
    """The row of a claim whose time has passed."""

    id: bytes
    owner: bytes | None
    seq: int
    attempt: int
    cancel_requested: int
    parent: bytes | None
    slots: str | None
    queue: str


def claimed_jobs(transaction: Transaction, claims: Sequence[Claim]) -> list[Claimed]:
    """Return the rows of those claims that hold."""
    rows = transaction.rows(
        "claimed_jobs",
        ids=ids(claim.id for claim in claims),
        claims=json.dumps([(claim.token,) for claim in claims]),
    )
    return [Claimed(*row) for row in rows]


def give_back(transaction: Transaction, claims: Sequence[Claim], *, begun: bool = False) -> int:
    """Return claimed jobs to their place; see `JobStore.give_back`."""
    claims = list(dict.fromkeys(claims))
    rows = claimed_jobs(transaction, claims)
    _put_back(transaction, rows, "give_back")
    started: Iterable[Told] = (
        (claims[row.place].id.bytes, row.attempt, {}) for row in rows if begun or row.started_at is not None
    )
    tell(transaction, "give_back", started)
    return len(rows)


def rescue(transaction: Transaction, limit: int, *, isolate: bool = False) -> list[RescuedJob]:
    """Take back jobs whose lease or deadline has passed; see `JobStore.rescue`."""
    rows = [_Lapsed(*row) for row in transaction.rows("lapsed", limit=limit)]
    _put_back(transaction, rows, "rescue", isolate=isolate)
    transaction.change("bury_workers")
    rescued = [
        RescuedJob(
            UUID(bytes=row.id),
            uuid_or_none(row.owner),
            State.CANCELLED if row.cancel_requested else State.READY,
        )
        for row in rows
    ]
    owners = (None if one.owner is None else str(one.owner) for one in rescued)
    told = zip(rows, owners, strict=True)
    tell(transaction, "rescue", ((row.id, row.attempt, {"owner": owner}) for row, owner in told))
    return rescued


def _put_back(
    transaction: Transaction, rows: Sequence[Claimed] | Sequence[_Lapsed], statement: str, **values: Any
) -> None:
    """Make jobs ready by a statement with these values, or cancelled where that was asked for."""
    aftermath = Aftermath(transaction)
    cancelled = [(row.seq, None) for row in rows if row.cancel_requested]
    returned = [(row.seq,) for row in rows if not row.cancel_requested]
    for row in rows:
        aftermath.freed(row.slots)
        if row.cancel_requested:
            aftermath.ended(row.parent)
        else:
            aftermath.ready.add(row.queue)
    archive(transaction, State.CANCELLED, cancelled)
    if returned:
        transaction.change(statement, jobs=json.dumps(returned), **values)
    aftermath.follow()
