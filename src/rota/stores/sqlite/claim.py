"""Claim: queue after queue, one probe of the ready index per executor."""

from typing import Any
from uuid import UUID

import msgspec

from rota.model.clock import from_micros
from rota.model.ids import new_token
from rota.model.job import ClaimedJob, ClaimRequest
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.values import micros, moment_or_none, uuid_or_none

__all__ = ["Row", "claim", "claimed_job"]

_decode = msgspec.json.Decoder().decode

Row = tuple[Any, ...]
"""A claimed job as the statement returns it, in the order in which it sorts."""


def claim(transaction: Transaction, request: ClaimRequest) -> list[Row]:
    """Claim jobs; see `JobStore.claim`. The rows are read by `claimed_job`, when the file is free again."""
    token = new_token()
    room = {executor: limit for executor, limit in request.limits.items() if limit > 0}
    claimed: list[Row] = []
    for queue in request.queues:
        found: list[Row] = []
        for executor, limit in list(room.items()):
            rows = transaction.rows(
                "claim",
                queue=queue,
                executor=executor,
                limit=limit,
                token=token,
                owner=request.owner.bytes,
                lease_until=transaction.now + micros(request.lease),
            )
            found += rows
            room[executor] = limit - len(rows)
            if not room[executor]:
                del room[executor]
        # Rows come in no order, and those of several executors are to start in one.
        found.sort()
        claimed += found
        if not room:
            break
    return claimed


def claimed_job(row: Row) -> ClaimedJob:
    """Read a claimed job."""
    (
        rank,
        _share,
        _seq,
        job,
        token,
        queue,
        executor,
        task,
        payload,
        codec,
        attempt,
        crashes,
        crashes_alone,
        max_attempts,
        key,
        headers,
        parent,
        root,
        schedule,
        due,
        options,
        submitted_at,
    ) = row
    return ClaimedJob(
        id=UUID(bytes=job),
        token=token,
        queue=queue,
        executor=executor,
        task=task,
        payload=payload,
        codec=codec,
        attempt=attempt,
        crashes=crashes,
        crashes_alone=crashes_alone,
        max_attempts=max_attempts,
        rank=rank,
        key=key,
        headers=_decode(headers) if headers else None,
        parent=uuid_or_none(parent),
        root=uuid_or_none(root),
        schedule=schedule,
        due=moment_or_none(due),
        options=_decode(options) if options else None,
        submitted_at=from_micros(submitted_at),
    )
