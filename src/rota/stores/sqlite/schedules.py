"""Schedules, their definitions and what happened to them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rota.model.clock import from_micros, to_micros
from rota.model.events import Notice
from rota.model.schedule import (
    KeptDefinition,
    ScheduleChange,
    ScheduleRecord,
    ScheduleVersion,
    Tick,
    TickRecord,
)
from rota.ports.schedules import Audit, Due
from rota.stores.sqlite.columns import SCHEDULE
from rota.stores.sqlite.reader import Reader
from rota.stores.sqlite.records import schedule_record, schedule_version, tick_record
from rota.stores.sqlite.ticking import backfill, drop, fire
from rota.stores.sqlite.transaction import Snapshot, Transaction
from rota.stores.sqlite.values import json_text, micros, micros_or_none, moment_or_none
from rota.stores.sqlite.writer import Writer

__all__ = ["SqliteSchedules"]

_Schedules = list[ScheduleRecord]  # the class below has a `list` of its own
_Ticks = list[TickRecord]
_Versions = list[ScheduleVersion]


class SqliteSchedules:
    """`ScheduleStore` on SQLite."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def put(self, changes: Sequence[ScheduleChange]) -> frozenset[str]:
        """Insert or replace definitions; see the port."""
        # What can be made ready is made here, before the file is locked.
        rows = [(change, _columns(change.new)) for change in changes]
        return await self._writer.run(lambda transaction: _put(transaction, rows))

    async def get(self, schedule: str) -> ScheduleRecord | None:
        """Return one schedule; see the port."""
        row = await self._reader.run(lambda snapshot: snapshot.row("get_schedule", schedule=schedule))
        return None if row is None else schedule_record(row)

    async def list(self, ids: Sequence[str] | None = None) -> _Schedules:
        """Return schedules by id; see the port."""
        if ids is None:
            rows = await self._reader.run(lambda snapshot: snapshot.rows("list_schedules"))
        else:
            wanted = json_text(list(ids))
            rows = await self._reader.run(lambda snapshot: snapshot.rows("some_schedules", ids=wanted))
        return [schedule_record(row) for row in rows]

    async def remove(self, schedule: str) -> bool:
        """Delete a schedule; see the port."""

        def operation(transaction: Transaction) -> bool:
            for name, version, closed_at in transaction.rows("remove_schedule", schedule=schedule):
                transaction.change("note_removal", id=name, version=version, closed_at=closed_at)
                transaction.notices.append(Notice("schedules", schedule))
                return True
            return False

        return await self._writer.run(operation)

    async def pause(self, schedule: str, by: str, why: str) -> bool:
        """Stop a schedule's ticks; see the port."""

        def operation(transaction: Transaction) -> bool:
            changed = transaction.change("pause_schedule", schedule=schedule, by=by, why=why) > 0
            if changed:
                transaction.notices.append(Notice("schedules", schedule))
            return changed

        return await self._writer.run(operation)

    async def resume(self, seen: ScheduleRecord, next_at: datetime | None, dropped: Tick | None) -> bool:
        """Let a paused schedule tick again; see the port."""
        params = {
            "schedule": seen.id,
            "seen": micros_or_none(seen.next_at),
            "next_at": micros_or_none(next_at),
            "at": None if dropped is None else to_micros(dropped.at),
        }

        def operation(transaction: Transaction) -> bool:
            if not transaction.change("resume_schedule", **params):
                return False
            drop(transaction, dropped)
            transaction.notices.append(Notice("schedules", seen.id))
            return True

        return await self._writer.run(operation)

    async def due(self, limit: int, ahead: timedelta = timedelta(0)) -> Due:
        """Return schedules whose moment has come or comes soon; see the port."""
        return await self._reader.run(lambda snapshot: _due(snapshot, limit, ahead))

    async def fire(self, ticks: Sequence[Tick]) -> frozenset[str]:
        """Write ticks, jobs and next moments; see the port."""
        if not ticks:
            return frozenset()
        return await self._writer.run(lambda transaction: fire(transaction, ticks))

    async def backfill(self, ticks: Sequence[Tick]) -> int:
        """Write moments of the past with their jobs; see the port."""
        return await self._writer.run(lambda transaction: backfill(transaction, ticks)) if ticks else 0

    async def ticks(self, schedule: str, *, limit: int, before: datetime | None = None) -> _Ticks:
        """Return a schedule's latest ticks; see the port."""
        params = {"schedule": schedule, "limit": limit, "before": micros_or_none(before)}
        rows = await self._reader.run(lambda snapshot: snapshot.rows("ticks", **params))
        return [tick_record(row) for row in rows]

    async def versions(self, schedule: str) -> _Versions:
        """Return the definitions that a schedule has had; see the port."""
        rows = await self._reader.run(lambda snapshot: snapshot.rows("schedule_versions", schedule=schedule))
        return [schedule_version(row) for row in rows]

    async def audit(self, schedule: str, since: datetime) -> Audit:
        """Hold jobs against ticks; see the port."""
        params = {"schedule": schedule, "since": to_micros(since)}

        def look(snapshot: Snapshot) -> Audit:
            strays = snapshot.rows("stray_jobs", **params)
            lost = snapshot.rows("lost_jobs", **params)
            return Audit(
                tuple((UUID(bytes=job), from_micros(due)) for job, due in strays),
                tuple(from_micros(due) for (due,) in lost),
            )

        return await self._reader.run(look)


def _put(transaction: Transaction, rows: Sequence[tuple[ScheduleChange, dict[str, Any]]]) -> frozenset[str]:
    wanted = [columns for change, columns in rows if change.seen is None]
    taken = {name for (name,) in transaction.rows("taken_ids", ids=json_text([one["id"] for one in wanted]))}
    new = [one for one in wanted if one["id"] not in taken]
    transaction.change_each("put_schedule_new", new)
    kept: list[dict[str, Any]] = [
        {"id": one["id"], "closed_at": None, "definition": one["definition"]} for one in new
    ]
    for change, columns in rows:
        if change.seen is None:
            continue
        closed_at = micros_or_none(change.seen.next_at)
        known = {"expected": change.seen.version, "closed_at": closed_at}
        if transaction.change("put_schedule", **columns, **known):
            kept.append({"id": columns["id"], "closed_at": closed_at, "definition": columns["definition"]})
            drop(transaction, change.closing)
    transaction.change_each("keep_version", kept)
    held = frozenset(one["id"] for one in kept)
    if held:
        # One notice tells every scheduler to look again, whatever was changed.
        transaction.notices.append(Notice("schedules", next(iter(held)) if len(held) == 1 else ""))
    return held


def _columns(schedule: ScheduleRecord) -> dict[str, Any]:
    columns = {name: getattr(schedule, name) for name in SCHEDULE}
    for name, stored in _STORED.items():
        if columns[name] is not None:
            columns[name] = stored(columns[name])
    columns["definition"] = json_text(KeptDefinition.of(schedule))
    return columns


_STORED = (
    dict.fromkeys(("trigger", "options"), json_text)
    | dict.fromkeys(("next_at", "last_at", "paused_at"), to_micros)
    | {"grace": micros, "last_job": lambda value: value.bytes}
)


def _due(snapshot: Snapshot, limit: int, ahead: timedelta) -> Due:
    rows = snapshot.rows("due_schedules", limit=limit, ahead=micros(ahead))
    following = snapshot.row("next_schedule", offset=len(rows))
    return Due(
        now=from_micros(snapshot.now),
        schedules=tuple(schedule_record(row) for row in rows),
        next_at=None if following is None else moment_or_none(following[0]),
    )
