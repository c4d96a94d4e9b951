"""Schedules, and the one transaction that fires them."""

from collections.abc import Sequence
from datetime import datetime

from rota.model.clock import from_micros, to_micros
from rota.model.events import Notice
from rota.model.schedule import ScheduleRecord, Tick, TickRecord
from rota.ports.schedules import Due
from rota.stores.plans import drive
from rota.stores.sqlite.columns import SCHEDULE, statements
from rota.stores.sqlite.reader import Reader
from rota.stores.sqlite.records import schedule_record, tick_record
from rota.stores.sqlite.submit import submit_plan
from rota.stores.sqlite.transaction import Snapshot, Transaction
from rota.stores.sqlite.values import json_text, micros_or_none, moment_or_none
from rota.stores.sqlite.writer import Writer

__all__ = ["SqliteSchedules"]

Ticks = list[TickRecord]  # the class below has a `list` of its own

_JSON = frozenset({"trigger", "options"})
_MOMENTS = frozenset({"next_at", "last_at", "paused_at"})


class SqliteSchedules:
    """`ScheduleStore` on SQLite."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def put(self, schedule: ScheduleRecord, *, expected: int | None) -> bool:
        """Insert or replace a definition; see the port."""
        return await self._writer.run(lambda transaction: _put(transaction, schedule, expected))

    async def get(self, schedule: str) -> ScheduleRecord | None:
        """Return one schedule; see the port."""
        row = await self._reader.run(lambda snapshot: snapshot.row("get_schedule", schedule=schedule))
        return None if row is None else schedule_record(row)

    async def list(self) -> list[ScheduleRecord]:
        """Return all schedules by id; see the port."""
        rows = await self._reader.run(lambda snapshot: snapshot.rows("list_schedules"))
        return [schedule_record(row) for row in rows]

    async def remove(self, schedule: str) -> bool:
        """Delete a schedule; see the port."""
        return await self._change("remove_schedule", schedule)

    async def pause(self, schedule: str, by: str, why: str) -> bool:
        """Stop a schedule's ticks; see the port."""
        return await self._change("pause_schedule", schedule, by=by, why=why)

    async def resume(self, schedule: str, next_at: datetime | None) -> bool:
        """Let a paused schedule tick again; see the port."""
        return await self._change("resume_schedule", schedule, next_at=micros_or_none(next_at))

    async def due(self, limit: int) -> Due:
        """Return schedules whose moment has come; see the port."""
        return await self._reader.run(lambda snapshot: _due(snapshot, limit))

    async def fire(self, ticks: Sequence[Tick]) -> int:
        """Write ticks, jobs and next moments; see the port."""
        return await self._writer.run(lambda transaction: _fire(transaction, ticks))

    async def ticks(self, schedule: str, *, limit: int) -> Ticks:
        """Return a schedule's latest ticks; see the port."""
        rows = await self._reader.run(lambda snapshot: snapshot.rows("ticks", schedule=schedule, limit=limit))
        return [tick_record(row) for row in rows]

    async def _change(self, statement: str, schedule: str, **params: object) -> bool:
        def operation(transaction: Transaction) -> bool:
            changed = transaction.change(statement, schedule=schedule, **params) > 0
            if changed:
                transaction.notices.append(Notice("schedules", schedule))
            return changed

        return await self._writer.run(operation)


def _put(transaction: Transaction, schedule: ScheduleRecord, expected: int | None) -> bool:
    params = {name: _stored(name, getattr(schedule, name)) for name in SCHEDULE}
    if expected is None:
        changed = transaction.change("put_schedule_new", **params)
    else:
        changed = transaction.change("put_schedule", expected=expected, **params)
    if not changed:
        return False
    transaction.change(
        "keep_version", id=schedule.id, version=schedule.version, definition=json_text(schedule)
    )
    transaction.notices.append(Notice("schedules", schedule.id))
    return True


def _stored(name: str, value: object) -> object:
    if name in _JSON:
        return json_text(value)
    if name in _MOMENTS and isinstance(value, datetime):
        return to_micros(value)
    return value


def _due(snapshot: Snapshot, limit: int) -> Due:
    rows = snapshot.rows("due_schedules", limit=limit)
    following = snapshot.row("next_schedule", offset=len(rows))
    return Due(
        now=from_micros(snapshot.now),
        schedules=tuple(schedule_record(row) for row in rows),
        next_at=None if following is None else moment_or_none(following[0]),
    )


def _fire(transaction: Transaction, ticks: Sequence[Tick]) -> int:
    held = [tick for tick in ticks if _advance(transaction, tick)]
    submissions = [tick.submission for tick in held if tick.submission is not None]
    plan = submit_plan(statements(), submissions, transaction.now, transaction.notices)
    made = iter(drive(plan, transaction.run))
    transaction.change_each(
        "write_ticks",
        (
            {
                "schedule": tick.schedule,
                "at": to_micros(tick.at),
                "state": tick.state,
                "job": None if tick.submission is None else next(made).id.bytes,
                "missed": tick.missed,
                "missed_from": to_micros(tick.due) if tick.missed else None,
            }
            for tick in held
        ),
    )
    return len(held)


def _advance(transaction: Transaction, tick: Tick) -> bool:
    """Move a schedule on; False when it is not where the tick saw it, or the tick was written before."""
    at = to_micros(tick.at)
    moved = transaction.change(
        "advance",
        schedule=tick.schedule,
        version=tick.version,
        due=to_micros(tick.due),
        next_at=micros_or_none(tick.next_at),
        at=at,
    )
    return moved > 0 and transaction.row("tick_known", schedule=tick.schedule, at=at) is None
