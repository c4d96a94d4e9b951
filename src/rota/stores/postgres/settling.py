"""Settle: the outcomes of attempts, by id and token alone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rota.model.ids import new_token
from rota.model.outcome import (
    Cancelled,
    Failed,
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
from rota.stores.postgres.database import Database, Run
from rota.stores.postgres.endings import Ending, Told, finish, free_overlap, free_slots, tell, wake_parents
from rota.stores.postgres.rows import dump

__all__ = ["settle"]

_NO_DELAY = timedelta(0)
_OWNED = ("running", "handed")


async def settle(database: Database, settlements: Sequence[Settlement]) -> Settled:
    """Write outcomes; successes without parents by one statement, the rest in one transaction."""
    group = sorted(first_of_each(settlements), key=_by_id)
    quick = {one.id: one for one in group if isinstance(one.outcome, Succeeded)}
    if quick:
        done = await _settle_quickly(database, list(quick.values()))
        if done is None and len(quick) == len(group):
            return Settled()
        found = quick.keys() if done is None else done
        group = [one for one in group if one.id not in found or one != quick.get(one.id)]
    if not group:
        return Settled()

    async def work(run: Run) -> Settled:
        return await _settle_group(run, database.now(), group)

    return await database.transact(work)


def _by_id(one: Settlement) -> bytes:
    """Return where a job stands in the order in which every verb takes its row locks."""
    return one.id.bytes


async def _settle_quickly(database: Database, quick: Sequence[Settlement]) -> set[UUID] | None:
    """Move plain successes to history; returns the ids that were there, or None when all were."""
    outcomes = [one.outcome for one in quick if isinstance(one.outcome, Succeeded)]
    results = [one.result for one in outcomes]
    params = (
        database.now(),
        [one.id for one in quick],
        [one.token for one in quick],
        [one.duration for one in quick],
        # The statement fills up with null what is short.
        results if any(one is not None for one in results) else [],
        [one.ttl for one in outcomes] if any(one.ttl is not None for one in outcomes) else [],
    )
    if any(one.limited for one in quick):

        async def work(run: Run) -> Any:
            ((found, slots, schedules),) = await run("settle", *params, True)  # noqa: FBT003 - a parameter of SQL
            await free_slots(run, slots or ())
            await free_overlap(run, schedules)
            return found

        found = await database.transact(work)
    else:
        ((found, *_),) = await database.fetch("settle", *params, False)  # noqa: FBT003 - as above
    return None if found is None else set(found)


async def _settle_group(run: Run, now: datetime | None, settlements: Sequence[Settlement]) -> Settled:
    rows = {row["id"]: row for row in await run("settle_lock", now, [one.id for one in settlements])}
    group = _Group(run, next(iter(rows.values()))["now"] if rows else now)
    strangers = []
    for one in settlements:
        row = rows.get(one.id)
        if row is None or row["token"] != one.token or row["state"] not in _OWNED:
            strangers.append(one)
        else:
            group.add(one, row)
    await group.write()
    return await group.refuse(strangers)


class _Group:
    """Outcomes of locked jobs, sorted by what is to be written."""

    def __init__(self, run: Run, now: datetime | None) -> None:
        self._run = run
        self._now = now
        self._endings: list[Ending] = []
        self._buried: list[tuple[UUID, float, str]] = []
        self._put_off: list[tuple[UUID, timedelta, str | None, bool, float]] = []
        self._suspended: list[tuple[UUID, str | None, datetime | None, int, float]] = []
        self._handed: list[tuple[UUID, str, datetime, int, float]] = []
        self._crashed: list[UUID] = []
        self._parents: list[UUID | None] = []
        self._slots: list[str] = []
        self._events: list[Told] = []

    def add(self, one: Settlement, row: Any) -> None:
        """Take an outcome of a locked job."""
        outcome = one.outcome
        if row["cancel_requested"] and isinstance(outcome, Retried | Snooze | Suspended):
            outcome = Cancelled()
        if not isinstance(outcome, Handed):
            self._slots += row["slots"]
        if one.crashed:
            self._crashed.append(one.id)
        if isinstance(outcome, Succeeded | Failed | Cancelled):
            self._end(one, outcome)
            self._parents.append(row["parent"])
        else:
            self._go_on(one, outcome, row["attempt"])

    def _end(self, one: Settlement, outcome: Succeeded | Failed | Cancelled) -> None:
        match outcome:
            case Succeeded(result, ttl):
                self._endings.append(Ending(one.id, State.SUCCEEDED, one.token, one.duration, result, ttl))
            case Cancelled():
                self._endings.append(Ending(one.id, State.CANCELLED, one.token, one.duration))
            case Failed(fault):
                self._buried.append((one.id, one.duration, dump(fault)))

    def _go_on(self, one: Settlement, outcome: Retried | Snooze | Suspended | Handed, attempt: int) -> None:
        match outcome:
            case Retried(delay, fault):
                self._put_off.append((one.id, delay, dump(fault), False, one.duration))
                kind = "crash" if one.crashed else "retry"
                self._tell(one, kind, attempt, {"delay": delay.total_seconds(), "error": fault.kind})
            case Snooze(delay, reason):
                self._put_off.append((one.id, delay, None, True, one.duration))
                self._tell(one, "snooze", attempt, {"delay": delay.total_seconds(), "reason": reason})
            case Suspended(wake_key, wake_at, children):
                self._suspended.append((one.id, wake_key, wake_at, children, one.duration))
                self._tell(one, "suspend", attempt, {"wake_key": wake_key, "children": children})
            case Handed(external_id, deadline):
                self._handed.append((one.id, external_id, deadline, new_token(), one.duration))

    def _tell(self, one: Settlement, kind: str, attempt: int | None, data: dict[str, Any]) -> None:
        self._events.append(Told(one.id, kind, attempt, data))

    async def write(self) -> None:
        """Write all of it."""
        if self._crashed:
            await self._run("count_crashes", self._crashed)
        await finish(self._run, self._now, self._endings)
        await self._bury()
        await self._write("put_off", self._put_off)
        await self._write("hand_over", self._handed)
        # Children count before parents suspend: those of this very group are gone, and counted by that.
        await wake_parents(self._run, self._now, self._parents, locked=True)
        await self._write("suspend", self._suspended)
        await free_slots(self._run, self._slots)
        await tell(self._run, self._now, self._events)

    async def _bury(self) -> None:
        if self._buried:
            ((_, schedules),) = await self._run("bury", self._now, *zip(*self._buried, strict=True))
            await free_overlap(self._run, schedules)

    async def _write(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            await self._run(statement, self._now, *zip(*rows, strict=True))

    async def refuse(self, strangers: Sequence[Settlement]) -> Settled:
        """Tell what was sent twice, which is fine, from what comes too late, which is remembered."""
        if not strangers:
            return Settled()
        claims = [one.id for one in strangers], [one.token for one in strangers]
        known = {(row[0], row[1]) for row in await self._run("settled_before", *claims)}
        late = [one for one in strangers if (one.id, one.token) not in known]
        told = [Told(one.id, "late", None, {"outcome": type(one.outcome).__name__}) for one in late]
        await tell(self._run, self._now, told)
        return Settled(frozenset(one.id for one in late))
