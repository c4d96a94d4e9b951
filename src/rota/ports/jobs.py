"""The store's verbs for the life of a job. One verb is one transaction."""

from collections.abc import Generator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from msgspec import Struct

from rota.model.job import Claim, ClaimedJob, ClaimRequest, JobEdit, JobFilter, Submission, Submitted
from rota.model.outcome import Settlement

__all__ = [
    "Cancelled",
    "JobStore",
    "Promoted",
    "RescuedJob",
    "Rows",
    "Settled",
    "Statement",
    "SubmitPlan",
]


class Statement(NamedTuple):
    """One SQL statement in the dialect of its store, with positional parameters."""

    name: str
    sql: str
    params: tuple[Any, ...]


Rows = Sequence[Sequence[Any]]

SubmitPlan = Generator[Statement, Rows, list[Submitted]]
"""Submit without I/O: yields statements, is sent their rows, returns what became of each submission.

Whoever drives it runs all statements in one transaction: its own, or the caller's.
"""


class Settled(Struct, frozen=True):
    """What a settle call did not write.

    `refused` are those whose owner had lost its claim. `busy` are those whose jobs somebody else's open
    transaction keeps locked: nothing was written for them, and they are to be sent again.
    """

    refused: frozenset[UUID] = frozenset()
    busy: frozenset[UUID] = frozenset()


class RescuedJob(Struct, frozen=True):
    """A job taken back from an owner that fell silent, and the state it is in now."""

    id: UUID
    owner: UUID | None
    state: str


class Promoted(Struct, frozen=True):
    """What a promote call moved.

    `wait` is how long until the next scheduled job is due or the next waiting one wakes (None: there is
    none); zero when more are due now.
    """

    ready: int
    expired: int
    wait: timedelta | None


class Cancelled(Struct, frozen=True):
    """Jobs cancelled at once, and running ones whose cancel was asked for."""

    cancelled: tuple[UUID, ...]
    requested: tuple[UUID, ...]


class JobStore(Protocol):
    """Where jobs live. Every verb takes and returns sets, and is a no-op for what it does not find."""

    async def submit(self, submissions: Sequence[Submission], *, resend: bool = False) -> list[Submitted]:
        """Store jobs; in order of `submissions`.

        With `resend`, a job whose id is already known (live, finished or dead) is left as it is.
        """
        ...

    async def claim(self, request: ClaimRequest) -> list[ClaimedJob]:
        """Claim the first free jobs, queue by queue, by (rank, share, seq) in each, up to the limits.

        Paused queues give nothing. Each claim counts an attempt and writes a new token. The result is in
        the order in which the jobs are to start.
        """
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> Settled:
        """Write outcomes. A claim that was lost changes nothing but a record of the late finish.

        Sent twice, the second is a no-op and is not refused. A job that somebody keeps locked holds up no
        other's outcome. Slots that the jobs held go back, and jobs held for those slots become claimable.
        """
        ...

    async def give_back(self, claims: Sequence[Claim], *, begun: bool = False) -> int:
        """Return claimed jobs to their place, uncounted, with their slots; returns how many.

        With `begun` their tasks had started: an event of each says why they will start again. It is written
        anyway where a beat has said so.
        """
        ...

    async def rescue(self, limit: int, *, isolate: bool = False) -> list[RescuedJob]:
        """Take back running or handed jobs whose lease or deadline has passed, at most `limit`.

        Each counts a crash, frees its slots and becomes ready, or cancelled if that was asked for. With
        `isolate`, those that ran in a worker (async, thread, process) are for the executor `isolated` from
        now on.
        """
        ...

    async def promote(self, limit: int) -> Promoted:
        """Make due scheduled and waiting jobs ready and expire late ones, at most `limit` of each."""
        ...

    async def cancel(self, which: JobFilter) -> Cancelled:
        """Cancel live jobs: at once where nothing runs, by request to the owner where something does."""
        ...

    async def redrive(self, which: JobFilter) -> list[UUID]:
        """Make failed, cancelled or expired jobs ready again under their ids, at the end of their line."""
        ...

    async def edit(self, job: UUID, edit: JobEdit) -> bool:
        """Change a scheduled job in place; False when it is not scheduled (any more)."""
        ...

    async def resume(self, which: Sequence[UUID], wake_key: str | None = None) -> int:
        """Make waiting jobs ready: those of the given ids, and those that wait for `wake_key`."""
        ...
