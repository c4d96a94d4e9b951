"""`rota scheduler`: run it, run a schedule by hand, show what it would do."""

import click

from rota.cli.command import Group, Session, command
from rota.cli.options import ScheduleArgument
from rota.cli.processes import LogFormat, LogLevel, serve
from rota.cli.schedules import list_schedules

__all__ = ["add_to"]


def add_to(root: click.Group) -> None:
    """Add the commands of this module."""
    group = Group("scheduler", help="Fire due schedules; run one by hand.")
    root.add_command(group)
    command(group, "run", data=False, positional=True)(run)
    command(group, "force")(force)
    command(group, "show-schedule")(list_schedules)


def run(session: Session, log_level: LogLevel = None, log_format: LogFormat = None) -> None:
    """Run a scheduler: it fires due schedules and makes due jobs ready. Any number of them."""
    settings = {"log_level": log_level, "log_format": log_format}
    serve(session, session.target.use_default(), ("scheduler",), settings)


async def force(session: Session, schedule: ScheduleArgument) -> None:
    """Run a schedule now: one job, beside its ticks."""
    from rota.operations import schedules

    declared = session.target.declared()
    async with session.target.open(empty=bool(declared)) as store:
        found = await schedules.get(store, schedule, declared)
        submitted = await schedules.force(store, found.id, declared)
    if session.out.json:
        session.out.document({"schedule": found.id, "task": found.task, "job": submitted.id})
    else:
        session.out.line(f"schedule {found.id} runs now as job {submitted.id}")
