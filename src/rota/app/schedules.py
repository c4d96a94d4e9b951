"""`app.schedules`: when tasks run, stored under ids."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from rota.app.job import Job
from rota.engine.submitter import SubmitOptions
from rota.model.errors import ConfigurationError
from rota.model.schedule import ScheduleRecord
from rota.operations import schedules as operations
from rota.ports.store import Store
from rota.triggers.base import Trigger

if TYPE_CHECKING:
    from rota.app.rota import Rota
    from rota.app.task import AppTask

__all__ = ["Schedules"]


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
    ) -> str:
        """Store a schedule, idempotent by id.

        Args:
            task: a task of this app, or its name.
            trigger: when it runs.
            id: under which it is stored.
            args: what the task is called with, by position.
            kwargs: what the task is called with, by name.
            options: rank, key, tags, queue ... of its jobs.

        Returns:
            "created", "unchanged", or "changed: " and what changed.

        Raises:
            ArgumentsError: the arguments do not fit the task.
        """
        record = self.record(task, trigger, id, source="api", args=args, kwargs=kwargs, options=options)
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
    ) -> str:
        """Store a schedule, idempotent by id (see `add`)."""
        record = self.record(task, trigger, id, source="api", args=args, kwargs=kwargs, options=options)
        return await self._app.connection.run_async(lambda store: operations.declare(store, record))

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
        return {id_: await operations.declare(store, make()) for id_, make in self._declared.items()}

    def record(
        self,
        task: "AppTask[Any, Any] | str",
        trigger: Trigger,
        id_: str,
        *,
        source: str,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        options: SubmitOptions | None = None,
    ) -> ScheduleRecord:
        """Return a checked schedule that is not stored yet."""
        definition = self._app.registry.get(task if isinstance(task, str) else task.name)
        chosen = msgspec.to_builtins(options or SubmitOptions())
        queue = chosen.pop("queue", None) or definition.queue
        return ScheduleRecord(
            id=id_,
            task=definition.name,
            queue=queue,
            executor=definition.executor,
            trigger=trigger.in_zone(self._app.settings.zone).to_json(),
            payload=definition.encode(args, kwargs or {}),
            options={"rank": definition.rank, **chosen},
            source=source,
        )
