"""`rota check` and `rota health`: does it fit together, is it well?"""

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import click

from rota.cli.command import Option, Session, command
from rota.cli.target import Target
from rota.model.clock import SystemClock
from rota.model.errors import ConfigurationError, RotaError
from rota.operations.text import counted
from rota.settings import load_settings

if TYPE_CHECKING:
    from rota.operations.health import Check
    from rota.ports.store import Store

__all__ = ["add_to", "tell"]

Live = Annotated[bool, Option("--live", "Send a job through the store, look for workers, compare clocks.")]
NeedWorker = Annotated[bool, Option("--worker", "Fail unless a worker is alive.")]
NeedScheduler = Annotated[bool, Option("--scheduler", "Fail when schedules are overdue.")]
Patience = Annotated[
    float,
    Option("--timeout", "Wait that long.", metavar="SECONDS", parse=click.FloatRange(0.1)),
]

FAILED, WRONG_USE = 1, 2
CONFIGURATION = frozenset({"settings", "app"})


def add_to(root: click.Group) -> None:
    """Add the commands of this module."""
    command(root, "check", positional=True)(check)
    command(root, "health")(health)


async def check(session: Session, *, live: Live = False) -> int:
    """Find every fault at once: settings, app, store, jobs.

    Jobs and schedules that no app or worker can run count too.
    """
    checks = _configuration(session)
    faulty = {one.name for one in checks if one.level == "fault"}
    if "settings" not in faulty:
        # An app that cannot be imported names no store; the settings do.
        target = Target(url=session.target.url or load_settings().url) if "app" in faulty else session.target
        checks += await _store(target, live=live)
    return tell(session, checks)


async def health(
    session: Session, *, worker: NeedWorker = False, scheduler: NeedScheduler = False, timeout: Patience = 4.0
) -> int:
    """Tell by the exit code whether all is well."""
    from rota.operations import health as operations

    host = socket.gethostname()
    async with session.target.store() as store:
        checks = await operations.health(
            store, host=host, worker=worker, scheduler=scheduler, patience=timeout
        )
    return tell(session, checks)


def _configuration(session: Session) -> "list[Check]":
    """Look at the settings and at the app's definitions."""
    from rota.operations.health import Check

    target = session.target
    try:
        target.locator  # noqa: B018 - reading it reads the settings
    except ConfigurationError as error:
        return _faults("settings", error)
    checks = [Check(name="settings", level="ok", text="valid")]
    try:
        app = target.app
    except ConfigurationError as error:
        return checks + _faults("app", error)
    if app is None:
        text = "none is given, so that its tasks are not checked"
        return [*checks, Check(name="app", level="warning", text=text, remedy="rota check MODULE:app")]
    found = [Check(name="app", level="fault", text=fault) for fault in app.faults()]
    try:
        schedules = app.schedules.declared()
    except RotaError as error:
        return [*checks, *found, Check(name="app", level="fault", text=str(error))]
    text = f"{counted(len(app.registry.tasks), 'task')}, {counted(len(schedules), 'schedule')}"
    return [*checks, *(found or [Check(name="app", level="ok", text=text)])]


async def _store(target: Target, *, live: bool) -> "list[Check]":
    """Look at the store and at what is in it."""
    from rota.operations.health import Check, reachable

    found: list[Check] = []
    try:
        async with target.store() as store:
            found += await reachable(store)
            if all(one.level != "fault" for one in found):
                await store.open()
                found += await _content(target, store, live=live)
    except ConfigurationError as error:
        found += _faults("settings", error)
    except RotaError as error:
        found.append(Check(name="store", level="fault", text=str(error)))
    return found


async def _content(target: Target, store: "Store", *, live: bool) -> "list[Check]":
    from rota.operations import checks

    found = await checks.undeliverable(store, target.registry)
    if live:
        found.append(await checks.round_trip(store))
        found.append(await checks.clock_skew(store, SystemClock()))
        found.append(await checks.live_workers(store))
    return found


def _faults(name: str, error: ConfigurationError) -> "list[Check]":
    from rota.operations.health import Check

    return [Check(name=name, level="fault", text=fault) for fault in error.faults]


def tell(session: Session, checks: "Sequence[Check]") -> int:
    """Print checks; returns the exit code."""
    faults = [one for one in checks if one.level == "fault"]
    if session.out.json:
        session.out.document({"ok": not faults, "checks": checks})
    else:
        for one in checks:
            remedy = f" ({one.remedy})" if one.remedy else ""
            session.out.line(f"{_LEVELS[one.level]:<8}{one.name}: {one.text}{remedy}")
    if not faults:
        return 0
    return WRONG_USE if any(one.name in CONFIGURATION for one in faults) else FAILED


_LEVELS = {"ok": "ok", "warning": "warning", "fault": "FAULT"}
