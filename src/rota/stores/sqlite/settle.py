"""Settle: outcomes on their way into columns. Successes go as one set, the others one by one."""

import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from rota.model.events import Notice
from rota.model.ids import new_token
from rota.model.job import Claim
from rota.model.outcome import (
    Cancelled,
    Failed,
    Fault,
    Handed,
    Retried,
    Settlement,
    Snooze,
    Succeeded,
    Suspended,
)
from rota.model.states import State
from rota.ports.jobs import Settled
from rota.stores.groups import first_of_each
from rota.stores.sqlite.finish import Aftermath, archive, remove, tell
from rota.stores.sqlite.returning import Claimed, claimed_jobs
from rota.stores.sqlite.submit import NEAR
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.values import ids, json_or_none, json_text, micros, micros_or_none

__all__ = ["Outcomes", "settle"]

_SECOND = 1_000_000


class Outcomes:
    """Settlements on their way. What can be made ready is made here, before the file is locked."""

    def __init__(self, settlements: Sequence[Settlement]) -> None:
        unique = first_of_each(settlements)
        self.successes = [one for one in unique if isinstance(one.outcome, Succeeded)]
        self.others = [one for one in unique if not isinstance(one.outcome, Succeeded)]
        self.succeeded: dict[str, Any] = {
            "ids": ids(one.id for one in self.successes),
            "claims": json_text([(one.token, _micros(one), _kept(one.outcome)) for one in self.successes]),
        }


def settle(transaction: Transaction, outcomes: Outcomes) -> Settled:
    """Write outcomes; see `JobStore.settle`."""
    aftermath = Aftermath(transaction)
    doubtful: list[Settlement] = []
    # Successes leave the live jobs at once, so they come last: a parent that is suspended in the same call
    # counts its live children, and those that end here are taken off afterwards.
    if outcomes.others:
        doubtful += _Ends(transaction, aftermath).write(outcomes.others)
    if outcomes.successes and _succeed(transaction, outcomes, aftermath) < len(outcomes.successes):
        doubtful += outcomes.successes
    aftermath.follow()
    return Settled(_refuse(transaction, doubtful) if doubtful else frozenset())


def _succeed(transaction: Transaction, outcomes: Outcomes, aftermath: Aftermath) -> int:
    """Move successes to the history; returns how many claims still held."""
    claims = outcomes.succeeded
    for parent, slots, schedule in transaction.rows("entangled_claims", **claims):
        aftermath.ended(parent)
        aftermath.freed(slots)
        aftermath.overlapped(schedule)
    results = [_result(transaction.now, one) for one in outcomes.successes if _kept(one.outcome)]
    if results:
        transaction.change_each("keep_result", results)
    moved = transaction.change("settle", **claims)
    transaction.change("delete_claims", **claims)
    return moved


def _result(now: int, settlement: Settlement) -> dict[str, Any]:
    outcome: Any = settlement.outcome
    return {
        "id": settlement.id.bytes,
        "token": settlement.token,
        "value": outcome.result,
        "expires_at": None if outcome.ttl is None else now + micros(outcome.ttl),
    }


def _kept(outcome: Any) -> int | None:
    """Tell whether a result is kept (1), dropped (0) or was never there (None)."""
    if outcome.result is None:
        return None
    return 0 if outcome.ttl is not None and not outcome.ttl else 1


def _micros(settlement: Settlement) -> int:
    return round(settlement.duration * _SECOND)


def _refuse(transaction: Transaction, doubtful: Sequence[Settlement]) -> frozenset[UUID]:
    """Find those claims that were lost, not settled before, and record the late finish."""
    known = transaction.rows(
        "settled_before",
        ids=ids(one.id for one in doubtful),
        claims=json.dumps([(one.token,) for one in doubtful]),
    )
    settled = {place for (place,) in known}
    late = [one for place, one in enumerate(doubtful) if place not in settled]
    tell(transaction, "late", ((one.id.bytes, None, {"outcome": type(one.outcome).__name__}) for one in late))
    return frozenset(one.id for one in late)


class _Ends:
    """Every outcome but success."""

    def __init__(self, transaction: Transaction, aftermath: Aftermath) -> None:
        self._transaction = transaction
        self._aftermath = aftermath
        self._archived: list[tuple[int, int]] = []
        self._buried: list[tuple[int]] = []
        self._soon: set[str] = set()

    def write(self, settlements: Sequence[Settlement]) -> list[Settlement]:
        """Write outcomes; returns the settlements whose claims do not hold."""
        claims = [Claim(one.id, one.token) for one in settlements]
        held = {row.place: row for row in claimed_jobs(self._transaction, claims)}
        crashed = [(row.seq,) for place, row in held.items() if settlements[place].crashed]
        if crashed:
            self._transaction.change("count_crashes", jobs=json.dumps(crashed))
        for place, row in held.items():
            self._end(settlements[place], row)
        archive(self._transaction, State.CANCELLED, self._archived, settled=True)
        if self._buried:
            remove(self._transaction, json.dumps(self._buried))
        self._transaction.notices.extend(Notice("scheduled", queue) for queue in self._soon)
        return [one for place, one in enumerate(settlements) if place not in held]

    def _end(self, settlement: Settlement, row: Claimed) -> None:
        if not isinstance(settlement.outcome, Handed):
            self._aftermath.freed(row.slots)
        yields = isinstance(settlement.outcome, Retried | Snooze | Suspended)
        if row.cancel_requested and yields:
            self._cancel(settlement, row, settlement.outcome)
        else:
            _WRITERS[type(settlement.outcome)](self, settlement, row, settlement.outcome)

    def _began(self, settlement: Settlement) -> int:
        return self._transaction.now - _micros(settlement)

    def _cancel(self, settlement: Settlement, row: Claimed, _: Any) -> None:
        self._aftermath.ended(row.parent)
        self._archived.append((row.seq, self._began(settlement)))

    def _fail(self, settlement: Settlement, row: Claimed, outcome: Failed) -> None:
        self._aftermath.ended(row.parent)
        self._transaction.change(
            "bury", seq=row.seq, started_at=self._began(settlement), fault=json_text(outcome.fault)
        )
        self._buried.append((row.seq,))

    def _retry(self, settlement: Settlement, row: Claimed, outcome: Retried) -> None:
        delay = micros(outcome.delay)
        self._run_again(settlement, row, delay, fault=outcome.fault)
        data = {"delay": delay / _SECOND, "kind": outcome.fault.kind, "message": outcome.fault.message}
        self._remember(settlement, row, "crash" if settlement.crashed else "retry", data)

    def _snooze(self, settlement: Settlement, row: Claimed, outcome: Snooze) -> None:
        delay = micros(outcome.delay)
        self._run_again(settlement, row, delay, uncounted=1)
        self._remember(settlement, row, "snooze", {"delay": delay / _SECOND, "reason": outcome.reason})

    def _run_again(
        self,
        settlement: Settlement,
        row: Claimed,
        delay: int,
        *,
        fault: Fault | None = None,
        uncounted: int = 0,
    ) -> None:
        if delay <= 0:
            self._aftermath.ready.add(row.queue)
        elif delay <= NEAR:
            self._soon.add(row.queue)
        self._transaction.change(
            "put_off",
            seq=row.seq,
            state=State.SCHEDULED if delay > 0 else State.READY,
            run_at=self._transaction.now + delay,
            started_at=self._began(settlement),
            uncounted=uncounted,
            fault=json_or_none(fault),
        )

    def _suspend(self, settlement: Settlement, row: Claimed, outcome: Suspended) -> None:
        children = 0
        if outcome.children:
            ((live,),) = self._transaction.rows("count_children", parent=settlement.id.bytes)
            children = min(outcome.children, live)
        ready = outcome.children > 0 and children == 0
        if ready:
            self._aftermath.ready.add(row.queue)
        elif outcome.wake_at is not None:
            self._soon.add(row.queue)
        self._transaction.change(
            "suspend",
            seq=row.seq,
            state=State.READY if ready else State.WAITING,
            started_at=self._began(settlement),
            wake_key=None if ready else outcome.wake_key,
            wake_at=None if ready else micros_or_none(outcome.wake_at),
            children=children,
        )
        data = {"wake_key": outcome.wake_key, "wake_at": outcome.wake_at, "children": children}
        self._remember(settlement, row, "suspend", data)

    def _hand_over(self, settlement: Settlement, row: Claimed, outcome: Handed) -> None:
        self._transaction.change(
            "hand_over",
            seq=row.seq,
            external_id=outcome.external_id,
            deadline=micros_or_none(outcome.deadline),
            started_at=self._began(settlement),
            token=new_token(),
        )

    def _remember(self, settlement: Settlement, row: Claimed, kind: str, data: dict[str, Any]) -> None:
        tell(self._transaction, kind, [(settlement.id.bytes, row.attempt, data)])


_WRITERS: dict[type, Callable[[_Ends, Settlement, Claimed, Any], None]] = {
    Cancelled: _Ends._cancel,  # noqa: SLF001 - the class's own table
    Failed: _Ends._fail,  # noqa: SLF001
    Retried: _Ends._retry,  # noqa: SLF001
    Snooze: _Ends._snooze,  # noqa: SLF001
    Suspended: _Ends._suspend,  # noqa: SLF001
    Handed: _Ends._hand_over,  # noqa: SLF001
}
