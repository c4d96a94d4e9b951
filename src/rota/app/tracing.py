"""Traces, where the program has loaded OpenTelemetry: nobody else pays for them, or needs the extra."""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from rota.definitions.registry import Registry
from rota.model.events import Ticked
from rota.model.job import Submission

if TYPE_CHECKING:
    # Enqueueing needs neither.
    from rota.engine.announcer import Announcer
    from rota.engine.planning import MakeSubmission

__all__ = ["trace_attempts", "trace_submit", "trace_ticks"]

_NOTHING = nullcontext()


def trace_submit(submissions: Sequence[Submission]) -> AbstractContextManager[None]:
    """Return what to hold while jobs are stored; it sends the trace's context along with them."""
    if not _loaded() or not submissions:
        return _NOTHING
    from rota.telemetry.opentelemetry import submitting  # noqa: PLC0415 - an extra

    return submitting(submissions)


def trace_attempts(registry: Registry) -> None:
    """Let the attempts of a worker, or of its child process, be traced."""
    if _loaded():
        from rota.telemetry.opentelemetry import install  # noqa: PLC0415 - an extra

        install(registry)


def trace_ticks(make_submission: "MakeSubmission", announcer: "Announcer") -> "MakeSubmission":
    """Let the ticks of a scheduler be traced; returns what makes their jobs from now on."""
    if not _loaded():
        return make_submission
    from rota.telemetry.opentelemetry import TracedTicks  # noqa: PLC0415 - an extra

    ticks = TracedTicks(make_submission)
    announcer.subscribe(Ticked, ticks.ticked)
    return ticks.make


def _loaded() -> bool:
    """Tell whether the program uses OpenTelemetry: who sets it up has imported it."""
    return "opentelemetry.trace" in sys.modules
