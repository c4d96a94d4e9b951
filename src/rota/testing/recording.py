"""Looking at what was enqueued."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from rota.app.job import Job
from rota.app.rota import Rota
from rota.app.task import AppTask
from rota.definitions.task import Task
from rota.model.job import JobFilter, JobRecord
from rota.model.states import State
from rota.ports.store import Store

__all__ = ["Enqueued", "enqueued", "enqueued_async"]

_PAGE = 1000


class Enqueued(Struct, frozen=True):
    """A job that was enqueued.

    Attributes:
        job: its handle.
        arguments: what the task will be called with, by parameter, as it arrives there.
        record: all that the store knows: `task`, `queue`, `rank`, `key`, `tags`, `run_at`, `state` and more.
    """

    job: Job[Any]
    arguments: dict[str, Any]
    record: JobRecord


def enqueued(
    what: Rota | AppTask[Any, Any],
    *,
    arguments: Mapping[str, Any] | None = None,
    queue: str | None = None,
    key: str | None = None,
    tags: Mapping[str, str] | None = None,
    states: Collection[State | str] = (),
) -> list[Enqueued]:
    """Return the jobs of an app or of one task, in the order in which they were enqueued.

        (job,) = enqueued(send, arguments={"to": "ada@example.org"})
        assert job.record.queue == "mail"

    Args:
        what: the app or the task.
        arguments: only jobs with these; others that they have do not matter.
        queue: only jobs of this queue.
        key: only jobs of this key.
        tags: only jobs with these; others that they have do not matter.
        states: only jobs in one of these, such as "ready"; without it finished ones too.
    """
    app, which = _filter(what, queue, key, states)
    records = app.connection.run("enqueued", lambda store: _records(store, which))
    return _matching(app, records, arguments or {}, tags or {})


async def enqueued_async(
    what: Rota | AppTask[Any, Any],
    *,
    arguments: Mapping[str, Any] | None = None,
    queue: str | None = None,
    key: str | None = None,
    tags: Mapping[str, str] | None = None,
    states: Collection[State | str] = (),
) -> list[Enqueued]:
    """Return the jobs of an app or of one task (see `enqueued`)."""
    app, which = _filter(what, queue, key, states)
    records = await app.connection.run_async(lambda store: _records(store, which))
    return _matching(app, records, arguments or {}, tags or {})


def _filter(
    what: Rota | AppTask[Any, Any], queue: str | None, key: str | None, states: Collection[State | str]
) -> tuple[Rota, JobFilter]:
    app, task = (what, None) if isinstance(what, Rota) else (what.app, what.name)
    wanted = frozenset(State(state) for state in states)
    return app, JobFilter(task=task, queue=queue, key=key, states=wanted)


async def _records(store: Store, which: JobFilter) -> list[JobRecord]:
    found = page = await store.insight.jobs(which, limit=_PAGE)
    while len(page) == _PAGE:
        page = await store.insight.jobs(which, limit=_PAGE, before=page[-1].id)
        found = found + page
    return found[::-1]


def _matching(
    app: Rota, records: list[JobRecord], arguments: Mapping[str, Any], tags: Mapping[str, str]
) -> list[Enqueued]:
    found = []
    for record in records:
        task = app.registry.find(record.task)
        values = _arguments(task, record)
        if arguments.items() <= values.items() and tags.items() <= (record.tags or {}).items():
            found.append(Enqueued(Job(app.connection, record.id, task), values, record))
    return found


def _arguments(task: Task[Any, Any] | None, record: JobRecord) -> dict[str, Any]:
    if task is None:
        values: dict[str, Any] = msgspec.json.decode(record.payload)
        return values
    return task.arguments.named(record.payload)
