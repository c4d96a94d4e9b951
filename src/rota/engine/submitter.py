"""Turns a task, its arguments and options into a submission: checked before anything is stored."""

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from rota.definitions.attempt import running
from rota.definitions.registry import Registry
from rota.definitions.task import Task
from rota.model.errors import ArgumentsError
from rota.model.ids import new_ids
from rota.model.job import Submission

__all__ = ["SubmitOptions", "make_submissions", "model_of", "pass_on"]

INT64 = range(-(2**63), 2**63)
LONGEST_TEXT = 512


class SubmitOptions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one job is submitted; None leaves the task's own value.

    Args:
        queue: where it waits.
        rank: lower runs first.
        run_at: not before this moment (aware).
        delay: not before this long after the submit.
        key: the tenant or resource by which it is limited.
        tags: for filters.
        unique: no second live job of this task with the same text.
        unique_for: the text stays taken for this long after the submit, also when the job has finished.
        expires: it must start within this time, or by this moment.
        max_attempts: how many tries in all, instead of the task's retry rule's number.
        headers: travel with the job (trace context, user).
    """

    queue: str | None = None
    rank: int | None = None
    run_at: datetime | None = None
    delay: timedelta | None = None
    key: str | None = None
    tags: dict[str, str] | None = None
    unique: str | None = None
    unique_for: timedelta | None = None
    expires: timedelta | datetime | None = None
    max_attempts: int | None = None
    headers: dict[str, str] | None = None


def make_submissions(
    registry: Registry,
    task: Task[Any, Any],
    arguments: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]],
    options: SubmitOptions,
) -> list[Submission]:
    """Make submissions of one task and pass them through the middleware around submit.

    Args:
        registry: the app's definitions.
        task: what to run.
        arguments: of each job, by position and by name.
        options: of all of them.

    Raises:
        ArgumentsError: arguments or options do not fit; nothing is stored.
    """
    payloads = [task.encode(args, kwargs) for args, kwargs in arguments]
    if not payloads:
        return []
    first = model_of(
        task.name, options, queue=task.queue, executor=task.executor, rank=task.rank, expires=task.expires
    )
    first.payload = payloads[0]
    submissions = [first]
    for job, payload in zip(new_ids(len(payloads) - 1), payloads[1:], strict=True):
        submission = copy(first)
        submission.id, submission.payload = job, payload
        submissions.append(submission)
    return pass_on(registry, submissions)


def pass_on(registry: Registry, submissions: list[Submission]) -> list[Submission]:
    """Pass submissions through the middleware around submit."""
    if registry.around_submit:
        return [registry.pass_submission(submission) for submission in submissions]
    return submissions


def model_of(
    task: str,
    options: SubmitOptions,
    *,
    queue: str,
    executor: str,
    rank: int,
    expires: timedelta | None,
) -> Submission:
    """Return what all jobs of one call share.

    Args:
        task: the name of the task; what follows is the task's own, which options may overrule.
        options: of the call.
        queue: where the task's jobs wait.
        executor: what runs them.
        rank: their rank.
        expires: within which time they must start.

    Raises:
        ArgumentsError: the options do not fit.
    """
    _check_moments(task, options)
    _check_values(task, options)
    until = options.expires if options.expires is not None else expires
    attempt = running.get()
    return Submission(
        task=task,
        payload=b"",
        queue=options.queue or queue,
        executor=executor,
        rank=rank if options.rank is None else options.rank,
        key=options.key,
        tags=options.tags,
        unique_key=None if options.unique is None else f"{task}:{options.unique}",
        unique_for=options.unique_for,
        run_at=options.run_at,
        delay=options.delay,
        expires_at=until if isinstance(until, datetime) else None,
        expires_in=until if isinstance(until, timedelta) else None,
        max_attempts=options.max_attempts,
        headers=options.headers,
        parent=attempt.job.id if attempt else None,
        root=(attempt.job.root or attempt.job.id) if attempt else None,
    )


def _check_moments(task: str, options: SubmitOptions) -> None:
    for name in ("run_at", "expires"):
        moment = getattr(options, name)
        if isinstance(moment, datetime) and moment.tzinfo is None:
            raise ArgumentsError(
                task,
                name,
                f"{moment.isoformat()} has no time zone",
                "Give an aware datetime, for example with tzinfo=UTC",
            )
    if options.run_at is not None and options.delay is not None:
        raise ArgumentsError(task, "delay", "run_at is given as well", "Give one of the two")
    if options.delay is not None and options.delay < timedelta(0):
        raise ArgumentsError(task, "delay", f"{options.delay} is negative", "Give zero or more")
    if options.unique_for is not None and options.unique is None:
        raise ArgumentsError(task, "unique_for", "there is no unique=", "Give both")


def _check_values(task: str, options: SubmitOptions) -> None:
    if options.rank is not None and options.rank not in INT64:
        raise ArgumentsError(task, "rank", f"{options.rank} is beyond 64 bits", "Give a 64-bit integer")
    if options.max_attempts is not None and options.max_attempts < 1:
        raise ArgumentsError(task, "max_attempts", f"{options.max_attempts} is below 1", "Give 1 or more")
    for name in ("queue", "key", "unique"):
        text = getattr(options, name)
        if text is not None and (not text or "\0" in text or len(text) > LONGEST_TEXT):
            raise ArgumentsError(
                task, name, f"{text!r:.80} is not usable", f"Give 1 to {LONGEST_TEXT} characters without NUL"
            )
    for name in ("tags", "headers"):
        for item in (getattr(options, name) or {}).items():
            if not all(isinstance(part, str) and "\0" not in part for part in item):
                raise ArgumentsError(task, name, f"{item!r} is not text", "Give strings without NUL")
