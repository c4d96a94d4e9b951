"""Traces by OpenTelemetry: from submit to run, across processes, by headers that travel with the job (W3C).

Spans go where the program's own set-up sends them; without one nothing is recorded and nothing travels.
"""

import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from msgspec import structs
from opentelemetry import context as contexts
from opentelemetry import propagate, trace
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, Tracer, TracerProvider

from rota.definitions.attempt import Attempt
from rota.definitions.registry import Registry
from rota.model.events import Ticked
from rota.model.job import Submission
from rota.model.outcome import Failed, Outcome
from rota.model.schedule import ScheduleRecord

__all__ = ["TracedTicks", "install", "submitting"]

MOST_OPEN = 4096


def install(registry: Registry) -> None:
    """Let every attempt have a span, outside of all middleware, and let child processes know of it."""
    if _attempt not in registry.around_attempt:
        registry.around_attempt.insert(0, _attempt)
        registry.child_context = _within


@contextmanager
def submitting(submissions: Sequence[Submission]) -> Iterator[None]:
    """Have a span around a submit, and send its context along with the jobs; their own headers come first."""
    first = submissions[0]
    attributes = _attributes("submit", first.queue, first.task, first.id)
    if len(submissions) > 1:
        attributes["messaging.batch.message_count"] = len(submissions)
    with _tracer().start_as_current_span(
        f"submit {first.task}", kind=SpanKind.PRODUCER, attributes=attributes
    ):
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        if carrier:
            for submission in submissions:
                submission.headers = carrier | (submission.headers or {})
        yield


class TracedTicks:
    """Gives each tick a span that lasts from its due moment to when it was fired.

    Plans are made ahead, and another scheduler may fire them: only the span of a tick that was fired here is
    ended, and therefore seen.

    Args:
        make_submission: makes the job of a schedule for a due moment.
    """

    def __init__(self, make_submission: Callable[[ScheduleRecord, datetime], Submission]) -> None:
        self._make = make_submission
        self._open: dict[UUID, Span] = {}
        self._lock = threading.Lock()

    def make(self, schedule: ScheduleRecord, due: datetime) -> Submission:
        """Return the job of a tick, with the context of the tick's span; called in threads."""
        submission = self._make(schedule, due)
        attributes = _attributes("submit", submission.queue, submission.task, submission.id)
        nowhere = contexts.Context()
        span = _tracer().start_span(
            f"tick {schedule.id}",
            context=nowhere,
            kind=SpanKind.PRODUCER,
            attributes=attributes | {"rota.schedule": schedule.id, "rota.due": due.isoformat()},
            start_time=int(due.timestamp() * 1_000_000_000),
        )
        carrier: dict[str, str] = {}
        propagate.inject(carrier, context=trace.set_span_in_context(span, nowhere))
        if carrier:
            submission.headers = carrier | (submission.headers or {})
            self._keep(submission.id, span)
        return submission

    def ticked(self, event: Ticked) -> None:
        """End the span of a tick that was fired here."""
        if event.tick.submission is not None:
            with self._lock:
                span = self._open.pop(event.tick.submission.id, None)
            if span is not None:
                span.end()

    def _keep(self, job: UUID, span: Span) -> None:
        with self._lock:
            self._open[job] = span
            if len(self._open) > MOST_OPEN:
                del self._open[next(iter(self._open))]


async def _attempt(attempt: Attempt, call_next: Callable[[Attempt], Awaitable[Outcome]]) -> Outcome:
    """Run an attempt in a span: a child of what submitted the job, and linked to it, as each retry is."""
    job = attempt.job
    sent = propagate.extract(job.headers or {})
    origin = trace.get_current_span(sent).get_span_context()
    token = contexts.attach(sent)
    try:
        with _tracer().start_as_current_span(
            f"run {attempt.task.name}",
            kind=SpanKind.CONSUMER,
            links=[Link(origin)] if origin.is_valid else None,
            attributes=_attributes("process", job.queue, attempt.task.name, job.id)
            | {"rota.attempt": job.attempt, "rota.executor": job.executor},
        ) as span:
            carrier: dict[str, str] = {}
            propagate.inject(carrier)
            if carrier:
                # To a child process, and to whomever the task hands its headers on.
                attempt.job = structs.replace(job, headers={**(job.headers or {}), **carrier})
            outcome = await call_next(attempt)
            _tell(span, attempt, outcome)
            return outcome
    finally:
        contexts.detach(token)


def _tell(span: Span, attempt: Attempt, outcome: Outcome) -> None:
    span.set_attribute("rota.outcome", type(outcome).__name__.lower())
    if not isinstance(outcome, Failed):
        return
    fault = outcome.fault
    span.set_status(StatusCode.ERROR, f"{fault.kind}: {fault.message}"[:200])
    span.set_attribute("error.type", fault.kinds[0] if fault.kinds else fault.kind)
    if attempt.error is not None:
        span.record_exception(attempt.error)
    else:
        # It came from another process, as data.
        details = {
            "exception.type": fault.kinds[0] if fault.kinds else fault.kind,
            "exception.message": fault.message,
            "exception.stacktrace": fault.traceback,
        }
        span.add_event("exception", details)


@contextmanager
def _within(headers: Mapping[str, str]) -> Iterator[None]:
    """Make the span that sent these headers the current one, in another process."""
    token = contexts.attach(propagate.extract(headers))
    try:
        yield
    finally:
        contexts.detach(token)


def _attributes(operation: str, queue: str, task: str, job: UUID) -> dict[str, Any]:
    """Return what OpenTelemetry's conventions for messaging ask for, and the task."""
    return {
        "messaging.system": "rota",
        "messaging.operation.name": operation,
        "messaging.destination.name": queue,
        "messaging.message.id": str(job),
        "rota.task": task,
    }


def _tracer() -> Tracer:
    return _tracer_of(trace.get_tracer_provider())


@lru_cache(1)
def _tracer_of(provider: TracerProvider) -> Tracer:
    return provider.get_tracer("rota")
