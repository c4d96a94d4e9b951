"""A connection that is kept, as long as its file is the one at its path."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from rota.model.errors import StoreUnavailableError
from rota.stores.sqlite.connection import rollback
from rota.stores.sqlite.fork import abandon

__all__ = ["KeptConnection"]


class KeptConnection:
    """Opened when it is first wanted, and anew after trouble.

    SQLite itself would go on with a file that was removed or replaced, and nobody else would ever see what is
    written there: each use looks first (a microsecond).

    Args:
        path: of the file.
        connect: opens a connection.
    """

    def __init__(self, path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        self._path = str(path)
        self._connect = connect
        self._file: tuple[int, int] | None = None
        self.connection: sqlite3.Connection | None = None

    def get(self) -> sqlite3.Connection:
        """Return the connection.

        Raises:
            StoreUnavailableError: the file was removed or replaced; the next call opens what is there.
        """
        if self.moved:
            self.drop()
            raise StoreUnavailableError(
                f"{self._path} was removed or replaced while in use, and what was in it is gone from here. "
                "The work goes on with the file that is there now, or with a new one; "
                "start this process again so that it has the schedules of your code"
            )
        return self.open()

    def open(self) -> sqlite3.Connection:
        """Return the connection; to another file than before, if need be."""
        if self.moved:
            self.drop()
        if self.connection is None:
            self.connection = self._connect()
            self._file = self._look()
        return self.connection

    @property
    def moved(self) -> bool:
        """Whether the file that is open is not the one at the path."""
        return self.connection is not None and self._look() != self._file

    def drop(self) -> None:
        """Close the connection; the next one may find the trouble gone."""
        if self.connection is not None:
            connection, self.connection = self.connection, None
            rollback(connection)
            connection.close()

    def abandon(self) -> None:
        """Leave the connection to the parent process."""
        abandon(self.connection)
        self.connection = None

    def _look(self) -> tuple[int, int] | None:
        try:
            there = os.stat(self._path)  # noqa: PTH116 - half the price of Path.stat
        except OSError:
            return None
        return there.st_dev, there.st_ino
