"""Where engine and adapters meet: settings become a store, executors and the parts of a process."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from os import cpu_count
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rota.model.clock import Clock
from rota.model.errors import ConfigurationError, did_you_mean
from rota.policy.queue_order import QueueOrder
from rota.ports.executor import Executor
from rota.ports.retention import Retention
from rota.ports.store import Store
from rota.settings import Settings, parse_queues

if TYPE_CHECKING:
    # Loaded when a worker is made: who only looks at a store needs no engine.
    from rota.definitions.registry import Registry
    from rota.engine.announcer import Announcer
    from rota.engine.maintenance import Maintenance
    from rota.engine.worker import Worker

__all__ = ["make_executors", "make_maintenance", "make_store", "make_worker", "rota_version"]

DEFAULT_QUEUE = "default"


def make_store(settings: Settings, clock: Clock | None = None) -> Store:
    """Make the store that the url names; nothing is opened yet.

    Raises:
        ConfigurationError: the url's scheme is unknown.
        MissingExtraError: its driver is not installed.
    """
    scheme = urlsplit(settings.url).scheme
    maker = _STORES.get(scheme)
    if maker is None:
        hint = did_you_mean(scheme, _STORES)
        raise ConfigurationError(
            [
                f"url: no store has the scheme {scheme!r}.{hint} Use sqlite:///file or postgresql://user@host/base"
            ]
        )
    return maker(settings, clock)


def make_executors(
    registry: "Registry", settings: Settings, locator: str, announcer: "Announcer | None" = None
) -> list[Executor]:
    """Make the executors of a worker; processes only where a task wants them, or a job has to run alone.

    Args:
        registry: the tasks that will run.
        settings: how many slots each has.
        locator: the app as "module:attribute", by which child processes find the tasks; "" for a script.
        announcer: where events of executors go.
    """
    from rota.definitions.task import PROCESS
    from rota.executors.inline import AsyncExecutor
    from rota.executors.isolated import IsolatedExecutor
    from rota.executors.processes import ProcessExecutor
    from rota.executors.threads import ThreadExecutor

    def make_pool(slots: int, *, overhear: bool = False) -> ProcessExecutor:
        loader = "rota.app.locate:load_registry"
        return ProcessExecutor(
            slots,
            loader=loader,
            argument=locator,
            overhear=overhear,
            recycle_after_jobs=settings.recycle_after_jobs,
            recycle_memory=settings.recycle_memory,
        )

    executors: list[Executor] = [AsyncExecutor(settings.async_slots), ThreadExecutor(settings.threads)]
    if any(task.executor == PROCESS for task in registry.tasks.values()):
        executors.append(make_pool(settings.processes or cpu_count() or 1))
    alone = IsolatedExecutor(
        settings.isolated_slots,
        lambda: make_pool(settings.isolated_slots, overhear=True),
        {executor.name: executor for executor in executors},
        max_crashes=settings.max_crashes,
        announce=announcer.announce if announcer is not None else lambda _event: None,
    )
    return [*executors, alone]


def make_worker(
    store: Store,
    registry: "Registry",
    executors: Sequence[Executor],
    *,
    announcer: "Announcer",
    settings: Settings,
    queues: str = "",
) -> "Worker":
    """Make a worker of an open store, inside its event loop.

    Args:
        store: open in this loop.
        registry: the tasks that it knows.
        executors: where attempts run.
        announcer: where events go.
        settings: slots, lease, grace.
        queues: instead of the setting's; see `Settings.queues`.
    """
    from rota.engine.worker import Worker, WorkerOptions

    options = WorkerOptions(
        queues=queue_order(queues or settings.queues, registry),
        lease=settings.lease,
        extend_every=settings.extend_every,
        grace=settings.grace,
        max_crashes=settings.max_crashes,
        recycle_after_jobs=settings.recycle_after_jobs,
        recycle_memory=settings.recycle_memory,
        blocked_after=settings.blocked_after,
        version=rota_version(),
    )
    return Worker(store, registry, executors, announcer, options, make_store=lambda: make_store(settings))


def make_maintenance(store: Store, announcer: "Announcer", settings: Settings) -> "Maintenance":
    """Make promoter, rescuer and pruner of an open store."""
    from rota.engine.maintenance import Maintenance

    retention = Retention(
        history=timedelta(seconds=settings.keep_history),
        dead=timedelta(seconds=settings.keep_dead),
        ticks=timedelta(seconds=settings.keep_ticks),
    )
    return Maintenance(
        store,
        announcer,
        retention,
        isolate=settings.max_crashes > 0,
        lease=settings.lease,
        beat_every=settings.extend_every,
    )


def queue_order(text: str, registry: "Registry") -> QueueOrder:
    """Return the queues of a worker: those of `text`, else all that the tasks name, and "default"."""
    parsed = parse_queues(text)
    if isinstance(parsed, dict):
        return QueueOrder(tuple(parsed), parsed)
    if parsed:
        return QueueOrder(parsed)
    named = registry.queues()
    return QueueOrder(named if DEFAULT_QUEUE in named else (*named, DEFAULT_QUEUE))


def rota_version() -> str:
    """Return the installed version."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("rota")
    except PackageNotFoundError:
        return "0"


def _sqlite(settings: Settings, clock: Clock | None) -> Store:
    from rota.stores.sqlite import SqliteStore

    return SqliteStore(
        settings.url, clock=clock, durability=settings.durability, patience=settings.store_timeout
    )


def _postgres(settings: Settings, clock: Clock | None) -> Store:
    from rota.stores.postgres import PostgresStore

    return PostgresStore(
        settings.url,
        schema=settings.schema,
        clock=clock,
        pool_size=settings.pool_size,
        listen=settings.listen,
        durability=settings.durability,
        patience=settings.store_timeout,
    )


_STORES: dict[str, Callable[[Settings, Clock | None], Store]] = {
    "sqlite": _sqlite,
    "postgresql": _postgres,
    "postgres": _postgres,
}
