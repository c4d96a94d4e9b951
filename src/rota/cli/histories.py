"""`rota schedules edit | backfill | verify`: change what a schedule does, and look into what it did."""

from datetime import timedelta
from typing import Annotated, NamedTuple

import click

from rota.cli.command import Group, Option, Session, command
from rota.cli.options import Moment, ScheduleArgument, moment
from rota.settings import parse_seconds

__all__ = ["add_to"]


def seconds(text: str) -> float:
    """Read "90s", "15m" or "2h" as seconds."""
    value = parse_seconds(text)
    if value is None:
        raise click.BadParameter(f"{text!r} is no length of time; give 90s, 15m, 2h or 7d")
    return value


WhenOption = Annotated[
    str | None, Option("--trigger", 'When: "0 8 * * 1", "every 5m", an RRULE, or JSON.', metavar="TEXT")
]
CatchUp = Annotated[str | None, Option("--catch-up", "one, all or none.", metavar="POLICY")]
OverlapOption = Annotated[
    str | None, Option("--overlap", "skip, queue, cancel_running or allow.", metavar="POLICY")
]
Grace = Annotated[
    float | None, Option("--grace", "How late a moment may run: 15m, 2h.", metavar="TIME", parse=seconds)
]
Queue = Annotated[str | None, Option("--queue", "In this queue.", metavar="QUEUE")]
Rank = Annotated[int | None, Option("--rank", "Lower runs first.", metavar="N", parse=click.INT)]
Name = Annotated[str | None, Option("--name", "What people read.", metavar="TEXT")]
From = Annotated[
    Moment | None, Option("--from", "From this moment on, or so long ago.", metavar="WHEN", parse=moment)
]
To = Annotated[
    Moment | None, Option("--to", "Up to this moment, or so long ago.", metavar="WHEN", parse=moment)
]
Since = Annotated[
    Moment | None,
    Option("--since", "From when on; else as long as ticks are kept.", metavar="WHEN", parse=moment),
]


def add_to(group: Group) -> None:
    """Add the commands of this module."""
    command(group, "edit")(edit)
    command(group, "backfill")(backfill)
    command(group, "verify")(verify)


class Changes(NamedTuple):
    """What may be changed."""

    trigger: WhenOption = None
    catch_up: CatchUp = None
    overlap: OverlapOption = None
    grace: Grace = None
    queue: Queue = None
    rank: Rank = None
    name: Name = None


async def edit(session: Session, schedule: ScheduleArgument, options: Changes) -> int:
    """Change a stored schedule; its phase and its pause stay. The code's own comes back at its next start."""
    from rota.operations import schedules
    from rota.triggers.parse import parse

    changes: dict[str, object] = {
        name: value for name, value in options._asdict().items() if value is not None
    }
    rank = options.rank
    changes.pop("rank", None)
    if options.grace is not None:
        changes["grace"] = timedelta(seconds=options.grace)
    if options.trigger is not None:
        changes["trigger"] = parse(options.trigger).in_zone(session.target.settings.zone).to_json()
    if not changes and rank is None:
        click.echo("Error: nothing to change is given: --trigger, --catch-up, --overlap, ...", err=True)
        return 2
    async with session.target.open() as store:
        found = await schedules.get(store, schedule)
        changed = await schedules.edit(store, found.id, changes, rank=rank)
    if session.out.json:
        session.out.document({"schedule": found.id, "changed": changed})
        return 0
    session.out.line(f"schedule {found.id}: {', '.join(changed)} changed" if changed else "nothing changed")
    if changed and found.source == "code":
        session.out.line("It stands in the code of an app, whose next start puts the code's definition back.")
    return 0


async def backfill(session: Session, schedule: ScheduleArgument, first: From = None, last: To = None) -> int:
    """Run the moments from --from to --to that have had no job, oldest first; each runs once."""
    from rota.operations import history, schedules

    if first is None or last is None:
        click.echo("Error: give both --from and --to, for example --from 2d --to 1h", err=True)
        return 2
    async with session.target.open() as store:
        now = await store.insight.now()
        found = await schedules.get(store, schedule)
        number = await history.backfill(store, found.id, first.resolve(now), last.resolve(now))
    if session.out.json:
        session.out.document({"schedule": found.id, "jobs": number})
    else:
        session.out.line(f"schedule {found.id}: {number} past moments run")
    return 0


async def verify(session: Session, schedule: ScheduleArgument = "", since: Since = None) -> int:
    """Hold stored ticks and jobs against what should have happened; without a schedule, of all of them."""
    from rota.operations import history

    async with session.target.open() as store:
        now = await store.insight.now()
        kept = now - timedelta(seconds=session.target.settings.keep_ticks)
        begin = kept if since is None else since.resolve(now)
        names = [schedule] if schedule else [one.id for one in await store.schedules.list()]
        found = [one for name in names for one in await history.verify(store, name, begin)]
    if session.out.json:
        session.out.document({"schedules": len(names), "faults": found})
    else:
        for one in found:
            session.out.line(f"{one.schedule} {one.at.isoformat()} {one.kind}: {one.text}")
        session.out.line(f"{len(names)} schedules, {len(found)} faults since {begin.isoformat()}")
    return 1 if found else 0
