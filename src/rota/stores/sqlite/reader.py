"""One reader thread per store, so that questions never wait for the writer."""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from rota.model.clock import Clock, to_micros
from rota.stores.sqlite.connection import rollback, translated
from rota.stores.sqlite.kept import KeptConnection
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
        self._kept = KeptConnection(path, connect)
        super().__init__(
            "rota-sqlite-reader",
            serve=self._answer_each,
            close=self._kept.drop,
            forget=self._kept.abandon,
        )
        self._path = path
        self._sql = sql
        self._clock = clock

    def _answer_each(self, requests: list[Request[Snapshot]]) -> None:
        for request in requests:
            try:
                request.answer = self._read(request.operation)
            except sqlite3.Error as error:
                self._kept.drop()
                request.error = translated(error, self._path)
            except Exception as error:  # noqa: BLE001 - it belongs to the one who asked
                request.error = error

    def _read(self, operation: Callable[[Snapshot], object]) -> object:
        connection = self._kept.get()
        connection.execute("begin")
        try:
            return operation(Snapshot(connection, self._sql, to_micros(self._clock.now())))
        finally:
            rollback(connection)
