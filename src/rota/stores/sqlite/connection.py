"""Connections to the file, and what their errors mean."""

import random
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal, get_args

from rota.model.errors import StoreError, StoreUnavailableError

__all__ = [
    "DURABILITIES",
    "Durability",
    "UncertainCommitError",
    "begin",
    "connect",
    "rollback",
    "translated",
    "wait_by_hand",
]

Durability = Literal["full", "normal"]
DURABILITIES: tuple[Durability, ...] = get_args(Durability)

OLDEST = (3, 38, 0)
STATEMENTS = 256
CACHE_KIB = 8192
LOG_BYTES = 64 * 1024 * 1024
PATIENCE = 5.0

# The built-in busy handler sleeps ever longer and so starves one of two busy processes for a second and more.
# Short sleeps share evenly; they grow only when someone holds the lock for long.
FIRST_SLEEP = 0.0002
LONGEST_SLEEP = 0.005
GROWTH = 1.02

_LOCKED = "Someone holds its write lock: look for a long transaction, in another process or in this one"
_REMEDIES = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_NOMEM: "This process is out of memory",
    sqlite3.SQLITE_READONLY: "Make the file and its folder writable for this user",
    sqlite3.SQLITE_IOERR: "Look at the disk, and at whether the file was replaced while in use",
    sqlite3.SQLITE_CORRUPT: "Restore it from a copy, or save what can be read with `sqlite3 FILE .recover`",
    sqlite3.SQLITE_FULL: "Free some space on its disk",
    sqlite3.SQLITE_CANTOPEN: "Make the file and its folder readable and writable for this user",
    sqlite3.SQLITE_PROTOCOL: "Too many processes open it at once; try again",
    sqlite3.SQLITE_AUTH: "Allow this user to read and write it",
    sqlite3.SQLITE_NOTADB: "It is no SQLite database: give another path",
}


class UncertainCommitError(StoreUnavailableError):
    """A commit failed in a way that does not say whether it took place."""


def connect(path: Path, durability: Durability, *, reader: bool = False) -> sqlite3.Connection:
    """Open the file, and make it when it is not there.

    Args:
        path: an absolute path.
        durability: "full" survives a power cut with every commit; "normal" may lose the last ones, and
            never breaks the file.
        reader: refuse writes.

    Raises:
        StoreError: this SQLite is too old.
        StoreUnavailableError: the file cannot be opened.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise StoreError(
            f"this Python has SQLite {sqlite3.sqlite_version} and Rota needs {oldest} or newer. "
            "Use a newer Python or system library, or a postgresql:// url"
        )
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(
            path,
            timeout=PATIENCE,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS,
        )
        _prepare(connection, durability, reader=reader)
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise translated(error, path) from error
    return connection


def _prepare(connection: sqlite3.Connection, durability: Durability, *, reader: bool) -> None:
    connection.execute(f"pragma synchronous = {durability}")
    connection.execute(f"pragma cache_size = -{CACHE_KIB}")
    connection.execute("pragma temp_store = memory")
    # After a burst, or while a reader kept it from being reused, the log shrinks to this again.
    connection.execute(f"pragma journal_size_limit = {LOG_BYTES}")
    if reader:
        connection.execute("pragma query_only = 1")
    elif connection.execute("pragma journal_mode").fetchone() != ("wal",):
        _use_wal(connection)


def _use_wal(connection: sqlite3.Connection) -> None:
    # Two processes that make the file at once meet here, and the second finds it locked for a moment.
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > ends:
                raise
            time.sleep(LONGEST_SLEEP)
        else:
            return


def wait_by_hand(connection: sqlite3.Connection) -> None:
    """Turn the built-in busy handler off: from now on `begin` waits for the write lock."""
    connection.execute("pragma busy_timeout = 0")


def begin(connection: sqlite3.Connection, patience: float) -> None:
    """Take the write lock, and wait for it evenly with other processes.

    Args:
        connection: not in a transaction.
        patience: how many seconds to wait.

    Raises:
        sqlite3.OperationalError: the lock was not free in all that time, or the file cannot be written.
    """
    ends = time.monotonic() + patience
    pause = FIRST_SLEEP
    while True:
        try:
            connection.execute("begin immediate")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > ends:
                raise
        else:
            return
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - keeps processes apart, no secret
        pause = min(pause * GROWTH, LONGEST_SLEEP)


def rollback(connection: sqlite3.Connection) -> None:
    """End a transaction that failed, unless SQLite has already done so by itself."""
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("rollback")


def translated(error: sqlite3.Error, path: Path) -> Exception:
    """Return what an error of SQLite means to a caller; one that is no matter of the file stays as it is."""
    remedy = _REMEDIES.get(_code(error))
    if remedy is None:
        return error
    return StoreUnavailableError(f"{path}: {error}. {remedy}")


def _is_busy(error: sqlite3.Error) -> bool:
    return _code(error) == sqlite3.SQLITE_BUSY


def _code(error: sqlite3.Error) -> int:
    # The low byte is the primary code; the rest of an extended one says more than is needed here.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
