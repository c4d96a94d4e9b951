"""A job in words: its cells, its lines, its log."""

from datetime import datetime
from typing import Any

import msgspec

from rota.cli.output import Output
from rota.model.events import JobEvent, LogRecord
from rota.model.job import JobRecord
from rota.model.outcome import Crash
from rota.model.states import State
from rota.operations.text import relative, span

__all__ = ["event_text", "log_text", "moments", "note", "summary"]

MEGABYTE = 1024 * 1024
_MOMENTS = {
    "submitted": "submitted_at",
    "run at": "run_at",
    "ready": "ready_at",
    "claimed": "claimed_at",
    "started": "started_at",
    "finished": "finished_at",
    "expires": "expires_at",
    "lease until": "lease_until",
}


def note(job: JobRecord, now: datetime) -> str:
    """Return what matters most about a job, in a few words."""
    error = f"{job.fault.kind}: {job.fault.message}" if job.fault is not None else ""
    text = ""
    match job.state:
        case State.SCHEDULED if job.run_at is not None:
            text = relative(job.run_at, now) + (f" after {error}" if error else "")
        case State.READY:
            text = f"held: {job.held}" if job.held is not None else ""
        case State.RUNNING | State.HANDED if job.cancel_requested:
            text = "cancel requested"
        case State.RUNNING:
            text = _progress(job)
        case State.SUCCEEDED if job.started_at is not None and job.finished_at is not None:
            text = f"took {span(job.finished_at - job.started_at)}"
        case State.FAILED | State.EXPIRED | State.CANCELLED:
            text = error
        case _:
            pass
    return text


def summary(job: JobRecord, arguments: Any, result: Any) -> dict[str, str]:
    """Return a job's lines but for its moments."""
    limit = f" of {job.max_attempts}" if job.max_attempts else ""
    crashes = f", {job.crashes} lost with their process" if job.crashes else ""
    crash = job.fault.crash if job.fault else None
    return {
        "id": str(job.id),
        "task": job.task,
        "state": job.state + (" (cancel requested)" if job.cancel_requested else ""),
        "held": job.held or "",
        "queue": f"{job.queue}, rank {job.rank}",
        "executor": job.executor,
        "arguments": _json(arguments),
        "attempt": f"{job.attempt}{limit}{crashes}",
        "progress": _progress(job),
        "key": job.key or "",
        "unique": job.unique_key or "",
        "tags": ", ".join(f"{name}={value}" for name, value in (job.tags or {}).items()),
        "schedule": job.schedule or "",
        "parent": str(job.parent or ""),
        "worker": str(job.owner or ""),
        "slots": ", ".join(job.slots),
        "error": f"{job.fault.kind}: {job.fault.message}" if job.fault else "",
        "crash": "" if crash is None else _crash(crash),
        "result": "" if result is None else _json(result),
    }


def moments(job: JobRecord, out: Output, now: datetime) -> dict[str, str]:
    """Return the moments of a job's life that have come, or will."""
    found = {name: getattr(job, field) for name, field in _MOMENTS.items()}
    return {name: out.moment(moment, now) for name, moment in found.items() if moment is not None}


def event_text(event: JobEvent) -> str:
    """Return what an event tells beyond its kind."""
    return ", ".join(f"{name} {value}" for name, value in event.data.items() if value not in {None, ""})


def log_text(line: LogRecord) -> str:
    """Return a log line."""
    fields = "".join(f" {name}={value}" for name, value in (line.fields or {}).items())
    return f"{line.at.isoformat(timespec='milliseconds')} {line.level:<7} {line.message}{fields}"


def _crash(crash: Crash) -> str:
    end = f"signal {crash.signal}" if crash.signal else f"exit code {crash.exit_code}"
    memory = ", out of memory" if crash.out_of_memory else ""
    peak = f", memory peak {crash.memory_peak // MEGABYTE} MB" if crash.memory_peak else ""
    return f"{end}{memory}{peak}, pid {crash.pid}"


def _progress(job: JobRecord) -> str:
    if job.progress_done is None:
        return ""
    of = f" of {job.progress_total}" if job.progress_total is not None else ""
    return f"{job.progress_done}{of}"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
