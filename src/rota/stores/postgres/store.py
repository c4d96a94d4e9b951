"""PostgreSQL as a store: all ports over one pool."""

import asyncio
from collections.abc import Generator, Sequence
from typing import Any

from rota.model.clock import Clock
from rota.model.errors import ConfigurationError, SubmitUncertainError
from rota.model.job import Submission, Submitted
from rota.ports.jobs import Rows, Statement
from rota.ports.store import Capabilities, PoolUse, SchemaState
from rota.stores.plans import drive
from rota.stores.postgres.access import PostgresAccess
from rota.stores.postgres.address import check_schema_name, check_url, unavailable
from rota.stores.postgres.blocking import BlockingDatabase
from rota.stores.postgres.catalog import channel, statements
from rota.stores.postgres.checkpoints import PostgresCheckpoints
from rota.stores.postgres.connections import Connections
from rota.stores.postgres.database import Database
from rota.stores.postgres.faults import is_lost, is_uncertain
from rota.stores.postgres.insight import PostgresInsight
from rota.stores.postgres.inspection import PostgresInspection
from rota.stores.postgres.jobs import PostgresJobs
from rota.stores.postgres.limits import PostgresLimits
from rota.stores.postgres.requests import PostgresRequests
from rota.stores.postgres.retention import PostgresRetention
from rota.stores.postgres.schedules import PostgresSchedules
from rota.stores.postgres.submitting import is_plain, submit_plan
from rota.stores.postgres.trail import PostgresTrail
from rota.stores.postgres.transfer import PostgresTransfer
from rota.stores.postgres.upgrading import Upgrading
from rota.stores.postgres.wakeup import PostgresWakeup
from rota.stores.postgres.workers import PostgresWorkers

__all__ = ["PostgresStore"]

_POOL_SIZE = 8
_PATIENCE = 20.0


class PostgresStore:
    """A namespace (a schema) in a PostgreSQL database, version 14 or newer.

    Args:
        url: `postgresql://user:password@host:port/database`.
        schema: the namespace; several apps can live in one database.
        clock: says what time it is; None: the database does.
        pool_size: the largest number of connections of an event loop.
        listen: False where a pooler in transaction mode stands between: no notices (everybody polls), no
            prepared statements, no settings of the session.
        durability: "full", or "normal" for commits that do not wait for the disk: a crash of the database's
            machine may lose the last moments.
        patience: seconds to wait for a connection and for an answer, before the database counts as lost.

    Raises:
        ConfigurationError: the url or the schema's name is malformed, or the options exclude each other.
    """

    name = "postgresql"

    def __init__(
        self,
        url: str,
        *,
        schema: str = "rota",
        clock: Clock | None = None,
        pool_size: int = _POOL_SIZE,
        listen: bool = True,
        durability: str = "full",
        patience: float = _PATIENCE,
    ) -> None:
        if durability == "normal" and not listen:
            raise ConfigurationError(
                ["durability: 'normal' is a setting of the session, which listen=False rules out"]
            )
        self.capabilities = Capabilities(
            transactional_enqueue=True,
            strict_rank=True,
            exact_limits=True,
            filters=True,
            push_wakeup=listen,
            group=10_000,
        )
        self.url = check_url(url)
        check_schema_name(schema)
        self._clock = clock
        durable = durability == "full"
        sql = statements(schema, pushes=listen)
        session: dict[str, Any] = {"size": pool_size, "pooled": not listen, "durable": durable}
        session["patience"] = patience
        database = Database(url, sql, clock=clock, **session)
        self._database = database
        self._blocking = BlockingDatabase(url, **session)
        self._upgrading = Upgrading(database, self._blocking, schema)
        self._connections = Connections(sql)
        self._sql = sql
        self._store_id = ""
        self.wakeup = PostgresWakeup(database, channel(schema), enabled=listen)
        self.jobs = PostgresJobs(database)
        self.limits = PostgresLimits(database, self.jobs, self.wakeup)
        self.workers = PostgresWorkers(database)
        self.checkpoints = PostgresCheckpoints(database)
        self.insight = PostgresInsight(database)
        self.inspection = PostgresInspection(database)
        self.retention = PostgresRetention(database, schema)
        self.schedules = PostgresSchedules(database, self.wakeup)
        self.access = PostgresAccess(database)
        self.requests = PostgresRequests(database)
        self.trail = PostgresTrail(database)
        self.transfer = PostgresTransfer(database, schema)

    async def open(self) -> None:
        """Connect; make the schema when there is none, and apply migrations that old workers can live with.

        Raises:
            StoreUnavailableError: the database cannot be reached.
            SchemaVersionError: the schema needs newer code.
        """
        await self._database.open()
        try:
            state, _ = await self._upgrading.upgrade(post=False)
        except BaseException:
            await self._database.close()
            raise
        self._store_id = state.store_id

    async def close(self) -> None:
        """Stop listening and close every connection."""
        await self.wakeup.stop()
        await self._database.close()
        self._blocking.close()

    async def upgrade(self, *, post: bool = False) -> tuple[str, ...]:
        """Apply pending migrations; returns the names of those that this call has applied.

        Args:
            post: also those that the previous release cannot run on.
        """
        await self._database.open()
        state, applied = await self._upgrading.upgrade(post=post)
        self._store_id = state.store_id
        return applied

    async def schema(self) -> SchemaState:
        """Return the state of the schema without changing it."""
        await self._database.open()
        return await self._upgrading.state()

    def pool(self) -> PoolUse:
        """Return how far the connections are in use."""
        return self._database.pool_use()

    def submit_now(self, submissions: Sequence[Submission], *, resend: bool = False) -> list[Submitted]:
        """Submit by psycopg from any thread, in a transaction of its own.

        Raises:
            StoreUnavailableError: the database cannot be reached.
            SubmitUncertainError: the connection was lost while the jobs were on their way.
        """
        self._identify_now()
        plain = is_plain(submissions, resend=resend)
        try:
            return self._blocking.run(
                lambda execute: drive(self._plan(submissions, resend=resend), execute), atomic=not plain
            )
        except Exception as error:
            if is_uncertain(error):
                raise SubmitUncertainError(submissions, error) from error
            if is_lost(error):
                raise unavailable(self.url, error) from error
            raise

    def submit_on(self, connection: Any, submissions: Sequence[Submission]) -> list[Submitted]:
        """Submit inside the transaction of the caller's synchronous connection (see `Store.submit_on`)."""
        return self._connections.submit(connection, self._identify_now(), self._plan(submissions))

    async def submit_on_async(self, connection: Any, submissions: Sequence[Submission]) -> list[Submitted]:
        """Submit inside the transaction of the caller's asynchronous connection."""
        if not self._store_id:
            await asyncio.to_thread(self._identify_now)
        return await self._connections.submit_async(connection, self._store_id, self._plan(submissions))

    def _plan(
        self, submissions: Sequence[Submission], *, resend: bool = False
    ) -> Generator[Statement, Rows, list[Submitted]]:
        return submit_plan(self._sql, submissions, self._database.now(), resend=resend)

    def _identify_now(self) -> str:
        """Return the store's identity; if nobody has opened the store yet, make or check its schema."""
        if not self._store_id:
            self._store_id = self._upgrading.upgrade_now().store_id
        return self._store_id
