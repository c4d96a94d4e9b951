"""Schedules from outside: made, edited, looked at ahead and run for moments of the past."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, structs

from rota.definitions.registry import Registry
from rota.engine.submitter import SubmitOptions, model_of
from rota.model.errors import ConflictError
from rota.model.schedule import ScheduleChange, ScheduleRecord
from rota.operations import schedules
from rota.operations.submitting import TaskFacts, task_facts
from rota.policy.overlap import check_policies
from rota.ports.store import Store
from rota.triggers.base import Trigger
from rota.triggers.parse import from_json, parse
from rota.triggers.zones import find_zone

__all__ = [
    "Moment",
    "Plan",
    "create",
    "edit",
    "make_schedule",
    "moments",
    "parse_trigger",
    "zone_of",
]

OPTIONS = ("rank", "key", "tags", "headers", "max_attempts")
"""Options of a submit that a schedule's jobs can have."""


class Plan(Struct, frozen=True, kw_only=True):
    """A schedule as somebody outside asks for it."""

    id: str
    task: str
    trigger: str | Mapping[str, Any]
    arguments: Mapping[str, Any]
    options: SubmitOptions
    catch_up: str = "one"
    overlap: str = "skip"


class Moment(Struct, frozen=True, kw_only=True):
    """A due moment: in UTC, as the local clock of its zone shows it, and what is odd about that clock.

    `note` says what a change of the clocks does to it; empty where none does.
    """

    at: datetime
    local: datetime
    zone: str
    note: str


def parse_trigger(form: str | Mapping[str, Any], zone: str) -> Trigger:
    """Return the trigger of a line of text or a structured form, in `zone` where it names none.

    Raises:
        TriggerError: it means nothing.
    """
    return parse(form).in_zone(zone)


async def make_schedule(store: Store, registry: Registry, plan: Plan, zone: str) -> ScheduleRecord:
    """Return a checked schedule that is not stored yet.

    Raises:
        TriggerError: its trigger means nothing.
        UnknownTaskError: nobody knows its task.
        ArgumentsError: arguments or options do not fit.
    """
    trigger = parse_trigger(plan.trigger, zone)
    check_policies(plan.id, plan.catch_up, plan.overlap)
    facts = await task_facts(store, registry, plan.task)
    # Checks the options as a submit would.
    model_of(
        facts.name, plan.options, queue=facts.queue, executor=facts.executor, rank=facts.rank, expires=None
    )
    chosen = {name: getattr(plan.options, name) for name in OPTIONS}
    return ScheduleRecord(
        id=plan.id,
        task=facts.name,
        queue=plan.options.queue or facts.queue,
        executor=facts.executor,
        trigger=trigger.to_json(),
        payload=facts.encode(plan.arguments),
        options={"rank": facts.rank} | {name: value for name, value in chosen.items() if value is not None},
        source="api",
        catch_up=plan.catch_up,
        overlap=plan.overlap,
    )


async def create(store: Store, wanted: ScheduleRecord) -> ScheduleRecord:
    """Store a schedule of a new id.

    Raises:
        ConflictError: its id is taken.
    """
    now = await store.insight.now()
    fresh = structs.replace(wanted, next_at=from_json(wanted.trigger).next_after(now))
    if not await store.schedules.put([ScheduleChange(new=fresh)]):
        raise ConflictError(f"a schedule {wanted.id!r} exists: edit it, or take another id")
    return fresh


async def edit(
    store: Store, registry: Registry, present: ScheduleRecord, changes: Mapping[str, Any], zone: str
) -> tuple[ScheduleRecord, list[str]]:
    """Change parts of a schedule; its pause stays, and its phase where the trigger stays.

    Args:
        store: where it is.
        registry: the app's definitions.
        present: as it is now.
        changes: any of `trigger`, `arguments`, `options` (by name), `catch_up` and `overlap`.
        zone: of a trigger that names none.

    Returns:
        The schedule, and the names of what changed.
    """
    wanted: dict[str, Any] = {name: str(changes[name]) for name in ("catch_up", "overlap") if name in changes}
    if "trigger" in changes:
        wanted["trigger"] = parse_trigger(changes["trigger"], zone).to_json()
    if "arguments" in changes or "options" in changes:
        facts = await task_facts(store, registry, present.task)
        if "arguments" in changes:
            wanted["payload"] = facts.encode(changes["arguments"])
        if "options" in changes:
            wanted |= _options(facts, present, changes["options"])
    changed = await schedules.edit(store, present.id, wanted)
    return await schedules.get(store, present.id), changed


def moments(trigger: Trigger, zone: str, after: datetime, count: int) -> list[Moment]:
    """Return the next due moments after one, as the clocks of a zone show them.

    Args:
        trigger: whose moments.
        zone: an IANA name.
        after: aware.
        count: how many at most.
    """
    found: list[datetime] = []
    moment = trigger.next_after(after)
    while moment is not None and len(found) < count:
        found.append(moment)
        moment = trigger.next_after(moment)
    clock = find_zone(zone)
    notes = schedules.clock_changes(found, clock)
    return [
        Moment(at=at, local=at.astimezone(clock), zone=zone, note=note)
        for at, note in zip(found, notes, strict=True)
    ]


def zone_of(trigger: Mapping[str, Any]) -> str:
    """Return the zone whose clocks a trigger, in its structured form, follows; UTC where it follows none."""
    return str(trigger.get("tz") or "UTC")


def _options(facts: TaskFacts, present: ScheduleRecord, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a schedule as options change them: those that are named, None takes one away."""
    # Checks them as a submit would.
    model_of(
        facts.name,
        SubmitOptions(**options),
        queue=facts.queue,
        executor=facts.executor,
        rank=facts.rank,
        expires=None,
    )
    named = {name: value for name, value in options.items() if name in OPTIONS}
    kept = {name: value for name, value in present.options.items() if name not in named}
    given = {name: value for name, value in named.items() if value is not None}
    queue = (options["queue"] or facts.queue) if "queue" in options else present.queue
    return {"options": {"rank": facts.rank} | kept | given, "queue": queue}
