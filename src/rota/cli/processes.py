"""The commands that keep running: `rota run`, `rota worker`, `rota api`, `rota demo`."""

import faulthandler
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import click

from rota.cli.command import Option, Session, command
from rota.cli.options import WebOptions, WorkerOptions
from rota.cli.supervising import supervise, tether
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
    """Run everything: scheduler, worker, dashboard. Without an app: the built-in demo."""
    settings = options._asdict() | web._asdict() | {"log_level": log_level, "log_format": log_format}
    if not session.target.named:
        return _show_demo(session, settings, once=False)
    return _keep_serving(session, "run", EVERYTHING, settings)


def worker(
    session: Session, options: WorkerOptions, log_level: LogLevel = None, log_format: LogFormat = None
) -> int:
    """Run a worker: it claims jobs and runs them. Any number of them, on any machine."""
    settings = options._asdict() | {"log_level": log_level, "log_format": log_format}
    return _keep_serving(session, "worker", ("worker",), settings)


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


def _keep_serving(session: Session, name: str, roles: Sequence[str], settings: dict[str, Any]) -> int:
    """Run roles of an app in a child that is started again when it crashes; or here, if so set."""
    held = tether()
    if held is not None:
        tied = held

        def work(ready: Callable[[], None]) -> int:
            if serve(session, session.target.require_app(name), roles, settings, started=ready):
                tied.replace_me()
            return 0

        return held.run(work)
    if _supervised(session, name):
        own = session.target.quick_settings
        logs = _logs()
        logs.set_up(settings["log_level"] or own.log_level, settings["log_format"] or own.log_format)
        return supervise()
    serve(session, session.target.require_app(name), roles, settings)
    return 0


def _supervised(session: Session, name: str) -> bool:
    """Tell whether this process is to be the parent of the one that works."""
    # Not where a program calls the command line with words of its own: then there is nothing to start again.
    own = sys.argv[1:2] == [name] and sys.platform != "win32"
    return own and session.target.named and session.target.quick_settings.supervise


def serve(
    session: Session,
    app: App,
    roles: Sequence[str],
    settings: dict[str, Any],
    also: Sequence[Any] = (),
    *,
    started: Callable[[], None] = lambda: None,
) -> bool:
    """Run roles of an app in this process until a signal.

    Args:
        session: the command's.
        app: its settings become those of the command line.
        roles: "worker", "scheduler", "api".
        settings: those that the command line changes; None values are not.
        also: further parts of the process.
        started: called when everything runs.

    Returns:
        Whether the worker has stopped to be replaced by another one.
    """
    from rota.cli.banner import show_banner

    app.settings = change_settings(app.settings, {"url": session.target.url, **settings})
    # Says in the log where it was, when a C extension brings this process down.
    faulthandler.enable()
    _logs().set_up(app.settings.log_level, app.settings.log_format)

    links: list[str] = []

    def ready() -> None:
        if session.out.terminal:
            show_banner(session.out, app, roles, links)
        started()

    run_loop, serve_roles = from_above("rota.app.serving:run_loop"), from_above("rota.app.serving:serve")
    welcome = links.append if session.out.terminal else None
    recycled: bool = run_loop(
        serve_roles(app, roles, locator=session.target.locator, also=also, ready=ready, welcome=welcome)
    )
    return recycled


def _logs() -> Any:
    from rota.telemetry import logs

    return logs


def _show_demo(session: Session, settings: dict[str, Any], *, once: bool) -> int:
    target = session.target.at(DEMO)
    audience = from_above("rota.demo.run:make_audience")(once=once)
    roles = ("scheduler", "worker") if once else EVERYTHING
    serve(Session(target, session.out), target.require_app("demo"), roles, settings, also=[audience])
    exit_code: int = audience.exit_code
    return exit_code
