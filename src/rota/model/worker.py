"""Owners of claims, and queues, as the store knows them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct

from rota.model.job import Claim

__all__ = ["Beat", "Orders", "QueueRecord", "TaskEntry", "WorkerInfo", "WorkerRecord"]


class TaskEntry(Struct, frozen=True, kw_only=True):
    """A line of the task catalogue: a task that some worker knows."""

    name: str
    kind: str
    executor: str
    queue: str
    schema: dict[str, Any]


class WorkerInfo(Struct, frozen=True, kw_only=True):
    """What a worker says of itself when it registers. `slots` counts places per executor."""

    id: UUID
    host: str
    pid: int
    version: str
    queues: tuple[str, ...]
    tasks: tuple[TaskEntry, ...]
    slots: dict[str, int]
    sandboxes: tuple[str, ...] = ()


class Beat(Struct, frozen=True, kw_only=True):
    """One heartbeat: extends every claim named, and tells how the worker is.

    `started` are the claims whose tasks have begun; `held` are claimed and wait for a slot (prefetch).
    """

    owner: UUID
    lease: timedelta
    started: tuple[Claim, ...]
    held: tuple[Claim, ...]
    memory: int = 0


class Orders(Struct, frozen=True):
    """The store's answer to a heartbeat.

    `lost` are claims that the owner no longer has; `cancel` are those whose cancel was asked for; `drain`
    says to stop claiming, finish and leave; `known` is False when the worker's row is gone (it was presumed
    dead and must register again).
    """

    lost: frozenset[UUID] = frozenset()
    cancel: frozenset[UUID] = frozenset()
    drain: bool = False
    known: bool = True


class WorkerRecord(Struct, frozen=True, kw_only=True):
    """A registered worker."""

    id: UUID
    host: str
    pid: int
    version: str
    queues: tuple[str, ...]
    tasks: tuple[str, ...]
    slots: dict[str, int]
    sandboxes: tuple[str, ...]
    idle: bool
    draining: bool
    running: int
    memory: int
    started_at: datetime
    beat_at: datetime
    lease_until: datetime


class QueueRecord(Struct, frozen=True, kw_only=True):
    """A queue with what waits in it. `oldest` is the ready moment of the job that waits longest."""

    name: str
    paused_at: datetime | None
    paused_by: str | None
    ready: int
    held: int
    scheduled: int
    running: int
    waiting: int
    oldest: datetime | None
