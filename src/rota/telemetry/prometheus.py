"""Metrics in Prometheus's form: what this process did, and what it finds in the store when it is asked."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from rota.model.clock import Clock, SystemClock
from rota.model.events import (
    AttemptEnded,
    AttemptStarted,
    ClaimLost,
    LoopBlocked,
    Rescued,
    ServiceFailed,
    Ticked,
)
from rota.model.worker import QueueRecord
from rota.ports.store import PoolUse
from rota.telemetry.logs import EventSource

__all__ = ["OTHER", "Metrics", "Snapshot"]

OTHER = "other"
MOST_LABELS = 200
KEPT_FOR = 5.0
PATIENCE = 5.0

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)
_LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


class Snapshot(Struct, frozen=True, kw_only=True):
    """What is found when somebody asks.

    Args:
        queues: of the store; None: it did not answer.
        workers: how many are alive in the store.
        slots: of the worker in this process: by executor, how many there are and how many are taken.
        pool: connections of this process to the store.
        now: the store's moment.
    """

    queues: Sequence[QueueRecord] | None
    workers: int
    slots: Mapping[str, tuple[int, int]]
    pool: PoolUse | None
    now: datetime


Look = Callable[[], Coroutine[Any, Any, Snapshot]]


class _Bounded:
    """Lets so many distinct label values through; all later ones are one: "other"."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def __call__(self, *values: str) -> tuple[str, ...]:
        known = self._known.get(values)
        if known is not None:
            return known
        if len(self._known) >= self._most:
            return (OTHER,) * len(values)
        self._known[values] = values
        return values


class Metrics:
    """What one process has to tell. Make it inside its event loop.

    Args:
        look: asked for a snapshot when somebody reads the metrics, at most every 5 seconds.
        most: distinct pairs of queue and task, and distinct queues, beyond which all are "other".
        clock: the machine's.
    """

    def __init__(self, look: Look, *, most: int = MOST_LABELS, clock: Clock | None = None) -> None:
        self.registry = CollectorRegistry()
        self._clock = clock or SystemClock()
        self._pair = _Bounded(most)
        self._series: dict[tuple[str, ...], Any] = {}
        self.registry.register(_Found(look, asyncio.get_running_loop(), most))
        self._attempts = self._counter("attempts", "Attempts that ended", "queue", "task", "outcome")
        self._duration = self._histogram("duration_seconds", "How long attempts took", "queue", "task")
        self._wait = self._histogram(
            "wait_seconds", "How long jobs that could run waited for a slot", "queue", "task"
        )
        self._ticks = self._counter("ticks", "Due moments of schedules handled here", "state")
        self._missed = self._counter("missed_ticks", "Due moments that nobody handled in time")
        self._lateness = self._histogram("tick_lateness_seconds", "How late due moments were handled")
        self._lost = self._counter("leases_lost", "Claims that were lost while their task ran", "seen")
        self._rescued = self._counter("jobs_rescued", "Jobs taken back from silent owners")
        self._lag = self._histogram(
            "loop_lag_seconds", "How late the event loop comes to a timer", buckets=_LAGS
        )
        self._blocked = self._counter("loop_blocked", "Times that a task was seen to block the event loop")
        self._failures = self._counter(
            "service_failures", "Turns of the engine's parts that failed", "service"
        )

    def listen(self, source: EventSource) -> None:
        """Count the engine's events."""
        source.subscribe(AttemptStarted, self._attempt_started)
        source.subscribe(AttemptEnded, self._attempt_ended)
        source.subscribe(Ticked, self._ticked)
        source.subscribe(ClaimLost, lambda e: self._lost.labels("late" if e.late else "running").inc())
        source.subscribe(Rescued, lambda e: self._rescued.inc(len(e.ids)))
        source.subscribe(LoopBlocked, lambda _: self._blocked.inc())
        source.subscribe(ServiceFailed, lambda e: self._failures.labels(e.service).inc())

    def lagged(self, seconds: float) -> None:
        """Take note of how late a timer of the event loop was."""
        self._lag.observe(seconds)

    async def text(self, accept: str = "") -> tuple[bytes, str]:
        """Return the metrics and their media type, in the form that a scraper accepts."""
        encode, media_type = choose_encoder(accept)
        # In a thread: what is found in the store is asked for in the loop meanwhile.
        return await asyncio.to_thread(encode, self.registry), media_type

    def _attempt_started(self, event: AttemptStarted) -> None:
        job = event.job
        if job.ready_at is None:
            return
        wait = (self._clock.now() - job.ready_at).total_seconds()
        self._of(self._wait, job.queue, job.task).observe(max(0.0, wait))

    def _attempt_ended(self, event: AttemptEnded) -> None:
        job, outcome = event.job, type(event.outcome).__name__.lower()
        self._of(self._duration, job.queue, job.task).observe(event.duration)
        self._of(self._attempts, job.queue, job.task, outcome).inc()

    def _ticked(self, event: Ticked) -> None:
        tick = event.tick
        self._ticks.labels(tick.state).inc()
        self._lateness.observe(event.late)
        if tick.missed:
            self._missed.inc(tick.missed)

    def _of(self, metric: Any, queue: str, task: str, *more: str) -> Any:
        """Return the series of a queue and a task; found again without the library's own look-up."""
        key = (metric._name, queue, task, *more)  # noqa: SLF001 - it has no other name
        series = self._series.get(key)
        if series is None:
            pair = self._pair(queue, task)
            series = metric.labels(*pair, *more)
            if pair[0] != OTHER:
                self._series[key] = series
        return series

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace="rota", registry=self.registry)

    def _histogram(
        self, name: str, text: str, *labels: str, buckets: Sequence[float] = _SECONDS
    ) -> Histogram:
        return Histogram(name, text, labels, namespace="rota", registry=self.registry, buckets=buckets)


class _Found(Collector):
    """Gauges of what is found when somebody asks; asked in a thread, answered in the event loop."""

    def __init__(self, look: Look, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self._look = look
        self._loop = loop
        self._most = most
        self._busy = asyncio.Lock()
        self._last: Snapshot | None = None
        self._read_at = 0.0

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return what there will be, without asking."""
        nothing = Snapshot(queues=(), workers=0, slots={}, pool=PoolUse(0, 0, 0), now=datetime.now(UTC))  # noqa: TID251 - no moment of this is shown
        return self._families(nothing)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return what is found."""
        asked: Future[Snapshot] = asyncio.run_coroutine_threadsafe(self._recent(), self._loop)
        yield from self._families(asked.result(PATIENCE))

    async def _recent(self) -> Snapshot:
        async with self._busy:
            if self._last is None or time.monotonic() - self._read_at > KEPT_FOR:
                self._last = await self._look()
                self._read_at = time.monotonic()
            return self._last

    def _families(self, found: Snapshot) -> list[GaugeMetricFamily]:
        families = [_gauge("store_up", "Whether the store answers", [((), found.queues is not None)])]
        if found.queues is not None:
            queues = self._bounded(found.queues)
            counts = [
                ((queue.name, state), getattr(queue, state))
                for queue in queues
                for state in ("ready", "held", "scheduled", "running", "waiting")
            ]
            ages = [((one.name,), _age(one.oldest, found.now)) for one in queues]
            paused = [((one.name,), one.paused_at is not None) for one in queues]
            families += [
                _gauge("queue_jobs", "Jobs of a queue in a state", counts, "queue", "state"),
                _gauge("queue_oldest_seconds", "How long the oldest ready job waits", ages, "queue"),
                _gauge("queue_paused", "Whether a queue is paused", paused, "queue"),
                _gauge("workers", "Workers that are alive", [((), found.workers)]),
            ]
        slots = [((name,), many) for name, (many, _) in found.slots.items()]
        taken = [((name,), used) for name, (_, used) in found.slots.items()]
        families += [
            _gauge("slots", "Places to run in this process", slots, "executor"),
            _gauge("slots_used", "Those that are taken", taken, "executor"),
        ]
        if found.pool is not None:
            pool = [((name,), getattr(found.pool, name)) for name in found.pool.__struct_fields__]
            families.append(_gauge("store_connections", "Connections to the store", pool, "kind"))
        return families

    def _bounded(self, queues: Sequence[QueueRecord]) -> Sequence[QueueRecord]:
        if len(queues) <= self._most:
            return queues
        largest = sorted(queues, key=lambda one: one.ready + one.running, reverse=True)
        return [*largest[: self._most], _sum(largest[self._most :])]


def _sum(queues: Sequence[QueueRecord]) -> QueueRecord:
    oldest = [one.oldest for one in queues if one.oldest is not None]
    return QueueRecord(
        name=OTHER,
        paused_at=None,
        paused_by=None,
        ready=sum(one.ready for one in queues),
        held=sum(one.held for one in queues),
        scheduled=sum(one.scheduled for one in queues),
        running=sum(one.running for one in queues),
        waiting=sum(one.waiting for one in queues),
        oldest=min(oldest, default=None),
    )


def _age(oldest: datetime | None, now: datetime) -> float:
    return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())


def _gauge(
    name: str, text: str, values: Iterable[tuple[tuple[str, ...], float]], *labels: str
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"rota_{name}", text, labels=labels)
    for label, value in values:
        family.add_metric(label, value)
    return family
