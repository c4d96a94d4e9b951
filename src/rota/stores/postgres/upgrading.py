"""Brings a namespace up to date by either driver, while workers go on (see `migrating`)."""

import asyncio
import random
import time
from collections.abc import Generator

import psycopg

from rota.model.errors import StoreBusyError, StoreUnavailableError
from rota.ports.jobs import Rows, Statement
from rota.ports.store import SchemaState
from rota.stores.plans import drive, drive_async
from rota.stores.postgres.blocking import BlockingDatabase, Execute
from rota.stores.postgres.database import LONG, Database, Link, fetch_statement
from rota.stores.postgres.migrating import Apart, Upgraded, check, inspect, is_due, upgrade

__all__ = ["Upgrading"]

PATIENCE = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


class Upgrading:
    """The schema of a namespace: how it is, and its next version.

    Args:
        database: the asynchronous driver.
        blocking: the synchronous one.
        schema: the namespace.
    """

    def __init__(self, database: Database, blocking: BlockingDatabase, schema: str) -> None:
        self._database = database
        self._blocking = blocking
        self._schema = schema

    async def state(self) -> SchemaState:
        """Return the state of the schema without changing it."""

        async def work(link: Link) -> SchemaState:
            steps = inspect(self._database.sql)
            return await drive_async(steps, lambda statement: fetch_statement(link, statement))

        return await self._database.run(work)

    async def upgrade(self, *, post: bool) -> tuple[SchemaState, tuple[str, ...]]:
        """Apply what is due; returns the state, and the names of what this call has applied.

        Raises:
            SchemaVersionError: the schema needs newer code.
            StoreUnavailableError: somebody holds a table that has to change, and does not let go.
        """
        state, applied, patience = await self.state(), list[str](), _Patience()
        check(state)
        while is_due(state, post=post):
            try:
                done = await self._database.run(lambda link: self._step(link, post=post), patience=LONG)
            except StoreBusyError as error:
                await asyncio.sleep(patience.pause(error))
                continue
            state = done.state
            applied += done.applied
        return state, tuple(applied)

    async def _step(self, link: Link, *, post: bool) -> Upgraded:
        async def run(statement: Statement) -> Rows:
            if isinstance(statement, Apart):
                await self._database.aside(statement.sql)
                return []
            return await fetch_statement(link, statement)

        async with link.transaction():
            return await drive_async(self._plan(post=post), run)

    def upgrade_now(self) -> SchemaState:
        """Apply what old workers can live with, from any thread (see `upgrade`)."""
        state = self._blocking.run(lambda execute: drive(inspect(self._database.sql), execute), atomic=False)
        patience = _Patience()
        check(state)
        while is_due(state, post=False):
            try:
                state = self._blocking.run(self._step_now, atomic=True).state
            except psycopg.errors.LockNotAvailable as error:
                time.sleep(patience.pause(error))
        return state

    def _step_now(self, execute: Execute) -> Upgraded:
        def run(statement: Statement) -> Rows:
            if isinstance(statement, Apart):
                return self._blocking.run(lambda aside: aside(statement), atomic=False)
            return execute(statement)

        return drive(self._plan(post=False), run)

    def _plan(self, *, post: bool) -> Generator[Statement, Rows, Upgraded]:
        return upgrade(self._database.sql, self._schema, self._database.now(), post=post)


class _Patience:
    """How long to try again when somebody holds a lock."""

    def __init__(self) -> None:
        self._ends = time.monotonic() + PATIENCE
        self._pause = _FIRST_PAUSE / 2

    def pause(self, error: Exception) -> float:
        """Return for how many seconds to let others go first.

        Raises:
            StoreUnavailableError: they have had enough time.
        """
        if time.monotonic() > self._ends:
            raise StoreUnavailableError(
                f"the schema cannot be upgraded: for {PATIENCE:g} s somebody has upgraded it, or held one of "
                f"Rota's tables ({error}). Look for a long transaction in pg_stat_activity, and try again: "
                "workers go on meanwhile"
            ) from error
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return self._pause * random.uniform(0.5, 1.5)  # noqa: S311 - keeps rivals apart
