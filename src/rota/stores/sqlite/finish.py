"""What follows when jobs end or let go of their claims: children, slots, and those who waited for them."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rota.model.states import State
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.values import json_text

__all__ = ["Aftermath", "Told", "archive", "release_overlap", "remove", "tell"]

Told = tuple[bytes, int | None, dict[str, Any]]
"""A job, its attempt (None: of no attempt), and what there is to say."""


def tell(transaction: Transaction, kind: str, about: Iterable[Told]) -> None:
    """Write events of one kind."""
    transaction.change_each(
        "tell",
        (
            {"job": job, "kind": kind, "attempt": attempt, "data": json_text(data)}
            for job, attempt, data in about
        ),
    )


def archive(
    transaction: Transaction,
    state: State,
    jobs: Sequence[tuple[int, int | None]],
    *,
    settled: bool = False,
) -> None:
    """Move live jobs to the history as cancelled or expired.

    Args:
        transaction: to do it in.
        state: how they ended.
        jobs: pairs of `seq` and the moment of their start, None where it stays as it is.
        settled: their owner has said so; otherwise a finish that comes later is refused.
    """
    if jobs:
        rows = json.dumps(jobs)
        transaction.change("finish", state=state, jobs=rows, settled=settled)
        remove(transaction, rows)


def remove(transaction: Transaction, jobs: str) -> None:
    """Remove live jobs that have been copied elsewhere, as JSON; let those run that waited for them."""
    schedules = transaction.rows("overlapped", jobs=jobs)
    transaction.change("delete_jobs", jobs=jobs)
    transaction.announce_ready(release_overlap(transaction, (name for (name,) in schedules)))


def release_overlap(transaction: Transaction, schedules: Iterable[str]) -> list[str]:
    """Let the next job run of each schedule that has no other unfinished one; returns the jobs' queues."""
    return [queue for name in schedules for (queue,) in transaction.rows("release_overlap", schedule=name)]


class Aftermath:
    """Collects what jobs leave behind, and does in one go what follows from it.

    `ready` may be filled with queues that have new jobs to claim for other reasons.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._parents: Counter[bytes] = Counter()
        self._scopes: Counter[str] = Counter()
        self._schedules: set[str] = set()
        self.ready: set[str] = set()

    def ended(self, parent: bytes | None) -> None:
        """Note that a job ended; its parent may wait for it."""
        if parent is not None:
            self._parents[parent] += 1

    def freed(self, slots: str | None) -> None:
        """Note that a job no longer holds the slots that its row names."""
        if slots is not None:
            self._scopes.update(json.loads(slots))

    def overlapped(self, schedule: str | None) -> None:
        """Note that a job ended that the next one of its schedule may wait for."""
        if schedule is not None:
            self._schedules.add(schedule)

    def follow(self) -> None:
        """Lower waiting parents, give slots back, release who was held for them, and wake workers."""
        transaction = self._transaction
        for parent, ended in self._parents.items():
            for state, queue in transaction.rows("wake_parents", parent=parent, ended=ended):
                if state == State.READY:
                    self.ready.add(queue)
        if self._scopes:
            freed = ({"scope": scope, "freed": count} for scope, count in self._scopes.items())
            transaction.change_each("free_slots", freed)
            self._release(self._scopes)
        self.ready.update(release_overlap(transaction, sorted(self._schedules)))
        transaction.announce_ready(self.ready)

    def _release(self, scopes: Iterable[str]) -> None:
        for scope in scopes:
            rows = self._transaction.rows("release", scope=scope)
            self.ready.update(queue for (queue,) in rows)
