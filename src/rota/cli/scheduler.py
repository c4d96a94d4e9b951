"""`rota scheduler`: run it, run a schedule by hand, show what it would do."""

from typing import Annotated

import click

from rota.cli.command import Group, Option, Session, command
from rota.cli.options import ScheduleArgument
from rota.cli.processes import LogFormat, LogLevel, serve
from rota.cli.schedules import list_schedules
from rota.cli.target import from_above
from rota.settings import change_settings

__all__ = ["add_to"]

Detach = Annotated[bool, Option("--detach", "Leave the job to the workers.")]


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


def force(
    session: Session,
    schedule: ScheduleArgument,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
    *,
    detach: Detach = False,
) -> None:
    """Run a schedule now, beside its ticks: here, once, its log on the terminal; exit code 1 if it fails.

    Without an app, or with --detach, its job is left to the workers.
    """
    from rota.telemetry import logs

    app = None if detach else session.target.app
    if app is None:
        from_above("rota.app.serving:run_loop")(_submit(session, schedule))
        return
    app.settings = change_settings(
        app.settings, {"url": session.target.url, "log_level": log_level, "log_format": log_format}
    )
    logs.set_up(app.settings.log_level, app.settings.log_format)
    job, lines, error = from_above("rota.app.forcing:force_here")(app, schedule, session.target.locator)
    if session.out.json:
        session.out.document({"schedule": schedule, "job": job, "log": lines, "error": error and str(error)})
    else:
        for line in lines:
            session.out.line(f"{line.at.isoformat()} {line.level:7} {line.message}")
    if error is not None:
        raise error
    if not session.out.json:
        session.out.line(f"schedule {schedule} ran as job {job}")


async def _submit(session: Session, schedule: str) -> None:
    from rota.operations import schedules

    declared = session.target.declared()
    async with session.target.open(empty=bool(declared)) as store:
        found = await schedules.get(store, schedule, declared)
        submitted = await schedules.force(store, found.id, declared)
    if session.out.json:
        session.out.document({"schedule": found.id, "task": found.task, "job": submitted.id})
    else:
        session.out.line(f"schedule {found.id} runs now as job {submitted.id}")
