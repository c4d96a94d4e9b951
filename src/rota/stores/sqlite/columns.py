"""The columns of a job, and the statements that name them."""

from collections.abc import Mapping
from functools import cache

from rota.stores.statements import load

__all__ = ["INSPECTED", "RECORD", "SCHEDULE", "statements"]

RECORD = (
    "id",
    "state",
    "queue",
    "executor",
    "task",
    "payload",
    "codec",
    "rank",
    "share",
    "attempt",
    "crashes",
    "crashes_alone",
    "max_attempts",
    "key",
    "tags",
    "unique_key",
    "held",
    "owner",
    "token",
    "cancel_requested",
    "headers",
    "parent",
    "root",
    "batch",
    "ordinal",
    "schedule",
    "due",
    "wake_key",
    "wake_at",
    "children",
    "external_id",
    "trust",
    "options",
    "slots",
    "progress_done",
    "progress_total",
    "fault",
    "run_at",
    "expires_at",
    "lease_until",
    "submitted_at",
    "ready_at",
    "claimed_at",
    "started_at",
)
"""What the three tables of jobs have in common."""

INSPECTED = (
    *(
        "id",
        "state",
        "queue",
        "task",
        "attempt",
        "crashes",
        "token",
        "owner",
        "held",
        "slots",
        "wake_key",
        "wake_at",
    ),
    *("children", "external_id", "schedule", "due", "run_at", "lease_until", "submitted_at", "claimed_at"),
)
"""What `rota verify` looks at."""

_LEFT_BEHIND = frozenset(
    {
        *("state", "held", "owner", "token", "lease_until", "started_at", "wake_key", "wake_at", "children"),
        *("slots", "fault"),
    }
)
_KEPT = tuple(name for name in RECORD if name not in _LEFT_BEHIND)

_REVIVED = {
    "attempt": "0",
    "crashes": "0",
    "crashes_alone": "0",
    "cancel_requested": "0",
    "expires_at": "iif(expires_at > :now, expires_at, null)",
    "ready_at": ":now",
    "claimed_at": "null",
    "external_id": "null",
    "progress_done": "null",
    "progress_total": "null",
}
"""What a job that runs again does not take from its former life."""

SCHEDULE = (
    "id",
    "task",
    "queue",
    "executor",
    "trigger",
    "payload",
    "options",
    "source",
    "app",
    "name",
    "version",
    "catch_up",
    "overlap",
    "grace",
    "next_at",
    "last_at",
    "last_job",
    "paused_at",
    "paused_by",
    "paused_why",
)


@cache
def statements() -> Mapping[str, str]:
    """Return all statements by name."""
    return load(
        "rota.stores.sqlite.sql",
        record=", ".join(RECORD),
        values=", ".join(f":{name}" for name in RECORD),
        inspected=", ".join(INSPECTED),
        kept=", ".join(_KEPT),
        revived=", ".join(_REVIVED.get(name, name) for name in _KEPT),
        schedule=", ".join(f'"{name}"' for name in SCHEDULE),
        # Filled in by each call with the conditions that its filter names.
        where="{where}",
    )
