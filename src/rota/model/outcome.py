"""How an attempt ended, as a value."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

__all__ = [
    "Cancelled",
    "Crash",
    "Failed",
    "Fault",
    "Handed",
    "Outcome",
    "Retried",
    "Settlement",
    "Snooze",
    "Succeeded",
    "Suspended",
]


class Crash(Struct, frozen=True, omit_defaults=True):
    """What is known of the death of a process in which a job ran alone.

    Attributes:
        exit_code: how it exited, None when a signal killed it.
        signal: the name of that signal, else None.
        out_of_memory: the system killed it for want of memory, as its own counters say.
        memory_peak: the largest resident size of the process, in bytes. Linux counts from the size of the
            worker that started it.
        log: the last lines that the attempt logged.
        stderr: the end of what the process wrote to standard error since the attempt began.
    """

    pid: int
    exit_code: int | None = None
    signal: str | None = None
    out_of_memory: bool = False
    memory_peak: int | None = None
    log: tuple[str, ...] = ()
    stderr: str = ""


class Fault(Struct, frozen=True):
    """An exception as data, so that it can cross processes and be stored without pickle.

    `kinds` holds the qualified names of the exception's classes, most derived first, for retry rules.
    `retry_after` is the delay in seconds that the exception asked for (an attribute `retry_after`, or a
    Retry-After header, RFC 9110 §10.2.3), else None. `crash` is there when the attempt's process died.
    """

    kind: str
    message: str
    traceback: str = ""
    kinds: tuple[str, ...] = ()
    retry_after: float | None = None
    crash: Crash | None = None


class Succeeded(Struct, frozen=True, gc=False):
    """The task returned. `result` is JSON, or None when there is nothing to keep."""

    result: bytes | None = None
    ttl: timedelta | None = None


class Failed(Struct, frozen=True):
    """The attempt failed. Where no retry follows, the job goes to the dead letters.

    `final` rules a retry out whatever the task's rule says; it is set when a task returns `Failed` itself.
    """

    fault: Fault
    final: bool = False


class Retried(Struct, frozen=True):
    """The attempt failed and the job runs again after `delay`."""

    delay: timedelta
    fault: Fault


class Snooze(Struct, frozen=True):
    """Run the job again after `delay` without counting this attempt. A task may return it."""

    delay: timedelta
    reason: str = ""


class Suspended(Struct, frozen=True):
    """The job waits for an event (`wake_key`), a moment (`wake_at`) or `children` that have not finished."""

    wake_key: str | None = None
    wake_at: datetime | None = None
    children: int = 0


class Handed(Struct, frozen=True):
    """Someone else runs the job under `external_id`; without news by `deadline` it counts as lost."""

    external_id: str
    deadline: datetime


class Cancelled(Struct, frozen=True):
    """The attempt stopped because a cancel was asked for."""

    reason: str = ""


Outcome = Succeeded | Failed | Retried | Snooze | Suspended | Handed | Cancelled


class Settlement(Struct, frozen=True, gc=False):
    """An outcome on its way to the store: of which claim, and how long the attempt took.

    `duration` is in seconds; `limited` says that others may wait for the end of the job: for its slots, or as
    the next of its schedule; they are let go in the same transaction; `crashed` says that the attempt's own
    process died: that counts in `crashes` and `crashes_alone`, and the job runs alone from now on.
    """

    id: UUID
    token: int
    outcome: Outcome
    duration: float = 0.0
    limited: bool = False
    crashed: bool = False
