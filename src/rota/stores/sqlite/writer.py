"""One writer thread per store: all operations that wait share one transaction."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rota.model.clock import Clock, to_micros
from rota.model.errors import StoreUnavailableError
from rota.model.events import Notice
from rota.stores.sqlite.connection import UncertainCommitError, begin, rollback, translated
from rota.stores.sqlite.fork import Turn
from rota.stores.sqlite.kept import KeptConnection
from rota.stores.sqlite.thread import ConnectionThread, Request
from rota.stores.sqlite.transaction import Transaction

__all__ = ["Writer"]


class Writer(ConnectionThread[Transaction]):
    """Group commit: the cost of reaching the disk is shared by whatever was issued meanwhile.

    Args:
        path: of the file, for messages.
        connect: opens a connection, with the schema in order.
        sql: statements by name.
        clock: gives each operation its moment.
        turn: held while this process writes, so that its connections do not wait for one another by polling.
        patience: seconds to wait for other processes.
        send: takes the notices of a commit.
    """

    def __init__(
        self,
        path: Path,
        connect: Callable[[], sqlite3.Connection],
        sql: Mapping[str, str],
        clock: Clock,
        *,
        turn: Turn,
        patience: float,
        send: Callable[[Sequence[Notice]], None],
    ) -> None:
        self._kept = KeptConnection(path, connect)
        super().__init__(
            "rota-sqlite-writer", serve=self._commit, close=self._kept.drop, forget=self._kept.abandon
        )
        self._path = path
        self._sql = sql
        self._clock = clock
        self._turn = turn
        self._patience = patience
        self._send = send

    def _commit(self, requests: list[Request[Transaction]]) -> None:
        notices: list[Notice] = []
        try:
            with self._turn:
                notices = self._write(requests)
        except Exception as error:  # noqa: BLE001 - whoever waits must get an answer, whatever went wrong
            self._kept.drop()
            for request in requests:
                request.error = request.error or _again(error)
        if notices:
            self._send(notices)

    def _write(self, requests: list[Request[Transaction]]) -> list[Notice]:
        connection = self._kept.get()
        try:
            begin(connection, self._patience)
            notices = self._run_all(connection, requests)
        except sqlite3.Error as error:
            rollback(connection)
            raise translated(error, self._path) from error
        try:
            connection.execute("commit")
        except sqlite3.Error as error:
            rollback(connection)
            raise UncertainCommitError(str(translated(error, self._path))) from error
        return notices

    def _run_all(self, connection: sqlite3.Connection, requests: list[Request[Transaction]]) -> list[Notice]:
        notices: dict[Notice, None] = {}
        for request in requests:
            transaction = Transaction(connection, self._sql, to_micros(self._clock.now()))
            connection.execute("savepoint operation")
            try:
                request.answer = request.operation(transaction)
            except Exception as error:
                if not connection.in_transaction:
                    # SQLite gave up the whole transaction (disk full, I/O): nobody's work is there any more.
                    raise
                connection.execute("rollback to operation")
                request.error = translated(error, self._path) if isinstance(error, sqlite3.Error) else error
            else:
                notices.update(dict.fromkeys(transaction.notices))
            connection.execute("release operation")
        return list(notices)


def _again(error: Exception) -> Exception:
    """Return an error of one's own for each caller: a traceback grows on the one that is raised."""
    return type(error)(*error.args) if isinstance(error, StoreUnavailableError) else error
