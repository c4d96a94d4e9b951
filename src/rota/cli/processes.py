"""The commands that keep running: `rota run`, `rota worker`, `rota api`, `rota demo`."""

from collections.abc import Sequence
from typing import Annotated, Any

import click

from rota.cli.command import Option, Session, command
from rota.cli.options import WebOptions, WorkerOptions
from rota.cli.target import DEMO, App, from_above
from rota.settings import change_settings

__all__ = ["LogFormat", "LogLevel", "add_to", "serve"]

EVERYTHING = ("api", "scheduler", "worker")

LogLevel = Annotated[str | None, Option("--log-level", "debug, info, warning or error.", metavar="LEVEL")]
LogFormat = Annotated[str | None, Option("--log-format", "auto, console or json.", metavar="FORM")]
Once = Annotated[bool, Option("--once", "End after the report, with exit code 0.")]


def add_to(root: click.Group) -> None:
    """Add the commands of this module."""
    command(root, "run", data=False, positional=True)(run)
    command(root, "worker", data=False, positional=True)(worker)
    command(root, "api", data=False, positional=True)(api)
    command(root, "demo", data=False)(demo)


def run(
    session: Session,
    options: WorkerOptions,
    web: WebOptions,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
) -> int:
    """Run everything in one process: scheduler, worker, dashboard. Without an app: the built-in demo."""
    settings = options._asdict() | web._asdict() | {"log_level": log_level, "log_format": log_format}
    if session.target.app is None:
        return _show_demo(session, settings, once=False)
    serve(session, session.target.app, EVERYTHING, settings)
    return 0


def worker(
    session: Session, options: WorkerOptions, log_level: LogLevel = None, log_format: LogFormat = None
) -> None:
    """Run a worker: it claims jobs and runs them. Any number of them, on any machine."""
    settings = options._asdict() | {"log_level": log_level, "log_format": log_format}
    serve(session, session.target.require_app("worker"), ("worker",), settings)


def api(session: Session, web: WebOptions, log_level: LogLevel = None, log_format: LogFormat = None) -> None:
    """Run the API and the dashboard. Without an app it takes no new jobs for tasks that it cannot check."""
    settings = web._asdict() | {"log_level": log_level, "log_format": log_format}
    serve(session, session.target.use_default(), ("api",), settings)


def demo(
    session: Session, *, once: Once = False, log_level: LogLevel = None, log_format: LogFormat = None
) -> int:
    """Run the built-in demo on the world's time zones."""
    quiet = "warning" if once else None
    return _show_demo(session, {"log_level": log_level or quiet, "log_format": log_format}, once=once)


def serve(
    session: Session, app: App, roles: Sequence[str], settings: dict[str, Any], also: Sequence[Any] = ()
) -> None:
    """Run roles of an app in this process until a signal.

    Args:
        session: the command's.
        app: its settings become those of the command line.
        roles: "worker", "scheduler", "api".
        settings: those that the command line changes; None values are not.
        also: further parts of the process.
    """
    from rota.cli.banner import show_banner
    from rota.telemetry import logs

    app.settings = change_settings(app.settings, {"url": session.target.url, **settings})
    logs.set_up(app.settings.log_level, app.settings.log_format)

    links: list[str] = []

    def ready() -> None:
        if session.out.terminal:
            show_banner(session.out, app, roles, links)

    run_loop, serve_roles = from_above("rota.app.serving:run_loop"), from_above("rota.app.serving:serve")
    welcome = links.append if session.out.terminal else None
    run_loop(serve_roles(app, roles, locator=session.target.locator, also=also, ready=ready, welcome=welcome))


def _show_demo(session: Session, settings: dict[str, Any], *, once: bool) -> int:
    target = session.target.at(DEMO)
    audience = from_above("rota.demo.run:make_audience")(once=once)
    roles = ("scheduler", "worker") if once else EVERYTHING
    serve(Session(target, session.out), target.require_app("demo"), roles, settings, also=[audience])
    exit_code: int = audience.exit_code
    return exit_code
