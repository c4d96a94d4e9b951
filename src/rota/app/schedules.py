"""`app.schedules`: when tasks run, stored under ids."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import msgspec

from rota.app.job import Job
from rota.engine.submitter import SubmitOptions
from rota.model.errors import ArgumentsError, ConfigurationError
from rota.model.schedule import ScheduleRecord
from rota.operations import history as past
from rota.operations import schedules as operations
from rota.policy.overlap import check_policies
from rota.ports.store import Store
from rota.triggers.base import Trigger

if TYPE_CHECKING:
    from rota.app.rota import Rota
    from rota.app.task import AppTask

__all__ = ["Policies", "Schedules"]

_NOT_OURS = ("run_at", "delay", "unique", "unique_for")
_LONGEST_ID = 512


class Policies(TypedDict, total=False):
    """How a schedule ticks.

    Args:
        catch_up: what happens to moments that were missed: "one" (the latest runs), "all" (each runs, the
            oldest first, at most 100) or "none" (they are recorded only).
        overlap: what a tick does while an earlier job of the schedule has not finished: "skip", "queue",
            "cancel_running" or "allow".
        grace: a moment that came longer ago than this is missed, whatever `catch_up` says.
        name: what people read; the id where there is none.
    """

    catch_up: str
    overlap: str
    grace: timedelta | None
    name: str


class Schedules:
    """The schedules of an app's store. Every verb has a twin for asynchronous code, named with `_async`."""

    def __init__(self, app: "Rota") -> None:
        self._app = app
        self._declared: dict[str, Callable[[], ScheduleRecord]] = {}

    def add(
        self,
        task: "AppTask[Any, Any] | str",
        trigger: Trigger,
        *,
        id: str,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: SubmitOptions | None = None,
        **policies: Unpack[Policies],
    ) -> str:
        """Store a schedule, idempotent by id.

        Args:
            task: a task of this app, or its name.
            trigger: when it runs.
            id: under which it is stored.
            args: what the task is called with, by position.
            kwargs: what the task is called with, by name.
            options: rank, key, tags, queue ... of its jobs.
            policies: see `Policies`.

        Returns:
            "created", "unchanged", or "changed: " and what changed.

        Raises:
            ArgumentsError: the arguments do not fit the task.
            ConfigurationError: the id belongs to another task, or a policy is unknown.
        """
        record = self.make(task, trigger, id=id, args=args, kwargs=kwargs, options=options, **policies)
        return self._app.connection.run("add", lambda store: operations.declare(store, record))

    async def add_async(
        self,
        task: "AppTask[Any, Any] | str",
        trigger: Trigger,
        *,
        id: str,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: SubmitOptions | None = None,
        **policies: Unpack[Policies],
    ) -> str:
        """Store a schedule, idempotent by id (see `add`)."""
        record = self.make(task, trigger, id=id, args=args, kwargs=kwargs, options=options, **policies)
        return await self._app.connection.run_async(lambda store: operations.declare(store, record))

    def add_many(self, schedules: Sequence[ScheduleRecord]) -> dict[str, str]:
        """Store many schedules made by `make`, idempotent by id; returns what became of each (see `add`)."""
        return self._app.connection.run("add_many", lambda store: operations.declare_many(store, schedules))

    async def add_many_async(self, schedules: Sequence[ScheduleRecord]) -> dict[str, str]:
        """Store many schedules made by `make` (see `add_many`)."""
        return await self._app.connection.run_async(lambda store: operations.declare_many(store, schedules))

    def list(self) -> Sequence[ScheduleRecord]:
        """Return all schedules, by id."""
        return self._app.connection.run("list", lambda store: store.schedules.list())

    async def list_async(self) -> Sequence[ScheduleRecord]:
        """Return all schedules, by id."""
        return await self._app.connection.run_async(lambda store: store.schedules.list())

    def remove(self, id: str) -> bool:
        """Delete a schedule; False when there is none."""
        return self._app.connection.run("remove", lambda store: operations.remove(store, id))

    async def remove_async(self, id: str) -> bool:
        """Delete a schedule; False when there is none."""
        return await self._app.connection.run_async(lambda store: operations.remove(store, id))

    def pause(self, id: str, *, by: str = "app", why: str = "") -> bool:
        """Stop a schedule's ticks; False when it was paused already.

        Raises:
            NotFoundError: there is none.
        """
        return self._app.connection.run("pause", lambda store: operations.pause(store, id, by=by, why=why))

    async def pause_async(self, id: str, *, by: str = "app", why: str = "") -> bool:
        """Stop a schedule's ticks (see `pause`)."""
        return await self._app.connection.run_async(lambda store: operations.pause(store, id, by=by, why=why))

    def resume(self, id: str) -> bool:
        """Let a paused schedule tick again, in its phase; False when it was not paused.

        Raises:
            NotFoundError: there is none.
        """
        return self._app.connection.run("resume", lambda store: operations.resume(store, id))

    async def resume_async(self, id: str) -> bool:
        """Let a paused schedule tick again (see `resume`)."""
        return await self._app.connection.run_async(lambda store: operations.resume(store, id))

    def backfill(self, id: str, first: datetime, last: datetime) -> int:
        """Run the moments from `first` to `last` that have had no job, oldest first; returns how many.

        Raises:
            NotFoundError: there is no such schedule.
            ConfigurationError: a moment is without a zone, the range is empty or not past.
        """
        return self._app.connection.run("backfill", lambda store: past.backfill(store, id, first, last))

    async def backfill_async(self, id: str, first: datetime, last: datetime) -> int:
        """Run moments of the past (see `backfill`)."""
        return await self._app.connection.run_async(lambda store: past.backfill(store, id, first, last))

    def force(self, name: str) -> Job[Any]:
        """Run a schedule now, by id or task name; its ticks stay as they are.

        Raises:
            NotFoundError: there is none of this name, or several.
        """
        stored = self._app.connection.run("force", lambda store: operations.force(store, name))
        return Job(self._app.connection, stored.id, created=stored.created)

    async def force_async(self, name: str) -> Job[Any]:
        """Run a schedule now (see `force`)."""
        stored = await self._app.connection.run_async(lambda store: operations.force(store, name))
        return Job(self._app.connection, stored.id, created=stored.created)

    def declare(self, id_: str, make: Callable[[], ScheduleRecord]) -> None:
        """Note a schedule of the code; it is made and stored when a scheduler starts.

        Raises:
            ConfigurationError: the code has two schedules of this id.
        """
        if id_ in self._declared:
            raise ConfigurationError([f"two schedules have the id {id_!r}; give each its own"])
        self._declared[id_] = make

    def declared(self) -> Sequence[ScheduleRecord]:
        """Return the schedules of the code as they would be stored."""
        return [make() for make in self._declared.values()]

    async def store_declared(self, store: Store) -> dict[str, str]:
        """Store the schedules of the code; returns what became of each."""
        return await operations.declare_many(store, self.declared())

    def make(
        self,
        task: "AppTask[Any, Any] | str",
        trigger: Trigger,
        *,
        id: str,
        source: str = "api",
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: SubmitOptions | None = None,
        **policies: Unpack[Policies],
    ) -> ScheduleRecord:
        """Return a checked schedule that is not stored yet (see `add`)."""
        definition = self._app.registry.get(task if isinstance(task, str) else task.name)
        _check_id(definition.name, id)
        chosen = options or SubmitOptions()
        _check_options(definition.name, chosen)
        record = ScheduleRecord(
            id=id,
            task=definition.name,
            queue=chosen.queue or definition.queue,
            executor=definition.executor,
            trigger=trigger.in_zone(self._app.settings.zone).to_json(),
            payload=definition.encode(args, kwargs or {}),
            options={"rank": definition.rank, **_plain(chosen)},
            source=source,
            app=self._app.name if source == "code" else "",
            **policies,
        )
        check_policies(id, record.catch_up, record.overlap)
        _check_grace(record)
        return record


def _plain(options: SubmitOptions) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(options)
    plain.pop("queue", None)
    return plain


def _check_id(task: str, id_: str) -> None:
    if not id_ or "\0" in id_ or len(id_) > _LONGEST_ID:
        raise ArgumentsError(
            task, "id", f"{id_!r:.80} is not usable", f"Give 1 to {_LONGEST_ID} characters without NUL"
        )


def _check_options(task: str, options: SubmitOptions) -> None:
    if isinstance(options.expires, datetime):
        remedy = "Give a timedelta: how long after its tick a job may start"
        raise ArgumentsError(task, "expires", "one moment does not fit many ticks", remedy)
    for name in _NOT_OURS:
        if getattr(options, name) is not None:
            raise ArgumentsError(
                task,
                name,
                "a schedule's jobs cannot have it",
                "The trigger says when they run, overlap= whether they run beside each other",
            )


def _check_grace(record: ScheduleRecord) -> None:
    grace: Any = record.grace
    if grace is not None and (not isinstance(grace, timedelta) or grace < timedelta(0)):
        remedy = "Give a timedelta, 0 or more"
        raise ArgumentsError(record.task, "grace", f"{grace!r} is no span of time", remedy)
