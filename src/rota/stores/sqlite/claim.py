"""Claim: queue after queue, one probe of the ready index per executor."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from rota.model.clock import from_micros
from rota.model.ids import new_token
from rota.model.job import ClaimedJob, ClaimRequest
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.values import micros, moment_or_none, uuid_or_none

__all__ = ["Row", "claim", "claimed_jobs"]

_decode = msgspec.json.Decoder().decode

Row = tuple[Any, ...]
"""A claimed job as the statement returns it: what it sorts by, then its fields in their order."""

_ID = 3


def claim(transaction: Transaction, request: ClaimRequest) -> list[Row]:
    """Claim jobs; see `JobStore.claim`. The rows are read by `claimed_jobs`, when the file is free again."""
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


def claimed_jobs(rows: Sequence[Row]) -> list[ClaimedJob]:
    """Read claimed jobs."""
    # Several times as fast as one call of `UUID` for each.
    ids = msgspec.convert([row[_ID] for row in rows], list[UUID])
    return [_claimed_job(job, row) for job, row in zip(ids, rows, strict=True)]


def _claimed_job(job: UUID, row: Row) -> ClaimedJob:
    _, _, _, _, *plain, headers, parent, root, schedule, due, options, submitted_at, ready_at = row
    fields: Row = (
        job,
        *plain,
        _decode(headers) if headers else None,
        uuid_or_none(parent),
        uuid_or_none(root),
        schedule,
        moment_or_none(due),
        _decode(options) if options else None,
        from_micros(submitted_at),
        moment_or_none(ready_at),
    )
    return ClaimedJob(*fields)
