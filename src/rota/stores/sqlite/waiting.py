"""Jobs that are not ready yet: promoted, edited, resumed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec import UNSET

from rota.model.clock import to_micros
from rota.model.events import Notice
from rota.model.job import JobEdit
from rota.model.states import State
from rota.ports.jobs import Promoted
from rota.stores.sqlite.finish import Aftermath, archive, tell
from rota.stores.sqlite.submit import NEAR
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.values import id_set, micros_or_none

__all__ = ["edit", "promote", "resume"]


def promote(transaction: Transaction, limit: int) -> Promoted:
    """Make due jobs ready and expire those past their deadline; see `JobStore.promote`."""
    aftermath = Aftermath(transaction)
    # First, so that a job whose moment and deadline have both come is not run late.
    overdue = transaction.rows("overdue", limit=limit)
    archive(transaction, State.EXPIRED, [(seq, None) for seq, _ in overdue])
    for _, parent in overdue:
        aftermath.ended(parent)
    due = [queue for name in ("promote", "awaken") for (queue,) in transaction.rows(name, limit=limit)]
    aftermath.ready.update(due)
    aftermath.follow()
    ((moment,),) = transaction.rows("due")
    wait = None if moment is None else timedelta(microseconds=max(moment - transaction.now, 0))
    return Promoted(len(due), len(overdue), wait)


def edit(transaction: Transaction, job: UUID, changes: JobEdit) -> bool:
    """Change a scheduled job in place; see `JobStore.edit`."""

    def given(value: Any) -> Any:
        return None if value is UNSET else value

    row = transaction.row(
        "edit",
        job=job.bytes,
        run_at=None if changes.run_at is UNSET else to_micros(changes.run_at),
        rank=given(changes.rank),
        queue=given(changes.queue),
        payload=given(changes.payload),
        expires=changes.expires_at is not UNSET,
        expires_at=None if changes.expires_at is UNSET else micros_or_none(changes.expires_at),
    )
    if row is None:
        return False
    state, queue, attempt, run_at = row
    if state == State.READY:
        transaction.announce_ready([queue])
    elif run_at <= transaction.now + NEAR:
        transaction.notices.append(Notice("scheduled", queue))
    named = [name for name in changes.__struct_fields__ if getattr(changes, name) is not UNSET]
    tell(transaction, "edit", [(job.bytes, attempt, {"changed": named})])
    return True


def resume(transaction: Transaction, which: Sequence[UUID], wake_key: str | None) -> int:
    """Make waiting jobs ready; see `JobStore.resume`."""
    rows = transaction.rows("resume", **id_set(which)) if which else []
    if wake_key is not None:
        rows += transaction.rows("resume_by_key", wake_key=wake_key)
    transaction.announce_ready(queue for (queue,) in rows)
    return len(rows)
