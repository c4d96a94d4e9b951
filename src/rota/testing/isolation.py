"""An app on a private, empty store with a clock that stands still."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from msgspec import structs

from rota.app.connection import Connection
from rota.app.rota import Rota
from rota.definitions.attempt import running
from rota.model.job import Submission, Submitted
from rota.testing.clock import FakeClock

__all__ = ["START", "PrivateConnection", "given_resources", "isolated"]

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""When time begins in tests: a Monday at noon."""


@contextmanager
def isolated(
    app: Rota,
    *,
    clock: FakeClock | None = None,
    url: str = "sqlite://",
    resources: Mapping[Any, Any] | None = None,
) -> Iterator[FakeClock]:
    """Give an app an empty store of its own and a clock that stands still; afterwards all is as before.

        with isolated(app) as clock:
            send.options(delay=3600).enqueue("ada@example.org", subject="Hi")
            clock.advance(hours=1)
            drain(app)

    Jobs of `options(connection=...)` go to that store too, at once: your transaction is not theirs here.

    Args:
        app: whose jobs and schedules.
        clock: yours; without it one that begins at `START`.
        url: another store than a temporary SQLite file; what is in it stays there.
        resources: by type, in place of what the app's factories would make.
    """
    clock = clock or FakeClock(START)
    before = app.settings, app.clock, app.connection
    connection = PrivateConnection(app, resources or {})
    app.settings = structs.replace(app.settings, url=url, durability="normal")
    app.clock, app.connection = clock, connection
    try:
        connection.prepare()
        with app.intercept(_Recording(connection)):
            yield clock
    finally:
        connection.close()
        app.settings, app.clock, app.connection = before


class PrivateConnection(Connection):
    """An app's way to a store that a test gave it."""

    def __init__(self, app: Rota, resources: Mapping[Any, Any]) -> None:
        super().__init__(app.make_store)
        self._app = app
        self.resources = resources

    def prepare(self) -> None:
        """Open the store, with the schedules of the code; in any thread, since it takes milliseconds."""
        self._portal.run(self._app.schedules.store_declared(self.store()))


class _Recording:
    """Takes submissions as they are, on no connection of the caller's."""

    def __init__(self, connection: PrivateConnection) -> None:
        self._connection = connection

    def submit(self, submissions: Sequence[Submission]) -> list[Submitted]:
        """Take what synchronous code enqueues."""
        return self._connection.submit(submissions, None)

    async def submit_async(self, submissions: Sequence[Submission]) -> list[Submitted]:
        """Take what asynchronous code enqueues."""
        return await self._connection.submit_async(submissions, None)


def given_resources(app: Rota) -> Mapping[Any, Any]:
    """Return the resources that are there already: those of the attempt that runs here, or of the test."""
    attempt = running.get()
    if attempt is not None and attempt.task.registry is app.registry:
        return attempt.resources
    return app.connection.resources if isinstance(app.connection, PrivateConnection) else {}
