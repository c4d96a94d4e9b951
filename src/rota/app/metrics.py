"""A process's metrics: what they find in the store, how late the loop is, and a port of their own."""

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rota.engine.announcer import Announcer
from rota.engine.worker import Worker
from rota.model.clock import SystemClock
from rota.model.errors import ConfigurationError, MissingExtraError, RotaError
from rota.model.events import Notice
from rota.operations.queues import list_queues
from rota.ports.store import Store
from rota.settings import Settings

if TYPE_CHECKING:
    from rota.telemetry.prometheus import Snapshot

__all__ = ["MetricsPart", "make_metrics"]

LOOK_EVERY = 1.0


class MetricsPart:
    """Measures the loop's lag, and answers on a port of its own if one is set (`engine.host.Part`).

    Args:
        settings: say the port.
        store: open in this loop.
        announcer: events are counted as they come.

    Raises:
        ModuleNotFoundError: the extra is not installed.
    """

    def __init__(self, settings: Settings, store: Store, announcer: Announcer) -> None:
        # An extra, and a fraction of a second that others need not spend.
        from rota.telemetry.prometheus import Metrics  # noqa: PLC0415

        self.stopped = asyncio.Event()
        self.metrics: Metrics = Metrics(self._look)
        self.metrics.listen(announcer)
        self._settings = settings
        self._store = store
        self._task: asyncio.Task[None] | None = None
        self._server: Any = None
        self.parts: Sequence[object] = ()

    async def start(self) -> None:
        """Begin.

        Raises:
            ConfigurationError: the port cannot be had.
        """
        self._task = asyncio.create_task(self._measure(), name="rota-loop-lag")
        if self._settings.metrics_port:
            self._server = self._serve(self._settings.metrics_host, self._settings.metrics_port)

    def notice(self, notice: Notice) -> None:
        """Take a wake-up call."""

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
        if self._server is not None:
            await asyncio.to_thread(self._server.shutdown)
            self._server.server_close()

    async def hurry(self) -> None:
        """End at once."""

    def _serve(self, host: str, port: int) -> Any:
        from prometheus_client import start_http_server  # noqa: PLC0415 - as above

        try:
            server, _ = start_http_server(port, host, self.metrics.registry)
        except OSError as error:
            fault = f"metrics_host={host!r}, metrics_port={port}: cannot listen there: {error.strerror}"
            raise ConfigurationError([fault]) from error
        return server

    async def _measure(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(LOOK_EVERY)  # how late this comes back is what is measured
            self.metrics.lagged(max(0.0, time.monotonic() - began - LOOK_EVERY))

    async def _look(self) -> "Snapshot":
        from rota.telemetry.prometheus import Snapshot  # noqa: PLC0415 - as above

        slots = {}
        for part in self.parts:
            if isinstance(part, Worker):
                slots = part.slots()
        pool = self._store.pool()
        try:
            queues = await list_queues(self._store)
            now = await self._store.insight.now()
            workers = sum(one.lease_until > now for one in await self._store.insight.workers())
        except RotaError:
            now = SystemClock().now()
            return Snapshot(queues=None, workers=0, slots=slots, pool=pool, now=now)
        return Snapshot(queues=queues, workers=workers, slots=slots, pool=pool, now=now)


def make_metrics(
    settings: Settings, store: Store, announcer: Announcer, *, served: bool
) -> MetricsPart | None:
    """Return what collects metrics; None where nobody could read them.

    Args:
        settings: a port of their own makes them asked for.
        store: open in this loop.
        announcer: events are counted as they come.
        served: this process has a web server that answers at /metrics, if the extra is there.

    Raises:
        MissingExtraError: a port is set and the extra is not installed.
    """
    if not served and not settings.metrics_port:
        return None
    try:
        return MetricsPart(settings, store, announcer)
    except ModuleNotFoundError as error:
        if not settings.metrics_port:
            return None
        raise MissingExtraError("metrics_port", "prometheus") from error
