"""A task in the user's hands: callable as the function it is, and enqueued by its verbs."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, Never, ParamSpec, TypeVar

from rota.app.job import Job
from rota.definitions.task import Task
from rota.engine.submitter import SubmitOptions, make_submissions
from rota.model.errors import UnknownOptionError
from rota.model.job import Submission

if TYPE_CHECKING:
    from rota.app.rota import Rota

__all__ = ["AppTask", "Submitter"]

_UNNAMED: Mapping[str, Any] = {}

P = ParamSpec("P")
R = TypeVar("R")


class Submitter(Generic[P, R]):
    """The verbs that enqueue a task, with one set of options."""

    def __init__(
        self,
        app: "Rota",
        definition: Task[P, R],
        options: SubmitOptions | None = None,
        connection: Any = None,
    ) -> None:
        self.app = app
        self._options = options or SubmitOptions()
        self._connection = connection
        self.definition = definition

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Job[R]:
        """Store one job.

        Raises:
            ArgumentsError: the arguments do not fit the task; nothing is stored.
            StoreUnavailableError: the store cannot be reached.
            WrongThreadError: this thread runs an event loop; use `enqueue_async`.
        """
        return self._submit([self.submission(args, kwargs)])[0]

    async def enqueue_async(self, *args: P.args, **kwargs: P.kwargs) -> Job[R]:
        """Store one job (see `enqueue`)."""
        return (await self._submit_async([self.submission(args, kwargs)]))[0]

    def enqueue_many(self, arguments: Iterable[tuple[Any, ...] | Mapping[str, Any]]) -> list[Job[R]]:
        """Store many jobs in one round trip, all or none.

        Args:
            arguments: for each job, its positional arguments as a tuple or its named ones as a mapping.
        """
        self.app.connection.refuse_in_loop("enqueue_many")
        return self._submit(self._submissions(arguments))

    async def enqueue_many_async(
        self, arguments: Iterable[tuple[Any, ...] | Mapping[str, Any]]
    ) -> list[Job[R]]:
        """Store many jobs in one round trip (see `enqueue_many`)."""
        return await self._submit_async(self._submissions(arguments))

    def submission(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Submission:
        """Return the checked submission that `enqueue` would store."""
        return make_submissions(self.app.registry, self.definition, [(args, kwargs)], self._options)[0]

    def _submissions(self, arguments: Iterable[tuple[Any, ...] | Mapping[str, Any]]) -> list[Submission]:
        each = [((), item) if isinstance(item, Mapping) else (tuple(item), _UNNAMED) for item in arguments]
        return make_submissions(self.app.registry, self.definition, each, self._options)

    def _submit(self, submissions: list[Submission]) -> list[Job[R]]:
        if not submissions:
            return []
        stored = self.app.submit(submissions, self._connection)
        return [Job(self.app.connection, one.id, self.definition, created=one.created) for one in stored]

    async def _submit_async(self, submissions: list[Submission]) -> list[Job[R]]:
        if not submissions:
            return []
        stored = await self.app.submit_async(submissions, self._connection)
        return [Job(self.app.connection, one.id, self.definition, created=one.created) for one in stored]


class AppTask(Submitter[P, R]):
    """What `@app.task` makes of a function. Calling it runs the function here, as if it were not a task."""

    def __init__(self, app: "Rota", definition: Task[P, R]) -> None:
        super().__init__(app, definition)
        self.name = definition.name
        self.__name__ = definition.name
        self.__doc__ = definition.function.__doc__
        self.__module__ = definition.function.__module__
        self.__wrapped__ = definition.function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Run the function itself, without a job."""
        return self.definition.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<task {self.name!r}>"

    def options(
        self,
        *,
        queue: str | None = None,
        rank: int | None = None,
        run_at: datetime | None = None,
        delay: timedelta | float | None = None,
        key: str | None = None,
        tags: dict[str, str] | None = None,
        unique: str | None = None,
        unique_for: timedelta | None = None,
        expires: timedelta | datetime | None = None,
        max_attempts: int | None = None,
        headers: dict[str, str] | None = None,
        connection: Any = None,
        **unknown: Never,
    ) -> Submitter[P, R]:
        """Return the verbs that enqueue this task with options (see `SubmitOptions`).

        Args:
            queue: where it waits.
            rank: lower runs first.
            run_at: not before this moment (aware).
            delay: not before this long after the submit, as a `timedelta` or in seconds.
            key: the tenant or resource by which it is limited.
            tags: for filters.
            unique: no second live job of this task with the same text.
            unique_for: the text stays taken this long after the submit, also when the job has finished.
            expires: it must start within this time, or by this moment.
            max_attempts: how many tries in all, instead of the task's own rule's number.
            headers: travel with the job (trace context, user).
            connection: enqueue inside the transaction of this connection of your own (asyncpg, psycopg,
                sqlite3 or SQLAlchemy); the job is there when you commit.
            unknown: none; a name that is no option raises `UnknownOptionError`.
        """
        _refuse(self.name, unknown)
        options = SubmitOptions(
            queue=queue,
            rank=rank,
            run_at=run_at,
            delay=timedelta(seconds=delay) if isinstance(delay, int | float) else delay,
            key=key,
            tags=tags,
            unique=unique,
            unique_for=unique_for,
            expires=expires,
            max_attempts=max_attempts,
            headers=headers,
        )
        return Submitter(self.app, self.definition, options, connection)


def _refuse(task: str, unknown: Mapping[str, Never]) -> None:
    if unknown:
        known = (*SubmitOptions.__struct_fields__, "connection")
        raise UnknownOptionError(f"task {task!r}", next(iter(unknown)), known)
