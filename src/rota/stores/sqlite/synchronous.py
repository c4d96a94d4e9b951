"""Submit from any thread, by a connection of its own."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rota.model.clock import Clock, to_micros
from rota.model.errors import SubmitUncertainError
from rota.model.events import Notice
from rota.model.job import Submission, Submitted
from rota.stores.plans import drive
from rota.stores.sqlite.connection import begin, translated
from rota.stores.sqlite.fork import Turn, survive
from rota.stores.sqlite.kept import KeptConnection
from rota.stores.sqlite.submit import submit_plan
from rota.stores.sqlite.transaction import Transaction

__all__ = ["Synchronous"]


class Synchronous:
    """One connection for all threads of a process: they would wait for one another in the file as well.

    Args:
        path: of the file, for messages.
        connect: opens a connection, with the schema in order.
        sql: statements by name.
        clock: gives each submit its moment.
        turn: held while this process writes.
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
        self._path = path
        self._kept = KeptConnection(path, connect)
        self._sql = sql
        self._clock = clock
        self._turn = turn
        self._patience = patience
        self._send = send
        self.prepared = False
        survive(self)

    def submit(self, submissions: Sequence[Submission], *, resend: bool) -> list[Submitted]:
        """Submit in a transaction of its own; see `Store.submit_now`."""
        with self._turn:
            connection = self._connected()
            try:
                submitted, notices = self._write(connection, submissions, resend=resend)
            except BaseException as error:
                # A fresh connection is in no doubtful state, and may find the trouble gone.
                self._kept.drop()
                if isinstance(error, sqlite3.Error):
                    raise translated(error, self._path) from error
                raise
        if notices:
            self._send(notices)
        return submitted

    def prepare(self) -> None:
        """Make sure that the file is there with its schema in order; `prepared` says that it is known.

        Whoever is in a transaction of the file must not wait here for the writer, which may wait for him.
        """
        with self._turn:
            self._connected()

    def close(self) -> None:
        """Release the connection; a later submit opens another."""
        with self._turn:
            self._kept.drop()

    def _connected(self) -> sqlite3.Connection:
        connection = self._kept.open()
        self.prepared = True
        return connection

    def _write(
        self, connection: sqlite3.Connection, submissions: Sequence[Submission], *, resend: bool
    ) -> tuple[list[Submitted], list[Notice]]:
        begin(connection, self._patience)
        transaction = Transaction(connection, self._sql, to_micros(self._clock.now()))
        plan = submit_plan(self._sql, submissions, transaction.now, transaction.notices, resend=resend)
        submitted = drive(plan, transaction.run)
        try:
            connection.execute("commit")
        except sqlite3.Error as error:
            raise SubmitUncertainError(submissions, translated(error, self._path)) from error
        return submitted, transaction.notices

    def forked(self) -> None:
        """Start afresh in a child process."""
        self._kept.abandon()
