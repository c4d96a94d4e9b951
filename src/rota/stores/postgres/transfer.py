"""All that the namespace holds, out of it and into another store (`ports.transfer`)."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import asyncpg

from rota.model.access import Role
from rota.model.errors import StoreNotEmptyError, StoreUnavailableError
from rota.model.job import JobRecord
from rota.model.outcome import Fault
from rota.model.states import LIVE, State
from rota.model.transfer import KINDS, Header, Record
from rota.ports.transfer import Page
from rota.stores.postgres.database import LONG, Database, Link
from rota.stores.postgres.partitions import day_at, day_of, partition_script
from rota.stores.postgres.rows import dump, job_record, load, schedule_record

__all__ = ["PostgresTransfer"]

_PAGE = 1000
_EXPORTS = {
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
_JSON = {"data", "definition", "fields", "schema"}


class _Table(NamedTuple):
    """Where records go: the fields that become columns."""

    name: str
    fields: tuple[str, ...]


_FIELDS = JobRecord.__struct_fields__
_LIVE = _Table("jobs", tuple(name for name in _FIELDS if name not in {"finished_at", "result_kept"}))
_DEAD = _Table("dead", _FIELDS)
_HISTORY = _Table("history", _FIELDS)
_TABLES = {
    KINDS[kind]: _Table(table, KINDS[kind].__struct_fields__)
    for kind, table in {
        "scope": "slots",
        "queue": "queues",
        "task": "tasks",
        "schedule": "schedules",
        "definition": "schedule_versions",
        "tick": "ticks",
        "result": "results",
        "window": "unique_windows",
        "event": "events",
        "log": "logs",
        "audit": "audit",
        "token": "tokens",
    }.items()
}
# Only in line has a job a place.
_MORE: dict[str, dict[str, Any]] = {"dead": {"seq": 0}, "history": {"seq": 0}}


class PostgresTransfer:
    """`TransferStore` on PostgreSQL: one transaction; in by COPY.

    Args:
        database: where it is.
        schema: the namespace.
    """

    def __init__(self, database: Database, schema: str) -> None:
        self._database = database
        self._schema = schema

    async def export(self) -> AsyncGenerator[Header | Page, None]:
        """Yield a header and every record; see the port."""
        sql = self._database.sql
        async with (
            self._database.link(LONG) as link,
            link.transaction(isolation="repeatable_read", readonly=True),
        ):
            await link.fetch(sql["plan_anew"])
            yield await self._header(link)
            for kind in KINDS:
                for statement in _EXPORTS[kind]:
                    cursor = await link.cursor(sql[statement])
                    while rows := await cursor.fetch(_PAGE):
                        yield [_record(kind, row) for row in rows]

    async def _header(self, link: Link) -> Header:
        sql = self._database.sql
        ((version, _, store_id),) = await link.fetch(sql["schema_state"])
        ((at,),) = await link.fetch(sql["moment"], self._database.now())
        rows = await link.fetch(sql["export_counts"])
        counts = {kind: number for kind, number in rows if number}
        return Header(store="postgresql", store_id=store_id, schema=version, at=at, counts=counts)

    async def load(self, header: Header, pages: AsyncIterator[Page]) -> None:
        """Store records, all or none; see the port."""
        sql = self._database.sql
        async with self._database.link(LONG) as link, link.transaction():
            await self._lock(link)
            await link.fetch(sql["plan_anew"])
            rows = await link.fetch(sql["export_counts"])
            if found := [kind for kind, number in rows if number]:
                raise StoreNotEmptyError(found)
            days = {day_of(name) for (name,) in await link.fetch(sql["partitions"])}
            async for page in pages:
                for table, records in _by_table(page).items():
                    if table is _HISTORY:
                        await self._make_days(link, records, days)
                    more = _MORE.get(table.name, {}) | (
                        {"made_at": header.at} if table.name == "results" else {}
                    )
                    await link.copy_records_to_table(
                        table.name,
                        records=[(*_columns(one, table.fields), *more.values()) for one in records],
                        columns=(*table.fields, *more),
                        schema_name=self._schema,
                    )
            await link.fetch(sql["count_slots"])

    async def _lock(self, link: Link) -> None:
        """Let nobody else import, or upgrade, meanwhile."""
        try:
            await link.fetch(self._database.sql["no_long_wait"])
            await link.fetch(self._database.sql["schema_lock"])
        except asyncpg.LockNotAvailableError as error:
            raise StoreUnavailableError(
                "another import, or an upgrade of the schema, is going on here: try again when it has ended"
            ) from error

    async def _make_days(self, link: Link, records: Sequence[Any], days: set[date]) -> None:
        """Make the partitions of finished jobs, so that they go again by whole days."""
        missing = {day_at(one.finished_at) for one in records if one.finished_at} - days
        if missing:
            await link.execute(partition_script(self._schema, sorted(missing)))
            days |= missing


def _record(kind: str, row: Any) -> Record:
    if kind == "job":
        return job_record(row)
    if kind == "schedule":
        return schedule_record(row)
    fields = dict(row)
    for name in _JSON & fields.keys():
        fields[name] = load(fields[name])
    if kind == "token":
        fields |= {"role": Role(fields["role"]), "keys": tuple(fields["keys"])}
    return KINDS[kind](**fields)


def _by_table(page: Page) -> dict[_Table, list[Record]]:
    tables: dict[_Table, list[Record]] = {}
    for record in page:
        tables.setdefault(_table(record), []).append(record)
    return tables


def _table(record: Record) -> _Table:
    if isinstance(record, JobRecord):
        if record.state in LIVE:
            return _LIVE
        return _DEAD if record.state is State.FAILED else _HISTORY
    return _TABLES[type(record)]


def _columns(record: Record, fields: Sequence[str]) -> list[Any]:
    return [
        _COLUMN[type(value)](value) if type(value) in _COLUMN else value
        for value in (getattr(record, name) for name in fields)
    ]


_COLUMN: dict[type, Callable[[Any], Any]] = {
    State: str,
    Role: str,
    dict: dump,
    Fault: dump,
    tuple: list,
    timedelta: lambda span: span // timedelta.resolution,
}
