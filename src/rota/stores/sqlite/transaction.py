"""What an operation sees of the store: statements by name, one moment, and whom to wake."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from rota.model.events import Notice
from rota.ports.jobs import Rows, Statement

__all__ = ["Snapshot", "Transaction"]


class Snapshot:
    """A transaction that only reads. `now` is its one moment, in microseconds since 1970 UTC."""

    def __init__(self, connection: sqlite3.Connection, sql: Mapping[str, str], now: int) -> None:
        self._connection = connection
        self._sql = sql
        self.now = now

    def rows(self, statement: str, where: str | None = None, /, **params: Any) -> list[tuple[Any, ...]]:
        """Run a statement with named parameters and return its rows.

        Args:
            statement: its name.
            where: conditions for its `{where}`, with parameters for all values.
            params: by name; `now` is always there.
        """
        sql = self._sql[statement]
        if where is not None:
            sql = sql.replace("{where}", where)
        return self._connection.execute(sql, {"now": self.now, **params}).fetchall()

    def row(self, statement: str, /, **params: Any) -> tuple[Any, ...] | None:
        """Run a statement and return its first row, if there is one."""
        rows = self.rows(statement, **params)
        return rows[0] if rows else None


class Transaction(Snapshot):
    """A transaction that may write; its `notices` are sent after the commit."""

    def __init__(self, connection: sqlite3.Connection, sql: Mapping[str, str], now: int) -> None:
        super().__init__(connection, sql, now)
        self.notices: list[Notice] = []

    def change(self, statement: str, /, **params: Any) -> int:
        """Run a statement and return how many rows it changed."""
        return self._connection.execute(self._sql[statement], {"now": self.now, **params}).rowcount

    def change_each(self, statement: str, params: Iterable[Mapping[str, Any]]) -> None:
        """Run a statement once per set of parameters."""
        now = self.now
        self._connection.executemany(self._sql[statement], ({"now": now, **one} for one in params))

    def announce_ready(self, queues: Iterable[str]) -> None:
        """Wake the workers that wait for one of these queues; where none waits, no notice is sent."""
        wanted = set(queues)
        if wanted:
            idle = self.run(Statement("idle_queues", self._sql["idle_queues"], (json.dumps(list(wanted)),)))
            self.notices.extend(Notice("ready", queue) for (queue,) in idle)

    def run(self, statement: Statement) -> Rows:
        """Run a statement of a plan."""
        return self._connection.execute(statement.sql, statement.params).fetchall()
