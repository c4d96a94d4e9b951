"""Running the parts of an app in one process."""

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from rota.app.metrics import make_metrics
from rota.app.tracing import trace_attempts, trace_ticks
from rota.engine.announcer import Announcer
from rota.engine.host import Part, host
from rota.engine.scheduling import Scheduling
from rota.engine.worker import Worker
from rota.model.errors import ConfigurationError
from rota.model.events import ScheduleGone, ScheduleStored
from rota.operations.schedules import pause_gone, submission_of
from rota.ports.store import Store
from rota.telemetry import logs
from rota.wiring import make_executors, make_maintenance, make_worker

if TYPE_CHECKING:
    from rota.app.rota import Rota

__all__ = ["ROLES", "run_loop", "serve"]

T = TypeVar("T")

ROLES = ("worker", "scheduler", "api")


async def serve(
    app: "Rota",
    roles: Iterable[str],
    *,
    queues: str = "",
    locator: str = "",
    announcer: Announcer | None = None,
    also: Sequence[Part] = (),
    ready: Callable[[], None] = lambda: None,
    welcome: Callable[[str], None] | None = None,
) -> bool:
    """Run roles ("worker", "scheduler", "api") until a signal or until a part has stopped by itself.

    Args:
        app: whose tasks and schedules.
        roles: names out of `ROLES`.
        queues: what the worker serves, instead of the setting's.
        locator: the app as "module:attribute", for child processes.
        announcer: where events go, for those who listen.
        also: further parts; they start last and stop first.
        ready: called when everything runs.
        welcome: called before with an address that logs a browser in, once, where the API is among the roles.

    Returns:
        Whether the worker has stopped to be replaced by another one.

    Raises:
        ConfigurationError: definitions or resources are at fault; every fault is named.
    """
    faults = app.faults()
    if faults:
        raise ConfigurationError(faults)
    announcer = announcer or Announcer()
    logs.listen(announcer)
    store = app.make_store()
    await store.open()
    app.connection.adopt(store)
    try:
        parts = await _make_parts(
            app, store, roles, announcer, queues=queues, locator=locator, welcome=welcome
        )
        await host([*parts, *also], store.wakeup, ready=lambda: _settled(ready))
        return any(isinstance(part, Worker) and part.recycled for part in parts)
    finally:
        gc.unfreeze()
        app.connection.adopt(None)
        await store.close()


def _settled(ready: Callable[[], None]) -> None:
    """Leave what the start has made to itself, and tell that everything runs.

    To walk all of it again, as each full collection would, stops every task for 10 ms and more.
    """
    gc.collect()
    gc.freeze()
    ready()


async def _make_parts(
    app: "Rota",
    store: Store,
    roles: Iterable[str],
    announcer: Announcer,
    *,
    queues: str,
    locator: str,
    welcome: Callable[[str], None] | None,
) -> list[Part]:
    """Return the parts of a process in the order in which they start."""
    parts: list[Part] = []
    settings = app.settings
    metrics = make_metrics(settings, store, announcer, served="api" in roles)
    if metrics is not None:
        metrics.parts = parts
        parts.append(metrics)
    if "worker" in roles:
        trace_attempts(app.registry)
        executors = make_executors(app.registry, settings, locator, announcer)
        parts.append(make_maintenance(store, announcer, settings))
        parts.append(
            make_worker(store, app.registry, executors, announcer=announcer, settings=settings, queues=queues)
        )
    if "scheduler" in roles:
        await _store_schedules(app, store, announcer)
        parts.append(
            Scheduling(store, trace_ticks(submission_of, announcer), announcer, registry=app.registry)
        )
    if "api" in roles:
        from rota.app.web import WebServer  # noqa: PLC0415 - half a second that a worker need not spend

        parts.append(
            WebServer(app, store, announcer, metrics=metrics, any_port="worker" in roles, welcome=welcome)
        )
    return parts


async def _store_schedules(app: "Rota", store: Store, announcer: Announcer) -> None:
    """Store the schedules of the code; those that are gone from it are paused. Both is reported."""
    for schedule, what in (await app.schedules.store_declared(store)).items():
        if what != "unchanged":
            announcer.announce(ScheduleStored(schedule, what))
    if app.name:
        for schedule in await pause_gone(store, app.name, app.schedules.declared()):
            announcer.announce(ScheduleGone(schedule, app.name))


def run_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a process's main coroutine, on uvloop where it is installed; returns what it returns."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if sys.platform != "win32":
        try:
            import uvloop  # noqa: PLC0415 - an optional extra

            factory = uvloop.new_event_loop
        except ImportError:
            pass
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)
