"""Schedules: declare, look at them, force, pause, resume, remove."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import structs

from rota.model.errors import NotFoundError, did_you_mean
from rota.model.job import Submission, Submitted
from rota.model.schedule import ScheduleRecord, TickRecord
from rota.ports.store import Store
from rota.triggers.parse import from_json

__all__ = [
    "declare",
    "force",
    "get",
    "list_schedules",
    "pause",
    "pick",
    "preview",
    "remove",
    "resume",
    "submission_of",
    "ticks",
]

_DEFINITION = ("task", "queue", "executor", "trigger", "payload", "options", "catch_up", "overlap")


async def declare(store: Store, wanted: ScheduleRecord) -> str:
    """Store a schedule's definition, idempotent by id.

    Returns:
        "created", "unchanged", or "changed: " and the names of what changed. A change keeps the pause and, as
        triggers are pure functions of time, the phase.
    """
    while True:
        present = await store.schedules.get(wanted.id)
        if present is None:
            now = await store.insight.now()
            if await store.schedules.put(structs.replace(wanted, next_at=_next(wanted, now)), expected=None):
                return "created"
            continue
        changed = [name for name in _DEFINITION if getattr(present, name) != getattr(wanted, name)]
        if not changed:
            return "unchanged"
        next_at = present.next_at
        if "trigger" in changed:
            next_at = _next(wanted, await store.insight.now())
        replacement = structs.replace(
            present,
            **{name: getattr(wanted, name) for name in _DEFINITION},
            source=wanted.source,
            version=present.version + 1,
            next_at=next_at,
        )
        if await store.schedules.put(replacement, expected=present.version):
            return "changed: " + ", ".join(changed)


async def force(store: Store, name: str, declared: Sequence[ScheduleRecord] = ()) -> Submitted:
    """Run a schedule now, by its id or the name of its task (see `get`); its ticks stay as they are.

    Raises:
        NotFoundError: there is none, or the task has several (their ids are listed).
    """
    schedule = await get(store, name, declared)
    stored = await store.jobs.submit([submission_of(schedule, None)])
    return stored[0]


async def get(store: Store, name: str, declared: Sequence[ScheduleRecord] = ()) -> ScheduleRecord:
    """Return a schedule by its id, else by the name of its task.

    Args:
        store: where the schedules are.
        name: an id or the name of a task.
        declared: schedules of the code; one that no scheduler has stored yet is found too.

    Raises:
        NotFoundError: there is none, or the task has several (their ids are listed).
    """
    return pick(name, [*declared, *await store.schedules.list()])


def pick(name: str, schedules: Sequence[ScheduleRecord]) -> ScheduleRecord:
    """Return the schedule of an id, else of the name of its task; of two with one id the last.

    Raises:
        NotFoundError: there is none, or the task has several (their ids are listed).
    """
    by_id = {one.id: one for one in schedules}
    if name in by_id:
        return by_id[name]
    of_task = [one for one in by_id.values() if one.task == name]
    if len(of_task) == 1:
        return of_task[0]
    ids = [one.id for one in (of_task or by_id.values())]
    hint = f" Task {name!r} has several: {', '.join(ids)}" if of_task else did_you_mean(name, ids)
    raise NotFoundError("schedule", name, hint)


async def list_schedules(store: Store) -> list[ScheduleRecord]:
    """List schedules, the next due first; those that have ended last."""
    far = datetime.max.replace(tzinfo=UTC)
    return sorted(await store.schedules.list(), key=lambda one: (one.next_at or far, one.id))


async def ticks(store: Store, schedule: str, *, limit: int) -> Sequence[TickRecord]:
    """Return the latest ticks of a schedule, newest first."""
    return await store.schedules.ticks(schedule, limit=limit)


def preview(schedule: ScheduleRecord, after: datetime, count: int) -> list[datetime]:
    """Return the next moments of a schedule after a moment: at most `count`, fewer where it ends."""
    trigger = from_json(schedule.trigger)
    moments: list[datetime] = []
    moment = trigger.next_after(after)
    while moment is not None and len(moments) < count:
        moments.append(moment)
        moment = trigger.next_after(moment)
    return moments


async def pause(store: Store, name: str, *, by: str, why: str = "") -> bool:
    """Stop a schedule's ticks; False when it was paused already.

    Raises:
        NotFoundError: there is no such schedule.
    """
    schedule = await get(store, name)
    return await store.schedules.pause(schedule.id, by, why)


async def remove(store: Store, name: str) -> bool:
    """Delete a schedule; False when there is none of this id."""
    return await store.schedules.remove(name)


async def resume(store: Store, name: str) -> bool:
    """Let a paused schedule tick again, from its next moment on; False when it was not paused.

    Raises:
        NotFoundError: there is no such schedule.
    """
    schedule = await get(store, name)
    return await store.schedules.resume(schedule.id, _next(schedule, await store.insight.now()))


def submission_of(schedule: ScheduleRecord, due: datetime | None) -> Submission:
    """Return the job of a schedule for a due moment, or for a run by hand (None)."""
    options: dict[str, Any] = dict(schedule.options)
    return Submission(
        task=schedule.task,
        payload=schedule.payload,
        queue=schedule.queue,
        executor=schedule.executor,
        rank=options.get("rank", 0),
        key=options.get("key"),
        tags=options.get("tags"),
        headers=options.get("headers"),
        max_attempts=options.get("max_attempts"),
        schedule=schedule.id,
        due=due,
    )


def _next(schedule: ScheduleRecord, now: datetime) -> datetime | None:
    return from_json(schedule.trigger).next_after(now)
