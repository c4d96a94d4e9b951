"""All that the file holds, out of it and into another store (`ports.transfer`)."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from rota.model.access import Role
from rota.model.clock import Clock, to_micros
from rota.model.errors import StoreNotEmptyError
from rota.model.job import JobRecord
from rota.model.states import LIVE, State
from rota.model.transfer import KINDS, Header, Record
from rota.ports.transfer import Page
from rota.stores.sqlite import schema
from rota.stores.sqlite.connection import begin, rollback, translated
from rota.stores.sqlite.records import carried, job_record
from rota.stores.sqlite.values import json_text, micros

__all__ = ["SqliteTransfer"]

_PAGE = 1000
_STATEMENTS = {
    "scope": ("export_scopes",),
    "queue": ("export_queues",),
    "task": ("export_tasks",),
    "schedule": ("export_schedules",),
    "definition": ("export_definitions",),
    "tick": ("export_ticks",),
    "job": ("export_live", "export_dead", "export_history"),
    "result": ("export_results",),
    "window": ("export_windows",),
    "event": ("export_events",),
    "log": ("export_logs",),
    "audit": ("export_audit",),
    "token": ("export_tokens",),
}
_IMPORTS = {
    "scope": "import_scope",
    "queue": "import_queue",
    "task": "import_task",
    "schedule": "import_schedule",
    "definition": "import_definition",
    "tick": "import_tick",
    "result": "import_result",
    "window": "import_window",
    "event": "import_event",
    "log": "import_log",
    "audit": "import_audit",
    "token": "import_token",
}
_NAMES = {kind: name for name, kind in KINDS.items()}


class SqliteTransfer:
    """`TransferStore` on SQLite: a connection of its own, in one transaction.

    Args:
        path: of the file, for messages.
        read: opens a connection that reads.
        write: opens one that writes, with the schema in order.
        sql: statements by name.
        clock: gives an export its moment.
        patience: seconds to wait for other processes.
    """

    def __init__(
        self,
        path: Path,
        read: Callable[[], sqlite3.Connection],
        write: Callable[[], sqlite3.Connection],
        sql: Mapping[str, str],
        clock: Clock,
        *,
        patience: float,
    ) -> None:
        self._path = path
        self._read = read
        self._write = write
        self._sql = sql
        self._clock = clock
        self._patience = patience

    async def export(self) -> AsyncGenerator[Header | Page, None]:
        """Yield a header and every record; see the port."""
        connection = await asyncio.to_thread(self._read)
        try:
            # What is sorted may be larger than memory.
            connection.execute("pragma temp_store = file")
            connection.execute("begin")
            yield await asyncio.to_thread(self._header, connection)
            for kind in KINDS:
                for statement in _STATEMENTS[kind]:
                    rows = await asyncio.to_thread(connection.execute, self._sql[statement])
                    while page := await asyncio.to_thread(_page, kind, rows):
                        yield page
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        finally:
            rollback(connection)
            connection.close()

    def _header(self, connection: sqlite3.Connection) -> Header:
        state = schema.read_state(connection)
        counts = dict(connection.execute(self._sql["export_counts"]).fetchall())
        return Header(
            store="sqlite",
            store_id=state.store_id,
            schema=state.version,
            at=self._clock.now(),
            counts={kind: number for kind, number in counts.items() if number},
        )

    async def load(self, header: Header, pages: AsyncIterator[Page]) -> None:  # noqa: ARG002 - of no use here
        """Store records, all or none; see the port."""
        connection = await asyncio.to_thread(self._write)
        try:
            await asyncio.to_thread(begin, connection, self._patience)
            counts = connection.execute(self._sql["export_counts"]).fetchall()
            if found := [kind for kind, number in counts if number]:
                raise StoreNotEmptyError(found)
            async for page in pages:
                await asyncio.to_thread(self._store, connection, page)
            await asyncio.to_thread(connection.execute, self._sql["count_slots"])
            await asyncio.to_thread(connection.execute, "commit")
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        finally:
            await asyncio.to_thread(rollback, connection)
            connection.close()

    def _store(self, connection: sqlite3.Connection, page: Page) -> None:
        by_statement: dict[str, list[Record]] = {}
        for record in page:
            by_statement.setdefault(_import(record), []).append(record)
        for statement, records in by_statement.items():
            connection.executemany(self._sql[statement], map(_columns, records))


def _page(kind: str, rows: sqlite3.Cursor) -> Page:
    read = job_record if kind == "job" else partial(carried, KINDS[kind])
    return [read(row) for row in rows.fetchmany(_PAGE)]


def _import(record: Record) -> str:
    if isinstance(record, JobRecord):
        if record.state in LIVE:
            return "import_live"
        return "import_dead" if record.state is State.FAILED else "import_history"
    return _IMPORTS[_NAMES[type(record)]]


def _columns(record: Record) -> dict[str, Any]:
    """Return a record as parameters of a statement."""
    columns = {name: _stored(value) for name, value in msgspec.structs.asdict(record).items()}
    if isinstance(record, JobRecord) and not record.slots:
        columns["slots"] = None
    return columns


def _stored(value: Any) -> Any:
    store = _STORED.get(type(value))
    if store is not None:
        return store(value)
    # A driver may have a UUID of its own.
    return value.bytes if isinstance(value, UUID) else json_text(value)


def _itself(value: Any) -> Any:
    return value


_STORED: dict[type, Callable[[Any], Any]] = {
    type(None): _itself,
    int: _itself,
    str: _itself,
    bytes: _itself,
    bool: int,
    State: str,
    Role: str,
    UUID: lambda value: value.bytes,
    datetime: to_micros,
    timedelta: micros,
}
