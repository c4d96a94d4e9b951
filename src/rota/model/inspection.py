"""What `rota verify` reads: rows as their columns stand, and lines of a ledger; and what it finds."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

__all__ = ["Finding", "JobRow", "LedgerLine", "Place", "SlotRow", "TickRow"]

Place = Literal["live", "dead", "history"]
"""Which of the three tables of jobs a row stands in."""


class JobRow(Struct, frozen=True, gc=False, kw_only=True):
    """A job in one of its tables, and what the store says of it elsewhere in the same moment.

    `events` and `events_at` are kinds and moments of its events, in order. `children_live` counts the live
    jobs whose parent it is. `ticked`: the tick of its schedule and due moment names it.
    """

    place: Place
    id: UUID
    state: str
    queue: str
    task: str
    attempt: int
    crashes: int
    token: int | None
    owner: UUID | None
    held: str | None
    slots: tuple[str, ...]
    wake_key: str | None
    wake_at: datetime | None
    children: int
    external_id: str | None
    schedule: str | None
    due: datetime | None
    run_at: datetime | None
    lease_until: datetime | None
    submitted_at: datetime
    claimed_at: datetime | None
    finished_at: datetime | None
    children_live: int
    ticked: bool
    events: tuple[str, ...]
    events_at: tuple[datetime, ...]


class SlotRow(Struct, frozen=True):
    """A limited scope: slots counted as used, the limit asked for last, and how many jobs' rows name it."""

    scope: str
    used: int
    capacity: int
    holders: int


class TickRow(Struct, frozen=True, kw_only=True):
    """A tick, and whether its job is there: `job_schedule` and `job_due` are what the job says of itself."""

    schedule: str
    due: datetime
    state: str
    job: UUID | None
    fired_at: datetime
    job_found: bool
    job_schedule: str | None
    job_due: datetime | None


class LedgerLine(Struct, frozen=True, omit_defaults=True):
    """One line of a ledger: what happened outside the store, told by those who did it.

    Attributes:
        what: "submit" (its `enqueue` has returned), "start" and "end" of an attempt, "kill" (process `pid` is
            about to be killed).
        at: seconds since 1970 UTC, by the clock of the machine.
        id: the job; empty for a kill.
        token: the claim of the attempt; 0 for a submit and a kill.
        pid: the process that writes, or that is killed.
        limits: of a start, the limited scopes of the job and how many jobs may run in each.
    """

    what: Literal["submit", "start", "end", "kill"]
    at: float
    id: str = ""
    token: int = 0
    pid: int = 0
    limits: dict[str, int] = {}


class Finding(Struct, frozen=True):
    """Something that must not be: a kind by which it can be counted, what it is about, and a sentence."""

    kind: str
    subject: str
    text: str
