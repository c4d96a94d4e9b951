"""Where contenders store their jobs: servers of our own with default durability, and fresh places in them."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Self

from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer

__all__ = ["POSTGRES", "REDIS", "SQLITE", "Places"]

POSTGRES, SQLITE, REDIS = "PostgreSQL", "SQLite", "Redis"


class Places:
    """The servers of one run; a place is an address that nobody has used yet.

    Args:
        options: settings of PostgreSQL beyond its own.
    """

    def __init__(self, options: dict[str, str] | None = None) -> None:
        self._options = options
        self._stack = ExitStack()
        self._numbers = itertools.count()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextmanager
    def fresh(self, store: str) -> Iterator[str]:
        """Give the address of an empty place, and clear it away."""
        if store == POSTGRES:
            url = self.postgres.create_database()
            try:
                yield url
            finally:
                self.postgres.drop_database(url)
        elif store == REDIS:
            yield self._redis.fresh()
        else:
            file = self._folder / f"{next(self._numbers)}.db"
            try:
                yield f"sqlite:///{file}"
            finally:
                for part in self._folder.glob(f"{file.name}*"):
                    if part.is_dir():
                        shutil.rmtree(part, ignore_errors=True)
                    else:
                        part.unlink(missing_ok=True)

    @cached_property
    def postgres(self) -> PostgresServer:
        """A server that keeps its own settings of durability, started when it is first needed."""
        return self._stack.enter_context(PostgresServer(durable=True, options=self._options))

    @cached_property
    def _redis(self) -> RedisServer:
        return self._stack.enter_context(RedisServer())

    @cached_property
    def _folder(self) -> Path:
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="rota-bench-")))
