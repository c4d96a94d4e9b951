"""All that one app declares: tasks by name, resources, middleware, limits of queues."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rota.definitions.attempt import Attempt
from rota.definitions.notices import Notices
from rota.definitions.resources import Resource
from rota.definitions.secret import Keyring
from rota.definitions.task import Task
from rota.model.errors import ConfigurationError, DuplicateTaskError, UnknownTaskError
from rota.model.job import Submission
from rota.model.outcome import Outcome

__all__ = ["AttemptMiddleware", "Registry", "SubmitMiddleware"]

AttemptMiddleware = Callable[[Attempt, Callable[[Attempt], Awaitable[Outcome]]], Awaitable[Outcome]]
"""Wraps an attempt: calls the next with the attempt, and returns its outcome or another."""

SubmitMiddleware = Callable[[Submission, Callable[[Submission], Submission]], Submission]
"""Wraps a submit: passes a submission on, changed or not, or raises to refuse it."""


class Registry:
    """What an app's definitions are kept in.

    `child_context` makes, of a job's headers, what its attempt is to find around it in a child process, where
    middleware does not reach.
    """

    def __init__(self, keyring: Keyring | None = None) -> None:
        self.keyring = keyring or Keyring()
        self.payload_limit = 256 * 1024
        self.result_limit = 1024 * 1024
        self.log_limit = 1024 * 1024
        self.tasks: dict[str, Task[Any, Any]] = {}
        self.resources: dict[Any, Resource] = {}
        self.queue_limits: dict[str, int] = {}
        self.notices = Notices()
        self.around_attempt: list[AttemptMiddleware] = []
        self.around_submit: list[SubmitMiddleware] = []
        self.child_context: Callable[[Mapping[str, str]], AbstractContextManager[None]] = _no_context
        self._by_alias: dict[str, Task[Any, Any]] = {}

    def add(self, task: Task[Any, Any]) -> None:
        """Register a task.

        Raises:
            DuplicateTaskError: its name or an alias is taken.
        """
        for name in (task.name, *task.aliases):
            other = self.find(name)
            if other is not None:
                raise DuplicateTaskError(name, other.place, task.place)
        self.tasks[task.name] = task
        for alias in task.aliases:
            self._by_alias[alias] = task

    def find(self, name: str) -> Task[Any, Any] | None:
        """Return the task of a name or alias, or None."""
        return self.tasks.get(name) or self._by_alias.get(name)

    def get(self, name: str) -> Task[Any, Any]:
        """Return the task of a name or alias.

        Raises:
            UnknownTaskError: there is none.
        """
        task = self.find(name)
        if task is None:
            raise UnknownTaskError(name, self.tasks)
        return task

    def provide(self, resource: Resource) -> None:
        """Register what parameters of the resource's type are filled with."""
        if resource.kind in self.resources:
            raise ConfigurationError(
                [f"two resources provide {resource.kind!r}; wrap one in a class of its own"]
            )
        self.resources[resource.kind] = resource

    def queues(self) -> tuple[str, ...]:
        """Return the queues that the tasks name, in order of declaration."""
        return tuple(dict.fromkeys(task.queue for task in self.tasks.values()))

    def faults(self) -> list[str]:
        """Return every fault of the definitions at once."""
        found: list[str] = []
        for task in self.tasks.values():
            try:
                task.arguments  # noqa: B018 - making the codec is the check
            except ConfigurationError as error:
                found.extend(error.faults)
        return found

    def pass_submission(self, submission: Submission) -> Submission:
        """Send a submission through the middleware around submit."""
        return _fold(self.around_submit, submission)


def _no_context(_headers: Mapping[str, str]) -> AbstractContextManager[None]:
    return nullcontext()


def _fold(middleware: Iterable[SubmitMiddleware], submission: Submission) -> Submission:
    call: Callable[[Submission], Submission] = _same
    for layer in reversed(list(middleware)):
        call = _bind(layer, call)
    return call(submission)


def _bind(
    layer: SubmitMiddleware, inner: Callable[[Submission], Submission]
) -> Callable[[Submission], Submission]:
    return lambda submission: layer(submission, inner)


def _same(submission: Submission) -> Submission:
    return submission
