"""Log lines of a process, for people or for machines, and the capture of tasks' own log lines."""

import json
import logging
import sys
import time
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, Protocol, TextIO

from rota.definitions.attempt import running
from rota.model.events import (
    AttemptEnded,
    ClaimLost,
    HookFailed,
    IsolationRefused,
    LoopBlocked,
    OutcomeBlocked,
    Rescued,
    ScheduleFailed,
    ScheduleGone,
    ScheduleSlow,
    ScheduleStored,
    ServiceFailed,
    ServiceRecovered,
    WebStarted,
    WorkerRecycled,
    WorkerStarted,
    WorkerStopped,
)
from rota.model.outcome import Failed, Retried, Snooze

__all__ = ["Capture", "EventSource", "JobFields", "JsonFormatter", "add_job", "listen", "set_up"]

logger = logging.getLogger("rota")

REMIND_EVERY = 60.0


class EventSource(Protocol):
    """What events come from."""

    def subscribe(self, kind: Any, listener: Callable[[Any], None]) -> None:
        """Call `listener` with every event of a kind."""
        ...


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class Capture(logging.Handler):
    """Keeps what a task logs by the standard library's `logging` in the job's own log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record to the running attempt's log, if one runs in this context."""
        attempt = running.get()
        if attempt is None or record.name == "rota" or record.name.startswith("rota."):
            return
        message = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            message += "\n" + logging.Formatter().formatException(record.exc_info)
        attempt.log.write(record.levelname.lower(), message)


class JobFields(logging.Filter):
    """Puts `job`, `task` and `attempt` of the running attempt on records; for handlers of one's own."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, with the three fields on it; they are empty outside of an attempt."""
        record.__dict__.update({"job": "", "task": "", "attempt": 0} | _fields())
        return True


def add_job(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add `job`, `task` and `attempt` of the running attempt to an event, as a processor of structlog.

    `set_up` puts it in front of the others where the program uses structlog.
    """
    for name, value in _fields().items():
        event.setdefault(name, value)
    return event


def _fields() -> dict[str, Any]:
    attempt = running.get()
    if attempt is None:
        return {}
    return {"job": str(attempt.job.id), "task": attempt.task.name, "attempt": attempt.job.attempt}


def _serve_structlog() -> None:
    structlog = sys.modules.get("structlog")
    if structlog is not None:
        # Loggers that are in use already keep this very list.
        processors = structlog.get_config()["processors"]
        if add_job not in processors:
            processors.insert(0, add_job)


def set_up(level: str, form: str, stream: TextIO | None = None) -> None:
    """Send Rota's lines to `stream` (standard error) and tasks' own lines to their jobs.

    Args:
        level: least severe line to print: debug, info, warning or error.
        stream: where lines go; None: standard error.
        form: "json", "console", or "auto": console on a terminal.
    """
    _serve_structlog()
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    if form == "json" or (form == "auto" and not stream.isatty()):
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
    root = logging.getLogger()
    if not any(isinstance(present, Capture) for present in root.handlers):
        root.addHandler(Capture())
        root.setLevel(min(root.level or logging.INFO, logging.INFO))


class _Troubles:
    """Says once that something fails, now and then that it still does, and once that it is over."""

    def __init__(self) -> None:
        self._away: set[str] = set()
        self._away_since = 0.0
        self._said: dict[str, tuple[str, float]] = {}

    def failed(self, event: ServiceFailed) -> None:
        """Take a failed turn. Parts that cannot use the store have one trouble together."""
        now = time.monotonic()
        if not event.away:
            self._say(
                event.service, event.error, now, f"{event.service} failed, goes on trying: {event.error}"
            )
        elif not self._away:
            self._away_since = now
            self._say("", "", now, f"the store is away, goes on trying: {event.error}")
        else:
            self._say("", "", now, f"the store is away for {now - self._away_since:.0f} s: {event.error}")
        if event.away:
            self._away.add(event.service)

    def recovered(self, event: ServiceRecovered) -> None:
        """Take a turn that worked again."""
        if self._said.pop(event.service, None):
            logger.info("%s works again", event.service)
        if event.service in self._away:
            self._away.remove(event.service)
            if not self._away:
                self._said.pop("", None)
                logger.info("the store is back after %.1f s", time.monotonic() - self._away_since)

    def _say(self, subject: str, error: str, now: float, text: str) -> None:
        before, at = self._said.get(subject, (None, 0.0))
        if error != before or now - at >= REMIND_EVERY:
            self._said[subject] = error, now
            logger.warning(text)


def listen(source: EventSource) -> None:
    """Log the engine's events."""
    troubles = _Troubles()
    for kind, listener in (
        (
            WebStarted,
            lambda e: logger.info("dashboard at %s; rota tokens create NAME makes a token for it", e.url),
        ),
        (WorkerStarted, lambda e: logger.info("worker %s serves %s", e.id, ", ".join(e.queues))),
        (WorkerStopped, lambda e: logger.info("worker %s stopped, %d jobs given back", e.id, e.given_back)),
        (ServiceFailed, troubles.failed),
        (ServiceRecovered, troubles.recovered),
        (
            ScheduleFailed,
            lambda e: logger.error(
                "schedule %s cannot tick, again in %.0f s: %s", e.schedule, e.retry_in, e.error
            ),
        ),
        (ScheduleStored, lambda e: logger.info("schedule %s %s", e.schedule, e.what)),
        (
            ScheduleGone,
            lambda e: logger.warning(
                "schedule %s is no longer in the code of %s: it is paused", e.schedule, e.app
            ),
        ),
        (
            ScheduleSlow,
            lambda e: logger.warning("the trigger of schedule %s took %.1f s", e.schedule, e.seconds),
        ),
        (Rescued, lambda e: logger.warning("took back %d jobs of silent owners", len(e.ids))),
        (
            IsolationRefused,
            lambda e: logger.warning("%s cannot run alone in a process, and does not: %s", e.task, e.reason),
        ),
        (HookFailed, lambda e: logger.error("hook of %s failed for job %s: %s", e.task, e.id, e.error)),
        (
            WorkerRecycled,
            lambda e: logger.info("worker %s finishes what runs and is replaced: %s", e.id, e.reason),
        ),
        (LoopBlocked, _loop_blocked),
        (ClaimLost, _claim_lost),
        (OutcomeBlocked, _outcome_blocked),
        (AttemptEnded, _attempt_ended),
    ):
        source.subscribe(kind, listener)


def _loop_blocked(event: LoopBlocked) -> None:
    whose = f"job {event.job} of {event.task}" if event.job is not None else "something"
    logger.warning(
        "%s has blocked the event loop for %.1f s, and with it all other coroutines: %s",
        whose,
        event.seconds,
        event.where,
        extra={"fields": {"job": str(event.job or ""), "task": event.task, "stack": event.stack}},
    )


def _claim_lost(event: ClaimLost) -> None:
    what = "finished too late, its outcome was refused" if event.late else "lost its claim"
    logger.warning("job %s of %s %s", event.id, event.task, what, extra={"fields": {"job": str(event.id)}})


def _outcome_blocked(event: OutcomeBlocked) -> None:
    logger.warning(
        "job %s of %s has ended, and a transaction keeps its row locked: its outcome is written after that. "
        "Look for a long transaction in pg_stat_activity",
        event.id,
        event.task,
        extra={"fields": {"job": str(event.id)}},
    )


def _attempt_ended(event: AttemptEnded) -> None:
    outcome, job = event.outcome, event.job
    if isinstance(outcome, Failed):
        level, text = logging.ERROR, f"failed: {outcome.fault.kind}: {outcome.fault.message}"
    elif isinstance(outcome, Retried):
        fault = outcome.fault
        level = logging.WARNING
        text = f"again in {outcome.delay.total_seconds():.1f} s after {fault.kind}: {fault.message}"
    elif isinstance(outcome, Snooze):
        level, text = logging.INFO, f"snoozed for {outcome.delay.total_seconds():.1f} s"
    elif logger.isEnabledFor(logging.DEBUG):
        level, text = logging.DEBUG, f"{type(outcome).__name__.lower()} in {event.duration * 1000:.1f} ms"
    else:
        return
    logger.log(
        level,
        "%s %s attempt %d %s",
        job.task,
        job.id,
        job.attempt,
        text,
        extra={"fields": {"job": str(job.id), "task": job.task, "attempt": job.attempt}},
    )
