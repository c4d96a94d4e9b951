"""Submit from any thread by psycopg: connections that threads borrow, and that no child process inherits."""

import os
import random
import select
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

from rota.ports.jobs import Rows, Statement
from rota.stores.postgres.address import session_choice, unavailable
from rota.stores.postgres.faults import is_conflict, is_lost, is_uncertain
from rota.stores.postgres.literals import encoded, literals

__all__ = ["BlockingDatabase", "Execute"]

Execute = Callable[[Statement], Rows]
"""Runs one statement and returns its rows."""

_T = TypeVar("_T")
_CONNECT_TIMEOUT = 10
_TRIES = 6
_FIRST_PAUSE = 0.01


class BlockingDatabase:
    """The synchronous driver. Safe for threads and forks; connections that the server closed are replaced.

    Args:
        url: where the database is.
        size: how many connections rest between uses; more, made by a burst of threads, are closed after it.
        pooled: a pooler in transaction mode stands between: no prepared statements, no settings.
        durable: whether a commit waits for the disk.
        patience: seconds to wait for an answer, before the connection counts as lost.
    """

    def __init__(self, url: str, *, size: int, pooled: bool, durable: bool, patience: float) -> None:
        self._url = url
        self._size = size
        self._patience = patience
        self._settings: dict[str, Any] = {"prepare_threshold": None if pooled else 1, **session_choice(url)}
        if not pooled:
            # The server breaks off what waits for a lock; who looks from here cuts the connection later.
            locks = f"-c lock_timeout={int(patience * 800)}"
            options = f"-c plan_cache_mode=force_generic_plan -c jit=off {locks}"
            self._settings["application_name"] = "rota"
            self._settings["options"] = options if durable else f"{options} -c synchronous_commit=off"
        if "connect_timeout" not in url:
            self._settings["connect_timeout"] = _CONNECT_TIMEOUT
        # A parent's connections: kept, so that nothing closes or uses its sockets here.
        self._inherited: list[object] = []
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        # A deque's ends are atomic: a lock could be held by another thread at the moment of a fork.
        self._resting: deque[_Link] = deque()
        self._end = weakref.finalize(self, _close, self._pid, self._resting)

    def run(self, work: Callable[[Execute], _T], *, atomic: bool) -> _T:
        """Run `work` on a connection, again when it has to give way to another transaction.

        Args:
            work: is given what runs a statement.
            atomic: whether all statements are one transaction; else each is its own.

        Raises:
            StoreUnavailableError: the server does not answer or refuses.
            psycopg.Error: of `work`, a lost connection too.
        """
        for attempt in range(1, _TRIES):
            try:
                return self._run_once(work, atomic=atomic)
            except psycopg.Error as error:
                if not is_conflict(error):
                    raise
            time.sleep(_FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 - keeps rivals apart
        return self._run_once(work, atomic=atomic)

    def _run_once(self, work: Callable[[Execute], _T], *, atomic: bool) -> _T:
        with self._borrow() as link:
            if not atomic:
                return work(link.execute)
            with link.connection.transaction():
                return work(link.execute)

    @contextmanager
    def _borrow(self) -> Iterator["_Link"]:
        link = self._take()
        try:
            yield link
        except BaseException as error:
            # Also when a signal came between a statement and its answer.
            if is_lost(error) or not isinstance(error, Exception):
                link.connection.close()
            if is_uncertain(error):
                # Those that rest are no better: a firewall forgot them, or their server is gone.
                _close(self._pid, self._resting)
            raise
        finally:
            if not link.connection.closed:
                if len(self._resting) < self._size:
                    self._resting.append(link)
                else:
                    link.connection.close()

    def _take(self) -> "_Link":
        if self._pid != os.getpid():
            self._inherited.append(self._resting)
            self._begin()
        while True:
            try:
                link = self._resting.pop()
            except IndexError:
                return self._connect()
            if link.is_quiet():
                return link
            link.connection.close()

    def _connect(self) -> "_Link":
        try:
            connection = _Connection.connect(self._url, autocommit=True, **self._settings)
            connection.patience = self._patience
        except psycopg.OperationalError as error:
            raise unavailable(self._url, error) from error
        return _Link(connection)

    def close(self) -> None:
        """Close the connections that rest."""
        _close(self._pid, self._resting)


def _close(pid: int, resting: "deque[_Link]") -> None:
    """Close connections of this process, not those of its parent."""
    if pid == os.getpid():
        while resting:
            resting.pop().connection.close()


class _Connection(psycopg.Connection[Any]):
    """A connection on which nobody waits for ever: the server, or what is between, may have died silently."""

    patience = 0.0

    def wait(self, gen: PQGen[_T], *args: Any, **options: Any) -> _T:
        """Wait for an answer; psycopg wakes the generator ten times a second while there is none."""
        return super().wait(_limited(gen, time.monotonic() + self.patience), *args, **options)


def _limited(gen: PQGen[_T], ends: float) -> PQGen[_T]:
    """Pass a generator on until a moment.

    Raises:
        psycopg.OperationalError: there was no answer until then.
    """
    wish = next(gen)
    while True:
        ready = yield wish
        if not ready and time.monotonic() > ends:
            raise psycopg.OperationalError("the server gives no answer")
        try:
            wish = gen.send(ready)
        except StopIteration as end:
            answer: _T = end.value
            return answer


class _Link:
    """A connection with the one cursor that it needs."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self._cursor = psycopg.RawCursor(connection)
        self._poll = select.poll()
        self._poll.register(connection.fileno(), select.POLLIN)

    def is_quiet(self) -> bool:
        """Tell whether the server has said nothing since the last use: what it says then is farewell."""
        return not self.connection.closed and not self._poll.poll(0)

    def execute(self, statement: Statement) -> Rows:
        """Run one statement and return its rows."""
        cursor = self._cursor.execute(encoded(statement.sql), literals(statement.params) or None)
        # Not by `description`, which makes an object for each column.
        return cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []
