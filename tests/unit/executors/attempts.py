"""Attempts as an engine would make them, for tests of executors."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rota.definitions.attempt import Attempt
from rota.definitions.registry import Registry
from rota.definitions.task import Task
from rota.model.events import LogEntry, Progress
from rota.model.ids import new_id, new_token
from rota.model.job import ClaimedJob


class Diary:
    """A journal that keeps what is written, and lets a test wait for it from its event loop or thread."""

    def __init__(self) -> None:
        self.lines: list[LogEntry] = []
        self.steps: list[Progress] = []
        self._written = threading.Condition()

    def log(self, entry: LogEntry) -> None:
        with self._written:
            self.lines.append(entry)
            self._written.notify_all()

    def progress(self, entry: Progress) -> None:
        with self._written:
            self.steps.append(entry)
            self._written.notify_all()

    @property
    def messages(self) -> list[str]:
        return [line.message for line in self.lines]

    def wait_for(self, message: str) -> None:
        """Block until a line of this text is there; fails after half a minute."""
        with self._written:
            assert self._written.wait_for(lambda: message in self.messages, timeout=30), self.messages

    def wait_for_step(self, done: int) -> None:
        """Block until this much progress was told; fails after half a minute."""
        with self._written:
            assert self._written.wait_for(lambda: done in [step.done for step in self.steps], timeout=30)


def claimed(task: Task[Any, Any], payload: bytes = b"{}") -> ClaimedJob:
    """Make a job of a task as a store would hand it out."""
    return ClaimedJob(
        id=new_id(),
        token=new_token(),
        queue=task.queue,
        executor=task.executor,
        task=task.name,
        payload=payload,
        codec="json",
        attempt=1,
        crashes=0,
        crashes_alone=0,
        max_attempts=None,
        rank=0,
        key=None,
        headers={"user": "ada"},
        parent=None,
        root=None,
        schedule=None,
        due=None,
        options=None,
        submitted_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def attempt_at(task: Task[Any, Any], *args: Any, diary: Diary | None = None, **kwargs: Any) -> Attempt:
    """Make an attempt at a job of a task with these arguments."""
    job = claimed(task, task.encode(args, kwargs))
    return Attempt(job, task, journal=diary or Diary(), resources={})


def attempt_to(
    function: Callable[..., Any], *args: Any, executor: str | None = None, diary: Diary | None = None
) -> Attempt:
    """Make an attempt at a job of a function that becomes a task of a registry of its own."""
    registry = Registry()
    task: Task[Any, Any] = Task(registry, function, executor=executor)
    registry.add(task)
    return attempt_at(task, *args, diary=diary)
