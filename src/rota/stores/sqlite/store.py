"""SQLite as a store: one file, one writer thread, one reader thread."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from rota.model.clock import Clock, SystemClock, to_micros
from rota.model.errors import ConfigurationError
from rota.model.events import Notice
from rota.model.job import Submission, Submitted
from rota.ports.jobs import SubmitPlan
from rota.ports.store import Capabilities, SchemaState
from rota.stores.sqlite import schema
from rota.stores.sqlite.access import SqliteAccess
from rota.stores.sqlite.borrowed import run_on, run_on_async
from rota.stores.sqlite.checkpoints import SqliteCheckpoints
from rota.stores.sqlite.columns import statements
from rota.stores.sqlite.connection import DURABILITIES, Durability, connect, translated, wait_by_hand
from rota.stores.sqlite.fork import Turn
from rota.stores.sqlite.insight import SqliteInsight
from rota.stores.sqlite.inspection import SqliteInspection
from rota.stores.sqlite.jobs import SqliteJobs
from rota.stores.sqlite.limits import SqliteLimits
from rota.stores.sqlite.location import Location
from rota.stores.sqlite.mailbox import Mailbox, supported
from rota.stores.sqlite.reader import Reader
from rota.stores.sqlite.requests import SqliteRequests
from rota.stores.sqlite.retention import SqliteRetention
from rota.stores.sqlite.schedules import SqliteSchedules
from rota.stores.sqlite.submit import submit_plan
from rota.stores.sqlite.synchronous import Synchronous
from rota.stores.sqlite.trail import SqliteTrail
from rota.stores.sqlite.transfer import SqliteTransfer
from rota.stores.sqlite.wakeup import SqliteWakeup
from rota.stores.sqlite.workers import SqliteWorkers
from rota.stores.sqlite.writer import Writer

__all__ = ["SqliteStore"]

_GROUP = 10_000


class SqliteStore:
    """`Store` on a file.

    Args:
        url: `sqlite:///relative.db`, `sqlite:////absolute.db`, a plain path, or `sqlite://` for a private
            temporary file.
        clock: gives every moment; without it, this machine's.
        durability: "full" commits to the disk; "normal" may lose the last commits in a power cut.
        patience: seconds to wait while other processes hold the write lock.

    Raises:
        ConfigurationError: the url names no file, or the durability is unknown.
    """

    name = "sqlite"
    capabilities = Capabilities(
        transactional_enqueue=True,
        strict_rank=True,
        exact_limits=True,
        filters=True,
        push_wakeup=supported(),
        group=_GROUP,
    )

    def __init__(
        self,
        url: str | Path,
        *,
        clock: Clock | None = None,
        durability: Durability = "full",
        patience: float = 20.0,
    ) -> None:
        if durability not in DURABILITIES:
            raise ConfigurationError(
                [f"durability: {durability!r} is unknown. Use {' or '.join(DURABILITIES)}"]
            )
        self.url = str(url)
        self._location = Location(self.url)
        self._clock = clock or SystemClock()
        self._durability = durability
        self._patience = patience
        path, sql, turn = self._location.path, statements(), Turn()
        self._mailbox = Mailbox(path)
        self._wakeup = SqliteWakeup(self._mailbox, self._connect_reader)
        shared: dict[str, Any] = {"turn": turn, "patience": patience, "send": self._wakeup.send}
        self._writer = Writer(path, self._connect_writer, sql, self._clock, **shared)
        self._reader = Reader(path, self._connect_reader, sql, self._clock)
        self._synchronous = Synchronous(path, self._connect_writer, sql, self._clock, **shared)
        self._jobs = SqliteJobs(self._writer, sql)
        self._limits = SqliteLimits(self._writer)
        self._workers = SqliteWorkers(self._writer)
        self._checkpoints = SqliteCheckpoints(self._writer)
        self._insight = SqliteInsight(self._reader)
        self._inspection = SqliteInspection(self._reader)
        self._retention = SqliteRetention(self._writer)
        self._schedules = SqliteSchedules(self._writer, self._reader)
        self._access = SqliteAccess(self._writer, self._reader)
        self._requests = SqliteRequests(self._writer)
        self._trail = SqliteTrail(self._writer, self._reader)
        self._transfer = SqliteTransfer(
            path, self._connect_reader, self._connect_writer, sql, self._clock, patience=patience
        )

    @property
    def jobs(self) -> SqliteJobs:
        """The life of a job."""
        return self._jobs

    @property
    def limits(self) -> SqliteLimits:
        """Slots and pauses."""
        return self._limits

    @property
    def workers(self) -> SqliteWorkers:
        """Owners of claims."""
        return self._workers

    @property
    def checkpoints(self) -> SqliteCheckpoints:
        """What running attempts save."""
        return self._checkpoints

    @property
    def insight(self) -> SqliteInsight:
        """Questions."""
        return self._insight

    @property
    def inspection(self) -> SqliteInspection:
        """What a check of the whole store reads."""
        return self._inspection

    @property
    def retention(self) -> SqliteRetention:
        """How long things are kept."""
        return self._retention

    @property
    def schedules(self) -> SqliteSchedules:
        """Schedules and ticks."""
        return self._schedules

    @property
    def access(self) -> SqliteAccess:
        """Tokens and the audit log."""
        return self._access

    @property
    def requests(self) -> SqliteRequests:
        """Requests that were sent with a key."""
        return self._requests

    @property
    def trail(self) -> SqliteTrail:
        """What happened, over time."""
        return self._trail

    @property
    def transfer(self) -> SqliteTransfer:
        """All of it, out and in."""
        return self._transfer

    @property
    def wakeup(self) -> SqliteWakeup:
        """Wake-up calls."""
        return self._wakeup

    async def open(self) -> None:
        """Open the file, make it or bring its schema up to date; see the port."""
        await asyncio.to_thread(self._synchronous.prepare)
        self._writer.start()
        self._reader.start()

    async def close(self) -> None:
        """Answer what waits, end the threads and close every connection."""
        await self._wakeup.stop()
        await self._writer.stop()
        await self._reader.stop()
        await asyncio.to_thread(self._synchronous.close)
        self._mailbox.hang_up()
        self._location.release()

    async def upgrade(self, *, post: bool = False) -> tuple[str, ...]:
        """Apply pending migrations; see the port."""
        return await asyncio.to_thread(self._upgrade, post=post)

    async def schema(self) -> SchemaState:
        """Return the state of the schema without changing it, or making the file."""
        return await asyncio.to_thread(self._read_schema)

    def pool(self) -> None:
        """Return None: there is one writer and one reader."""

    def submit_now(self, submissions: Sequence[Submission], *, resend: bool = False) -> list[Submitted]:
        """Submit from any thread, in a transaction of its own; see the port."""
        return self._synchronous.submit(submissions, resend=resend)

    def submit_on(self, connection: Any, submissions: Sequence[Submission]) -> list[Submitted]:
        """Submit inside the transaction of a user's synchronous connection; see the port."""
        if not self._synchronous.prepared:
            self._synchronous.prepare()
        plan, notices = self._plan(submissions)
        submitted, committed = run_on(connection, self._location.path, statements()["main_file"], plan)
        self._wakeup.send(notices, early=not committed)
        return submitted

    async def submit_on_async(self, connection: Any, submissions: Sequence[Submission]) -> list[Submitted]:
        """Submit inside the transaction of a user's asynchronous connection; see the port."""
        if not self._synchronous.prepared:
            await asyncio.to_thread(self._synchronous.prepare)
        plan, notices = self._plan(submissions)
        main_file = statements()["main_file"]
        submitted, committed = await run_on_async(connection, self._location.path, main_file, plan)
        self._wakeup.send(notices, early=not committed)
        return submitted

    def _plan(self, submissions: Sequence[Submission]) -> tuple[SubmitPlan, list[Notice]]:
        notices: list[Notice] = []
        return submit_plan(statements(), submissions, to_micros(self._clock.now()), notices), notices

    def _connect_writer(self) -> sqlite3.Connection:
        """Open a connection that writes, to a file that is there with its schema in order."""
        self._location.check()
        connection = connect(self._location.path, self._durability)
        try:
            state = schema.read_state(connection)
            schema.check(state)
            if schema.is_due(state):
                schema.upgrade(connection, self._patience, post=False)
            wait_by_hand(connection)
        except Exception as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise translated(error, self._location.path) from error
            raise
        return connection

    def _connect_reader(self) -> sqlite3.Connection:
        if not self._location.path.exists():
            # Opened for reading alone it would be made without a schema.
            self._connect_writer().close()
        return connect(self._location.path, self._durability, reader=True)

    def _upgrade(self, *, post: bool) -> tuple[str, ...]:
        self._location.check()
        with closing(connect(self._location.path, self._durability)) as connection:
            try:
                return schema.upgrade(connection, self._patience, post=post)
            except sqlite3.Error as error:
                raise translated(error, self._location.path) from error

    def _read_schema(self) -> SchemaState:
        self._location.check()
        path = self._location.path
        # A connection would make the file: an empty database stands for one that is not there.
        with closing(self._connect_reader() if path.exists() else sqlite3.connect(":memory:")) as connection:
            try:
                return schema.read_state(connection)
            except sqlite3.Error as error:
                raise translated(error, path) from error
