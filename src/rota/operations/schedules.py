"""Schedules: declare, look at them, force, pause, resume, remove."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import structs

from rota.engine.planning import plan_tick, read_trigger
from rota.model.errors import ConfigurationError, NotFoundError, did_you_mean
from rota.model.job import Submission, Submitted
from rota.model.schedule import ScheduleChange, ScheduleRecord, Tick, TickRecord
from rota.policy.jitter import jitter_of
from rota.policy.misfires import missed_between
from rota.policy.overlap import Overlap, check_policies
from rota.ports.store import Store

__all__ = [
    "GONE",
    "clock_changes",
    "declare",
    "declare_many",
    "edit",
    "force",
    "get",
    "list_schedules",
    "pause",
    "pause_gone",
    "pick",
    "preview",
    "remove",
    "resume",
    "submission_of",
    "ticks",
]

GONE = "rota"
"""Who has paused a schedule that is no longer in the code."""

_DEFINITION = (
    *("task", "queue", "executor", "trigger", "payload", "options", "name"),
    *("catch_up", "overlap", "grace"),
)
_GROUP = 5_000


async def declare(store: Store, wanted: ScheduleRecord) -> str:
    """Store a schedule's definition, idempotent by id.

    Returns:
        "created", "unchanged", or "changed: " and the names of what changed. A change keeps the pause and, as
        triggers are pure functions of time, the phase. Moments of the old definition that have come are
        handled first, as its policies say.

    Raises:
        ConfigurationError: the id belongs to another task, or a policy is unknown; nothing is stored.
    """
    return (await declare_many(store, [wanted]))[wanted.id]


async def declare_many(store: Store, wanted: Sequence[ScheduleRecord]) -> dict[str, str]:
    """Store many definitions (see `declare`); returns what became of each.

    Raises:
        ConfigurationError: two have one id, or one is at fault; nothing is stored then.
    """
    by_id = {one.id: one for one in wanted}
    if len(by_id) < len(wanted):
        twice = Counter(one.id for one in wanted).most_common(1)[0][0]
        raise ConfigurationError([f"two schedules have the id {twice!r}; give each its own"])
    for one in wanted:
        check_policies(one.id, one.catch_up, one.overlap)
    answers: dict[str, str] = {}
    for start in range(0, len(wanted), _GROUP):
        group = list(wanted[start : start + _GROUP])
        while group:
            answers |= await _declare_group(store, group)
            group = [one for one in group if one.id not in answers]
    return answers


async def _declare_group(store: Store, group: Sequence[ScheduleRecord]) -> dict[str, str]:
    """Store what is new or has changed; what somebody else changed meanwhile is left for another round."""
    present = {one.id: one for one in await store.schedules.list([one.id for one in group])}
    now = await store.insight.now()
    answers: dict[str, str] = {}
    changes: list[ScheduleChange] = []
    for wanted in group:
        stored = present.get(wanted.id)
        if stored is None:
            changes.append(ScheduleChange(new=structs.replace(wanted, next_at=_next(wanted, now))))
            answers[wanted.id] = "created"
            continue
        if stored.task != wanted.task and not _own(stored, wanted):
            raise ConfigurationError(
                [
                    f"schedule {wanted.id!r} belongs to task {stored.task!r}, not {wanted.task!r}: "  # noqa: ISC004
                    f"give another id, or remove it first (rota schedules remove {wanted.id})"
                ]
            )
        changed = [name for name in _DEFINITION if getattr(stored, name) != getattr(wanted, name)]
        if not changed and (stored.source, stored.app) == (wanted.source, wanted.app):
            answers[wanted.id] = "unchanged"
            continue
        changes.append(await _replacement(store, stored, wanted, now, rephase="trigger" in changed))
        answers[wanted.id] = f"changed: {', '.join(changed) or 'source'}"
    held = await store.schedules.put(changes) if changes else frozenset()
    return {name: answer for name, answer in answers.items() if answer == "unchanged" or name in held}


def _own(stored: ScheduleRecord, wanted: ScheduleRecord) -> bool:
    """Tell whether both were declared by the code of one app: a function there may get another name."""
    return (stored.source, stored.app) == (wanted.source, wanted.app) == ("code", wanted.app)


async def _replacement(
    store: Store, stored: ScheduleRecord, wanted: ScheduleRecord, now: datetime, *, rephase: bool
) -> ScheduleChange:
    closing = None
    if rephase and stored.next_at is not None and stored.next_at <= now:
        if stored.paused_at is not None:
            closing = _dropped(stored, now)
        else:
            stored = await _handle_due(store, stored, now)
    next_at = stored.next_at
    if rephase:
        # Not before what has been handled, also when the store's clock was set back.
        next_at = _next(wanted, max(now, stored.last_at or now))
    new = structs.replace(
        stored,
        **{name: getattr(wanted, name) for name in _DEFINITION},
        source=wanted.source,
        app=wanted.app,
        version=stored.version + 1,
        next_at=next_at,
    )
    return ScheduleChange(new=new, seen=stored, closing=closing)


async def _handle_due(store: Store, stored: ScheduleRecord, now: datetime) -> ScheduleRecord:
    """Fire the moments of a definition that is about to be replaced; returns the schedule after them."""
    while stored.next_at is not None and stored.next_at <= now and stored.paused_at is None:
        try:
            tick = plan_tick(stored, now, submission_of)
        except Exception:  # noqa: BLE001 - it is broken, and this change may mend it
            break
        await store.schedules.fire([tick])
        found = await store.schedules.get(stored.id)
        if found is None or found.version != stored.version or found.next_at == stored.next_at:
            break
        stored = found
    return stored


def _dropped(schedule: ScheduleRecord, now: datetime) -> Tick | None:
    """Return the moments that a pause has dropped by `now`, as one range; None when there are none."""
    due = schedule.next_at
    if schedule.paused_at is None or due is None or due > now:
        return None
    at, missed, next_at = missed_between(read_trigger(schedule), due, now)
    return Tick(
        schedule=schedule.id,
        version=schedule.version,
        due=due,
        at=at,
        next_at=next_at,
        state="paused",
        submission=None,
        missed=missed,
    )


async def force(
    store: Store, name: str, declared: Sequence[ScheduleRecord] = (), ids: Sequence[UUID] = ()
) -> Submitted:
    """Run a schedule now, by its id or the name of its task (see `get`); its ticks stay as they are.

    `ids` holds the id of the job where it is known already, because the same was asked for before.

    Raises:
        NotFoundError: there is none, or the task has several (their ids are listed).
    """
    schedule = await get(store, name, declared)
    submission = submission_of(schedule, None)
    if ids:
        submission.id = ids[0]
    stored = await store.jobs.submit([submission], resend=bool(ids))
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
    trigger = read_trigger(schedule)
    moments: list[datetime] = []
    moment = trigger.next_after(after)
    while moment is not None and len(moments) < count:
        moments.append(moment)
        moment = trigger.next_after(moment)
    return moments


def clock_changes(moments: Sequence[datetime], zone: ZoneInfo) -> list[str]:
    """Say of each of these moments, in order, how a change of the clocks touches it; "" if none does."""
    notes = []
    before: timedelta | None = None
    for moment in moments:
        local = moment.astimezone(zone)
        offset = local.utcoffset() or timedelta(0)
        other = local.replace(fold=1 - local.fold).utcoffset()
        just_before = (moment - timedelta.resolution).astimezone(zone).utcoffset()
        note = ""
        if just_before is not None and just_before < offset:
            note = f"right after clocks go forward by {offset - just_before}"
        elif other != offset:
            note = f"this local time comes twice: the {'second' if local.fold else 'first'}"
        elif before is not None and before != offset:
            way = "forward" if offset > before else "back"
            note = f"clocks go {way} by {abs(offset - before)} before it"
        notes.append(note)
        before = offset
    return notes


async def edit(store: Store, name: str, changes: Mapping[str, Any], *, rank: int | None = None) -> list[str]:
    """Change fields of a stored definition; its phase and its pause stay. Returns what changed.

    Raises:
        NotFoundError: there is no such schedule.
        ConfigurationError: policies are unknown or contradict each other; nothing is changed.
    """
    while True:
        stored = await get(store, name)
        wanted = structs.replace(stored, **changes)
        if rank is not None:
            wanted = structs.replace(wanted, options={**stored.options, "rank": rank})
        check_policies(wanted.id, wanted.catch_up, wanted.overlap)
        changed = [field for field in _DEFINITION if getattr(stored, field) != getattr(wanted, field)]
        if not changed:
            return []
        now = await store.insight.now()
        change = await _replacement(store, stored, wanted, now, rephase="trigger" in changed)
        if await store.schedules.put([change]):
            return changed


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

    The moments that the pause dropped are recorded as one range; an interval keeps its phase.

    Raises:
        NotFoundError: there is no such schedule.
    """
    while True:
        schedule = await get(store, name)
        if schedule.paused_at is None:
            return False
        now = await store.insight.now()
        dropped = _dropped(schedule, now)
        next_at = schedule.next_at if dropped is None else dropped.next_at
        if await store.schedules.resume(schedule, next_at, dropped):
            return True


async def pause_gone(store: Store, app: str, declared: Sequence[ScheduleRecord]) -> list[str]:
    """Pause the schedules that this app's code has declared and no longer does; returns their ids.

    Those that it declares again after such a pause tick again. Schedules of other apps, and those that were
    added by hand, are left alone.
    """
    names = {one.id for one in declared}
    gone = []
    for stored in await store.schedules.list():
        if stored.source != "code" or stored.app != app:
            continue
        if stored.id in names:
            if stored.paused_by == GONE:
                await resume(store, stored.id)
        elif stored.paused_at is None:
            why = f"it is no longer in the code of app {app!r}; rota schedules remove {stored.id} forgets it"
            if await store.schedules.pause(stored.id, GONE, why):
                gone.append(stored.id)
    return gone


def submission_of(schedule: ScheduleRecord, due: datetime | None, *, in_line: bool = False) -> Submission:
    """Return the job of a schedule for a due moment, or for a run by hand (None).

    `in_line`: the next job of the schedule may wait for its end, as it does by some policies.
    """
    options = schedule.options
    expires = options.get("expires")
    # By its JSON: this runs for every tick, and most triggers have none.
    jitter = read_trigger(schedule).jitter if due is not None and "jitter" in schedule.trigger else None
    run_at = due + jitter_of(schedule.id, due, jitter) if due is not None and jitter else None
    in_line = in_line or schedule.overlap in {Overlap.QUEUE, Overlap.CANCEL_RUNNING}
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
        run_at=run_at,
        expires_in=None if expires is None else msgspec.convert(expires, timedelta),
        schedule=schedule.id,
        due=due,
        options={"overlap": schedule.overlap} if in_line else None,
    )


def _next(schedule: ScheduleRecord, now: datetime) -> datetime | None:
    return read_trigger(schedule).next_after(now)
