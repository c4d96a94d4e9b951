"""Records as a store would return them: plain ones, of which a test says what is special."""

from datetime import UTC, datetime, timedelta
from typing import Any

from rota.model.ids import new_id
from rota.model.job import JobRecord
from rota.model.states import State
from rota.model.worker import QueueRecord, WorkerRecord

__all__ = ["NOW", "a_queue", "a_record", "a_worker"]

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)

_JOB: dict[str, Any] = dict.fromkeys(JobRecord.__struct_fields__) | {
    "state": State.READY,
    "queue": "mail",
    "executor": "async",
    "task": "send",
    "payload": b'{"to":"ada"}',
    "codec": "json",
    "rank": 0,
    "share": 0,
    "attempt": 0,
    "crashes": 0,
    "cancel_requested": False,
    "children": 0,
    "slots": (),
    "submitted_at": NOW - timedelta(minutes=1),
}
_WORKER: dict[str, Any] = {
    "host": "box",
    "pid": 7,
    "version": "1.0",
    "queues": ("mail",),
    "tasks": ("send",),
    "slots": {"async": 2},
    "sandboxes": (),
    "idle": True,
    "draining": False,
    "running": 0,
    "memory": 0,
    "started_at": NOW - timedelta(hours=1),
    "beat_at": NOW - timedelta(seconds=5),
    "lease_until": NOW + timedelta(seconds=25),
}
_QUEUE: dict[str, Any] = dict.fromkeys(QueueRecord.__struct_fields__, 0) | {
    "name": "mail",
    "paused_at": None,
    "paused_by": None,
    "oldest": None,
}


def a_record(**fields: Any) -> JobRecord:
    """Return a ready job of task "send" in queue "mail"."""
    return JobRecord(**_JOB | {"id": new_id()} | fields)


def a_worker(**fields: Any) -> WorkerRecord:
    """Return a live worker that serves queue "mail" and knows task "send"."""
    return WorkerRecord(**_WORKER | {"id": new_id()} | fields)


def a_queue(**fields: Any) -> QueueRecord:
    """Return queue "mail", open and empty."""
    return QueueRecord(**_QUEUE | fields)
