"""`rota schedules`: look at schedules, pause, resume and remove them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import click
import msgspec

from rota.cli import histories
from rota.cli.command import Group, Option, Session, command, person
from rota.cli.options import ScheduleArgument
from rota.cli.target import EmptyStoreError
from rota.model.clock import SystemClock
from rota.model.schedule import ScheduleRecord, TickRecord
from rota.operations.text import clock, relative, span

__all__ = ["add_to", "list_schedules"]

Count = Annotated[int, Option("--count -n", "How many.", metavar="N", parse=click.IntRange(1, 1000))]
Why = Annotated[str, Option("--why", "The reason, shown to others.", metavar="TEXT")]
TICKS_SHOWN = 10


def add_to(root: click.Group) -> None:
    """Add the commands of this module."""
    group = Group("schedules", help="Look at schedules, pause and resume them.")
    root.add_command(group)
    command(group, "list")(list_schedules)
    command(group, "show")(show)
    command(group, "preview")(preview)
    command(group, "pause")(pause)
    command(group, "resume")(resume)
    command(group, "remove")(remove)
    histories.add_to(group)


async def list_schedules(session: Session) -> None:
    """List schedules, the next due first."""
    from rota.operations import views

    declared = session.target.declared()
    stored, now = await _stored(session, declared)
    known = {one.id for one in stored}
    listed = [(one, True) for one in stored] + [(one, False) for one in declared if one.id not in known]
    out = session.out
    if out.json:
        out.document({"schedules": [views.schedule(one) | {"stored": there} for one, there in listed]})
        return
    rows = [
        (
            one.id,
            out.moment(one.next_at, now),
            out.moment(one.last_at, now),
            one.task,
            views.trigger_text(one),
            one.source,
            _state(one, stored=there),
        )
        for one, there in listed
    ]
    columns = ("id", "next", "last", "task", "trigger", "from", "state")
    out.table(columns, rows, empty="There are no schedules.", spare=("from", "last", "task"))


async def show(session: Session, schedule: ScheduleArgument) -> None:
    """Show one schedule and its latest ticks."""
    from rota.operations import schedules, views

    async with session.target.open() as store:
        found = await schedules.get(store, schedule)
        ticks = await schedules.ticks(store, found.id, limit=TICKS_SHOWN)
        now = await store.insight.now()
    out, view = session.out, views.schedule(found)
    if out.json:
        out.document(view | {"ticks": [views.tick(one) for one in ticks]})
        return
    out.pairs(
        {
            "id": found.id,
            "task": f"{found.task}, queue {found.queue}",
            "trigger": view["trigger_text"],
            "arguments": msgspec.json.encode(view["arguments"]).decode(),
            "state": _state(found, stored=True),
            "paused": _pause_text(found, now),
            "next": out.moment(found.next_at, now),
            "last": out.moment(found.last_at, now),
            "missed": found.catch_up + (f", at most {span(found.grace)} late" if found.grace else ""),
            "overlap": found.overlap,
            "version": f"{found.version}, from {found.source}",
        }
    )
    if ticks:
        out.line()
        rows = [
            (
                out.moment(one.due, now),
                _tick_state(one),
                str(one.job or ""),
                str(one.missed),
                one.reason or "",
            )
            for one in ticks
        ]
        out.table(("due", "state", "job", "missed", "why"), rows, empty="", spare=("why",))


async def preview(session: Session, schedule: ScheduleArgument, count: Count = 5) -> None:
    """Show when a schedule will run next."""
    from rota.operations import schedules

    declared = session.target.declared()
    stored, now = await _stored(session, declared)
    found = schedules.pick(schedule, [*declared, *stored])
    moments = schedules.preview(found, now, count)
    zone = ZoneInfo(found.trigger.get("tz") or "UTC")
    notes = schedules.clock_changes(moments, zone)
    out = session.out
    if out.json:
        out.document(
            {
                "schedule": found.id,
                "paused": found.paused_at is not None,
                "moments": moments,
                "clock_changes": [
                    {"moment": one, "note": note} for one, note in zip(moments, notes, strict=True) if note
                ],
            }
        )
        return
    rows = [
        (one.isoformat(), clock(one.astimezone(zone)), relative(one, now), note)
        for one, note in zip(moments, notes, strict=True)
    ]
    columns = ("moment", "in its zone", "from now", "clock changes")
    out.table(columns, rows, empty="It has no further moment.", spare=("clock changes",))


async def pause(session: Session, schedule: ScheduleArgument, why: Why = "") -> int:
    """Stop a schedule's ticks; its phase is kept."""
    from rota.operations import schedules

    async with session.target.open() as store:
        found = await schedules.get(store, schedule)
        done = await schedules.pause(store, found.id, by=person(), why=why)
    return _answer(session, found.id, "paused", done=done)


async def resume(session: Session, schedule: ScheduleArgument) -> int:
    """Let a paused schedule tick again, from its next moment on."""
    from rota.operations import schedules

    async with session.target.open() as store:
        found = await schedules.get(store, schedule)
        done = await schedules.resume(store, found.id)
    return _answer(session, found.id, "resumed", done=done)


async def remove(session: Session, schedule: ScheduleArgument) -> int:
    """Delete a schedule; its jobs and ticks stay. One of the code comes back at the next start."""
    from rota.operations import schedules

    async with session.target.open() as store:
        found = await schedules.get(store, schedule)
        done = await schedules.remove(store, found.id)
    return _answer(session, found.id, "removed", done=done)


async def _stored(
    session: Session, declared: Sequence[ScheduleRecord]
) -> tuple[Sequence[ScheduleRecord], datetime]:
    """Return the store's schedules and moment; an empty store has none, and is not made by looking."""
    from rota.operations import schedules

    try:
        async with session.target.open() as store:
            return await schedules.list_schedules(store), await store.insight.now()
    except EmptyStoreError:
        if not declared:
            raise
        return (), SystemClock().now()


def _state(schedule: ScheduleRecord, *, stored: bool) -> str:
    if not stored:
        return "not stored: start a scheduler"
    if schedule.paused_at is not None:
        return "paused"
    return "ended" if schedule.next_at is None else "ticking"


def _tick_state(tick: TickRecord) -> str:
    return tick.state if tick.source == "tick" else tick.source


def _pause_text(schedule: ScheduleRecord, now: datetime) -> str:
    if schedule.paused_at is None:
        return ""
    why = f": {schedule.paused_why}" if schedule.paused_why else ""
    return f"{relative(schedule.paused_at, now)} by {schedule.paused_by or 'somebody'}{why}"


def _answer(session: Session, schedule: str, verb: str, *, done: bool) -> int:
    if session.out.json:
        session.out.document({"schedule": schedule, verb: done})
    elif done:
        session.out.line(f"schedule {schedule} {verb}")
    else:
        click.echo(f"Error: schedule {schedule} is not changed: {_ALREADY[verb]}", err=True)
    return 0 if done else 1


_ALREADY = {"paused": "it is paused already", "resumed": "it is not paused", "removed": "it is gone already"}
