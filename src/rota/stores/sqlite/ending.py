"""Jobs ended by hand, and ended jobs that run again."""

import json
from uuid import UUID

from rota.model.events import Notice
from rota.model.job import JobFilter
from rota.model.states import LIVE, State
from rota.ports.jobs import Cancelled
from rota.stores.sqlite.filters import conditions
from rota.stores.sqlite.finish import Aftermath, Told, archive, tell
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.values import id_set

__all__ = ["cancel", "redrive"]

_AT_WORK = frozenset({State.RUNNING, State.HANDED})


def cancel(transaction: Transaction, which: JobFilter) -> Cancelled:
    """Cancel live jobs, or ask their owners to; see `JobStore.cancel`."""
    where, params = conditions(which, states=LIVE & which.states if which.states else LIVE)
    rows = transaction.rows("live_jobs", where, **params)
    aftermath = Aftermath(transaction)
    told: list[Told] = []
    ended: list[tuple[int, bytes]] = []
    asked: list[tuple[int]] = []
    requested: list[UUID] = []
    for seq, job, state, attempt, parent, already in rows:
        if state in _AT_WORK:
            requested.append(UUID(bytes=job))
            if already:
                continue
            asked.append((seq,))
        else:
            ended.append((seq, job))
            aftermath.ended(parent)
        told.append((job, attempt, {}))
    archive(transaction, State.CANCELLED, [(seq, None) for seq, _ in ended])
    if asked:
        transaction.change("request_cancel", jobs=json.dumps(asked))
        # A heartbeat asks for all jobs of its worker: one notice is enough for many.
        transaction.notices.append(Notice("cancel", str(requested[0])))
    tell(transaction, "cancel", told)
    aftermath.follow()
    return Cancelled(tuple(UUID(bytes=job) for _, job in ended), tuple(requested))


def redrive(transaction: Transaction, which: JobFilter) -> list[UUID]:
    """Make ended jobs ready again; see `JobStore.redrive`."""
    where, params = conditions(which)
    redriven: list[UUID] = []
    queues: set[str] = set()
    for revive, forget in (("redrive_dead", "forget_dead"), ("redrive_history", "forget_history")):
        rows = transaction.rows(revive, where, **params)
        jobs = [UUID(bytes=job) for job, _, _ in rows]
        if not jobs:
            continue
        transaction.change(forget, **id_set(jobs))
        transaction.change("forget_results", **id_set(jobs))
        transaction.change_each("raise_parent", ({"parent": parent} for _, parent, _ in rows if parent))
        tell(transaction, "redrive", ((job, None, {}) for job, _, _ in rows))
        queues.update(queue for _, _, queue in rows)
        redriven += jobs
    transaction.announce_ready(queues)
    return redriven
