"""Jobs as they are submitted, claimed and looked at."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field

from rota.model.ids import new_id
from rota.model.outcome import Fault
from rota.model.states import State

__all__ = [
    "ISOLATED",
    "Claim",
    "ClaimRequest",
    "ClaimedJob",
    "ExecutorName",
    "JobEdit",
    "JobFilter",
    "JobRecord",
    "Submission",
    "Submitted",
]

ExecutorName = str
"""Which executor runs a job: "async", "thread", "process", or the name of a remote executor."""

ISOLATED: ExecutorName = "isolated"
"""Runs jobs that may have killed their worker, each alone in a process of its own."""


class Submission(Struct, kw_only=True, omit_defaults=True, gc=False):
    """One job on its way into the store.

    Delays are relative to the store's clock: `delay` and `expires_in` are used when `run_at` / `expires_at`
    are None. `unique_key` is already prefixed with the task; `unique_for` keeps the key taken for that long
    after the submit even when the job has finished.
    """

    task: str
    payload: bytes
    id: UUID = field(default_factory=new_id)
    queue: str = "default"
    executor: ExecutorName = "async"
    codec: str = "json"
    rank: int = 0
    share: int = 0
    key: str | None = None
    tags: dict[str, str] | None = None
    unique_key: str | None = None
    unique_for: timedelta | None = None
    run_at: datetime | None = None
    delay: timedelta | None = None
    expires_at: datetime | None = None
    expires_in: timedelta | None = None
    max_attempts: int | None = None
    headers: dict[str, str] | None = None
    parent: UUID | None = None
    root: UUID | None = None
    batch: UUID | None = None
    ordinal: int | None = None
    schedule: str | None = None
    due: datetime | None = None
    trust: str | None = None
    options: dict[str, Any] | None = None


class Submitted(Struct, frozen=True, gc=False):
    """What became of one submission: the id of its job, and whether this submit made it.

    `created` is False when a live job with the same unique key, or (for a resend) the same id, was there.
    """

    id: UUID
    created: bool


class Claim(Struct, frozen=True, gc=False):
    """A right to write a job's outcome: valid while the stored token is this one."""

    id: UUID
    token: int


class ClaimRequest(Struct, frozen=True, kw_only=True):
    """What an owner wants to claim.

    `queues` are in order of preference; `limits` gives, for each executor, how many more of
    them the owner may hold now (free slots plus prefetch). `lease` is how long the claim lasts unextended.
    """

    owner: UUID
    queues: tuple[str, ...]
    limits: dict[ExecutorName, int]
    lease: timedelta


class ClaimedJob(Struct, frozen=True, gc=False):
    """A job in its owner's hands. `attempt` counts this try; crashes are counted in both numbers.

    `crashes_alone` counts those in which nothing else ran in the process that died. `ready_at` is the moment
    since which it could have run.
    """

    id: UUID
    token: int
    queue: str
    executor: ExecutorName
    task: str
    payload: bytes
    codec: str
    attempt: int
    crashes: int
    crashes_alone: int
    max_attempts: int | None
    rank: int
    key: str | None
    headers: dict[str, str] | None
    parent: UUID | None
    root: UUID | None
    schedule: str | None
    due: datetime | None
    options: dict[str, Any] | None
    submitted_at: datetime
    ready_at: datetime | None = None

    @property
    def claim(self) -> Claim:
        """The right to write this job's outcome."""
        return Claim(self.id, self.token)


class JobEdit(Struct, frozen=True, kw_only=True):
    """Changes to a scheduled job; UNSET leaves a field as it is."""

    run_at: datetime | UnsetType = UNSET
    rank: int | UnsetType = UNSET
    queue: str | UnsetType = UNSET
    payload: bytes | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET


class JobFilter(Struct, frozen=True, kw_only=True):
    """Which jobs to list or act on; None means any. All given conditions must hold.

    `states` empty means every state. `fault` matches the exception's class name. `ids` limits to those ids.
    `since` and `until` bound the moment of submit. `keys` limits to jobs of one of those keys.
    """

    ids: tuple[UUID, ...] | None = None
    states: frozenset[State] = frozenset()
    queue: str | None = None
    task: str | None = None
    key: str | None = None
    keys: tuple[str, ...] | None = None
    tag: tuple[str, str] | None = None
    schedule: str | None = None
    parent: UUID | None = None
    fault: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class JobRecord(Struct, frozen=True, kw_only=True):
    """All that the store knows of one job. Moments are None until they happened."""

    id: UUID
    state: State
    queue: str
    executor: ExecutorName
    task: str
    payload: bytes
    codec: str
    rank: int
    share: int
    attempt: int
    crashes: int
    crashes_alone: int = 0
    max_attempts: int | None
    key: str | None
    tags: dict[str, str] | None
    unique_key: str | None
    held: str | None
    owner: UUID | None
    token: int | None
    cancel_requested: bool
    headers: dict[str, str] | None
    parent: UUID | None
    root: UUID | None
    batch: UUID | None
    ordinal: int | None
    schedule: str | None
    due: datetime | None
    wake_key: str | None
    wake_at: datetime | None
    children: int
    external_id: str | None
    trust: str | None
    options: dict[str, Any] | None
    slots: tuple[str, ...]
    progress_done: int | None
    progress_total: int | None
    fault: Fault | None
    run_at: datetime | None
    expires_at: datetime | None
    lease_until: datetime | None
    submitted_at: datetime
    ready_at: datetime | None
    claimed_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    result_kept: bool | None
