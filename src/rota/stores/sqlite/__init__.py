"""SQLite: one file, several processes, synchronous FULL unless told otherwise."""

from rota.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
