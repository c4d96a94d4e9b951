"""`Rota`: one app, its tasks and its store."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, Protocol, TypeVar, overload
from urllib.parse import urlsplit
from uuid import UUID

from rota.app.connection import Connection
from rota.app.job import Job
from rota.app.locate import calling_module, remember
from rota.app.schedules import Schedules
from rota.app.task import AppTask
from rota.app.tracing import trace_submit
from rota.definitions.notices import KINDS
from rota.definitions.registry import AttemptMiddleware, Registry, SubmitMiddleware
from rota.definitions.resources import Resource
from rota.definitions.secret import Keyring
from rota.definitions.task import Task
from rota.model.clock import Clock
from rota.model.errors import ConfigurationError, SubmitUncertainError, UnknownOptionError, UnknownTaskError
from rota.model.job import Submission, Submitted
from rota.ports.store import Store
from rota.settings import Settings, load_settings
from rota.triggers.base import Trigger

__all__ = ["Interceptor", "Rota"]

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

_TASK_OPTIONS = (
    "name",
    "queue",
    "executor",
    "retry",
    "timeout",
    "rank",
    "limit",
    "key_limit",
    "result_ttl",
    "late",
    "expires",
    "aliases",
    "on_success",
    "on_failure",
)


class Interceptor(Protocol):
    """Takes submissions in place of the store, on no connection of the caller's."""

    def submit(self, submissions: Sequence[Submission]) -> list[Submitted]:
        """Take what synchronous code enqueues."""
        ...

    async def submit_async(self, submissions: Sequence[Submission]) -> list[Submitted]:
        """Take what asynchronous code enqueues."""
        ...


class _Decorator:
    """What `app.task(...)` returns: typed by the function that it is put on."""

    def __init__(self, app: "Rota", options: dict[str, Any]) -> None:
        self._app = app
        self._options = options

    @overload
    def __call__(self, function: Callable[P, Awaitable[R]]) -> AppTask[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R]) -> AppTask[P, R]: ...
    def __call__(self, function: Callable[P, Any]) -> AppTask[P, Any]:
        return self._app.add_task(function, self._options)


class Rota:
    """An app: tasks by name, and the store where their jobs live.

        app = Rota("sqlite:///rota.db")

        @app.task(queue="mail")
        async def send(to: str) -> str: ...

    Args:
        url: the store, `sqlite:///file.db` or `postgresql://user@host/database`; without it ROTA_URL, else
            `sqlite:///rota.db`. Nothing is opened before the first job.
        settings: a whole settings value, instead of files, environment and `options`.
        options: single settings (see `rota.settings.Settings`).

    Raises:
        ConfigurationError: a setting is at fault; every fault is named.
    """

    def __init__(self, url: str | None = None, *, settings: Settings | None = None, **options: Any) -> None:
        self.settings = settings or load_settings({"url": url, **options})
        self.name = self.settings.name or calling_module()
        self.registry = Registry(
            Keyring([key.strip() for key in self.settings.keys.split(",") if key.strip()])
        )
        self.registry.payload_limit = self.settings.payload_limit
        self.registry.result_limit = self.settings.result_limit
        self.registry.log_limit = self.settings.log_limit
        self.connection = Connection(self.make_store)
        self.schedules = Schedules(self)
        self.tasks: dict[str, AppTask[..., Any]] = {}
        self.clock: Clock | None = None  # tests set one; otherwise the store has its own
        self._interceptors: list[Interceptor] = []
        if self.settings.notify_url:
            secrets = [key.strip() for key in self.settings.notify_secret.split(",") if key.strip()]
            self.notify(self.settings.notify_url, secret=secrets)
        remember(self)

    def __repr__(self) -> str:
        return f"<Rota with {len(self.tasks)} tasks>"

    @overload
    def task(self, function: Callable[P, Awaitable[R]], /) -> AppTask[P, R]: ...
    @overload
    def task(self, function: Callable[P, R], /) -> AppTask[P, R]: ...
    @overload
    def task(self, function: None = None, /, **options: Any) -> _Decorator: ...
    def task(self, function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
        """Make a task of a function; with options (see `Task`) or bare.

        Raises:
            DuplicateTaskError: another task has this name.
            UnknownOptionError: there is no such option.
        """
        for option in options:
            if option not in _TASK_OPTIONS:
                raise UnknownOptionError("app.task", option, _TASK_OPTIONS)
        if function is not None:
            return self.add_task(function, options)
        return _Decorator(self, options)

    def add_task(self, function: Callable[P, Any], options: dict[str, Any]) -> AppTask[P, Any]:
        """Register a function as a task (what `task` does)."""
        definition: Task[P, Any] = Task(self.registry, function, **options)
        self.registry.add(definition)
        task = AppTask(self, definition)
        self.tasks[definition.name] = task
        return task

    def schedule(self, trigger: Trigger, *, id: str, **options: Any) -> "_ScheduleDecorator":
        """Make a task of a function without arguments that runs by a trigger.

        The schedule is stored when a scheduler starts. `options` are those of `task`, and `catch_up`,
        `overlap` and `grace` (see `rota.app.schedules.Policies`).
        """
        return _ScheduleDecorator(self, trigger, id, options)

    def resource(self, factory: F) -> F:
        """Provide what parameters of the factory's return type are filled with, once per worker."""
        self.registry.provide(Resource.of(factory))
        return factory

    def middleware(self, layer: AttemptMiddleware) -> AttemptMiddleware:
        """Wrap every attempt: `async def layer(attempt, call_next) -> Outcome`; the first is outermost."""
        self.registry.around_attempt.append(layer)
        return layer

    def submit_middleware(self, layer: SubmitMiddleware) -> SubmitMiddleware:
        """Wrap every submit: `def layer(submission, call_next) -> Submission`; the first is outermost."""
        self.registry.around_submit.append(layer)
        return layer

    def queue(self, name: str, *, limit: int) -> None:
        """Allow at most `limit` jobs of a queue to run at once, over all workers."""
        if limit < 1:
            raise ConfigurationError([f"queue {name!r}: limit={limit}: give 1 or more"])
        self.registry.queue_limits[name] = limit

    def notify(
        self,
        url: str,
        *,
        secret: str | Iterable[str],
        on: Iterable[str] = KINDS,
        tasks: Iterable[str] = (),
        late_tick: float = 60.0,
        name: str = "",
    ) -> None:
        """Tell an endpoint, by signed webhooks, what goes wrong (docs/notices.md).

        Args:
            url: http or https.
            secret: "whsec_" and base64 of 24 to 64 bytes; several while it is changed, the newest first.
            on: "job.failed", "job.late", "job.expired", "schedule.late", "schedule.missed".
            tasks: only of these; empty: of all.
            late_tick: a schedule's tick is late after so many seconds.
            name: by which its jobs find it; the host of the url without one.

        Raises:
            ConfigurationError: something is at fault; every fault is named.
        """
        from rota.app.notify import add_endpoint  # noqa: PLC0415 - most apps tell nobody

        name = name or urlsplit(url).netloc or url
        add_endpoint(
            self, url, secret=secret, on=tuple(on), tasks=tuple(tasks), late_tick=late_tick, name=name
        )

    def _with_watches(self, submissions: Sequence[Submission]) -> Sequence[Submission]:
        """Add the jobs that look whether these start in time, where somebody wants to be told."""
        notices = self.registry.notices
        return [*submissions, *notices.watches(submissions, self.registry.tasks)] if notices else submissions

    def job(self, job_id: UUID | str) -> Job[Any]:
        """Return the handle of a job by its id; whether it exists shows at its first verb."""
        return Job(self.connection, job_id if isinstance(job_id, UUID) else UUID(job_id))

    def get_task(self, name: str) -> "AppTask[..., Any]":
        """Return a task by name or alias.

        Raises:
            UnknownTaskError: there is none; nearby names are told.
        """
        found = self.registry.find(name)
        if found is None:
            raise UnknownTaskError(name, self.tasks)
        return self.tasks[found.name]

    def submit(self, submissions: Sequence[Submission], connection: Any = None) -> list[Submitted]:
        """Store checked submissions, all or none (what `enqueue` does)."""
        with trace_submit(submissions):
            if self._interceptors:
                return self._interceptors[-1].submit(submissions)
            return self.connection.submit(self._with_watches(submissions), connection)[: len(submissions)]

    async def submit_async(
        self, submissions: Sequence[Submission], connection: Any = None
    ) -> list[Submitted]:
        """Store checked submissions, all or none (what `enqueue_async` does)."""
        with trace_submit(submissions):
            if self._interceptors:
                return await self._interceptors[-1].submit_async(submissions)
            watched = self._with_watches(submissions)
            return (await self.connection.submit_async(watched, connection))[: len(submissions)]

    def resend(self, error: SubmitUncertainError) -> list[Job[Any]]:
        """Send the jobs of a submit whose answer was lost again; never makes a second copy."""
        self.connection.refuse_in_loop("resend")
        stored = self.connection.submit(error.submissions, None, resend=True)
        return [Job(self.connection, one.id, created=one.created) for one in stored]

    async def resend_async(self, error: SubmitUncertainError) -> list[Job[Any]]:
        """Send the jobs of a submit whose answer was lost again (see `resend`)."""
        stored = await self.connection.submit_async(error.submissions, None, resend=True)
        return [Job(self.connection, one.id, created=one.created) for one in stored]

    def make_store(self) -> Store:
        """Make a store of the app's settings, not opened yet; it belongs to the event loop that opens it."""
        from rota.wiring import make_store  # noqa: PLC0415 - it knows every engine part; enqueueing needs none

        return make_store(self.settings, self.clock)

    def faults(self) -> list[str]:
        """Return every fault of the app's definitions at once; `rota check` prints them."""
        return self.registry.faults()

    def close(self) -> None:
        """Release the store's connections; the next verb opens them again."""
        self.connection.close()

    def cli(self, arguments: Iterable[str] | None = None) -> None:
        """Be the command line of this app: `python main.py run | worker | scheduler run | ...`."""
        from rota.cli.main import main  # noqa: PLC0415 - only commands need the command line

        main(list(arguments) if arguments is not None else None, app=self)

    @contextmanager
    def intercept(self, interceptor: Interceptor) -> Iterator[None]:
        """Let tests take submissions instead of the store, the latest first (see `rota.testing`)."""
        self._interceptors.append(interceptor)
        try:
            yield
        finally:
            self._interceptors.remove(interceptor)


class _ScheduleDecorator:
    """What `app.schedule(...)` returns."""

    def __init__(self, app: Rota, trigger: Trigger, id_: str, options: dict[str, Any]) -> None:
        self._app = app
        self._trigger = trigger
        self._id = id_
        self._policies: Any = {
            name: options.pop(name) for name in ("catch_up", "overlap", "grace") if name in options
        }
        self._options = options

    def __call__(self, function: Callable[P, Any]) -> AppTask[P, Any]:
        task = self._app.task(**self._options)(function)
        schedules = self._app.schedules
        schedules.declare(
            self._id,
            lambda: schedules.make(task, self._trigger, id=self._id, source="code", **self._policies),
        )
        return task
