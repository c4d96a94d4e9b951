"""Inline mode: to enqueue is to run."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from msgspec import structs

from rota.app.rota import Rota
from rota.model.job import Submission, Submitted
from rota.testing.draining import work_here, work_here_async
from rota.testing.isolation import PrivateConnection, isolated

__all__ = ["inline"]


@contextmanager
def inline(app: Rota, *, resources: Mapping[Any, Any] | None = None) -> Iterator[None]:
    """Make `enqueue` run the job at once, in the caller, and raise what its task raises.

        with inline(app):
            assert send.enqueue("ada@example.org", subject="Hi").result() == "Hi to ada@example.org"

    Arguments travel through JSON as ever, so that what would not arrive fails here too. A delay is not waited
    for. Plain functions run in the caller's thread, coroutine functions in its loop if one runs. Inside
    `isolated` the jobs stay in that store; otherwise they are gone with the context.

    Args:
        app: whose tasks.
        resources: by type, in place of what the app's factories would make (see `isolated`).
    """
    with ExitStack() as stack:
        if resources is not None or not isinstance(app.connection, PrivateConnection):
            stack.enter_context(isolated(app, resources=resources))
        stack.enter_context(app.intercept(_AtOnce(app)))
        yield


class _AtOnce:
    """Stores submissions as ready jobs and runs them."""

    def __init__(self, app: Rota) -> None:
        self._app = app

    def submit(self, submissions: Sequence[Submission]) -> list[Submitted]:
        """Run what synchronous code enqueues."""
        stored = self._app.connection.submit(_ready(submissions), None)
        work_here(self._app, due=False).check(strict=True)
        return stored

    async def submit_async(self, submissions: Sequence[Submission]) -> list[Submitted]:
        """Run what asynchronous code enqueues."""
        stored = await self._app.connection.submit_async(_ready(submissions), None)
        (await work_here_async(self._app, due=False)).check(strict=True)
        return stored


def _ready(submissions: Sequence[Submission]) -> list[Submission]:
    return [structs.replace(submission, run_at=None, delay=None) for submission in submissions]
