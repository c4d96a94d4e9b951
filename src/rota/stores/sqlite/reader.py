"""One reader thread per store, so that questions never wait for the writer."""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from rota.model.clock import Clock, to_micros
from rota.stores.sqlite.connection import rollback, translated
from rota.stores.sqlite.fork import abandon
from rota.stores.sqlite.thread import ConnectionThread, Request
from rota.stores.sqlite.transaction import Snapshot

__all__ = ["Reader"]


class Reader(ConnectionThread[Snapshot]):
    """Answers each operation from one snapshot of the whole database.

    Args:
        path: of the file, for messages.
        connect: opens a connection.
        sql: statements by name.
        clock: gives each operation its moment.
    """

    def __init__(
        self, path: Path, connect: Callable[[], sqlite3.Connection], sql: Mapping[str, str], clock: Clock
    ) -> None:
        super().__init__(
            "rota-sqlite-reader", serve=self._answer_each, close=self._drop, forget=self._abandon
        )
        self._path = path
        self._connect = connect
        self._sql = sql
        self._clock = clock
        self._connection: sqlite3.Connection | None = None

    def _answer_each(self, requests: list[Request[Snapshot]]) -> None:
        for request in requests:
            try:
                request.answer = self._read(request.operation)
            except sqlite3.Error as error:
                self._drop()
                request.error = translated(error, self._path)
            except Exception as error:  # noqa: BLE001 - it belongs to the one who asked
                request.error = error

    def _read(self, operation: Callable[[Snapshot], object]) -> object:
        if self._connection is None:
            self._connection = self._connect()
        connection = self._connection
        connection.execute("begin")
        try:
            return operation(Snapshot(connection, self._sql, to_micros(self._clock.now())))
        finally:
            rollback(connection)

    def _drop(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def _abandon(self) -> None:
        abandon(self._connection)
        self._connection = None
