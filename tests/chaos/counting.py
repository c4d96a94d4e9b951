"""Counts the statements of this process on SQLite, and kills it before or after the k-th."""

import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

from rota.stores.sqlite.columns import statements

__all__ = ["arm"]


def arm(kill_at: int, *, after: bool, log: Path) -> None:
    """Make every connection from now on count; the names of the statements go to a file.

    Args:
        kill_at: which statement, from 1; 0: none.
        after: once it has taken place, before anyone here sees that.
        log: where the names go.
    """
    names = {sql: name for name, sql in statements().items()}
    counted = 0
    file = log.open("a", buffering=1)

    def count(run: Any, sql: str, *params: Any) -> Any:
        nonlocal counted
        counted += 1
        file.write(names.get(sql, " ".join(sql.split())[:40]) + "\n")
        if counted != kill_at:
            return run(sql, *params)
        if after:
            run(sql, *params)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    class Counting(sqlite3.Connection):
        def execute(self, sql: str, *params: Any) -> sqlite3.Cursor:
            cursor: sqlite3.Cursor = count(super().execute, sql, *params)
            return cursor

        def executemany(self, sql: str, *params: Any) -> sqlite3.Cursor:
            cursor: sqlite3.Cursor = count(super().executemany, sql, *params)
            return cursor

    connect = sqlite3.connect

    def connected(*args: Any, **options: Any) -> sqlite3.Connection:
        return connect(*args, **options, factory=Counting)

    sqlite3.connect = connected  # type: ignore[assignment]  # the standard library's, in a process of ours
