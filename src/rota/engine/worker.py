"""A worker: claims jobs from its queues and runs them until it is told to stop."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import timedelta

from msgspec import Struct

from rota.definitions.registry import Registry
from rota.definitions.resources import open_resources
from rota.engine.announcer import Announcer
from rota.engine.capacity import Capacity
from rota.engine.claimer import Claimer
from rota.engine.counter import Counter
from rota.engine.heartbeat import Heartbeat
from rota.engine.recorder import Recorder
from rota.engine.recycling import Recycler
from rota.engine.runner import Runner
from rota.engine.service import Loop
from rota.engine.settler import Settler
from rota.engine.watchdog import Watchdog
from rota.model.errors import StoreError, StoreUnavailableError
from rota.model.events import Notice, WorkerRecycled, WorkerStarted, WorkerStopped
from rota.model.ids import new_id
from rota.model.job import Claim, ClaimedJob
from rota.model.worker import TaskEntry, WorkerInfo
from rota.policy.queue_order import QueueOrder
from rota.ports.executor import Executor
from rota.ports.store import Store

__all__ = ["Worker", "WorkerOptions"]

LAST_WORD = 10.0
SHORTEST_WORD = 1.0
LAST_PAUSE = 0.2


class WorkerOptions(Struct, frozen=True, kw_only=True):
    """How a worker behaves. Times are in seconds."""

    queues: QueueOrder
    lease: float = 30.0
    extend_every: float = 10.0
    grace: float = 30.0
    max_crashes: int = 3
    recycle_after_jobs: int = 0
    recycle_memory: int = 0
    blocked_after: float = 1.0
    version: str = ""


class Worker:
    """The parts of a worker, started and stopped in order. Make it inside its event loop.

    Attributes:
        recycled: why it has stopped by itself to be replaced; empty if it has not.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        executors: Sequence[Executor],
        announcer: Announcer,
        options: WorkerOptions,
        *,
        make_store: Callable[[], Store] | None = None,
    ) -> None:
        self.id = new_id()
        self.stopped = asyncio.Event()
        self.recycled = ""
        self._hurried = asyncio.Event()
        self._last_word = LAST_WORD
        self._store = store
        self._registry = registry
        self._executors = {executor.name: executor for executor in executors}
        self._announcer = announcer
        self._options = options
        self._stack = AsyncExitStack()
        self._capacity = Capacity({name: executor.slots for name, executor in self._executors.items()})
        self._recorder = Recorder(store.checkpoints, announcer)
        self._settler = Settler(store.jobs, self._recorder, announcer)
        self._counter = Counter(store.trail, announcer)
        self.runner = Runner(
            registry,
            self._executors,
            capacity=self._capacity,
            settler=self._settler,
            recorder=self._recorder,
            announcer=announcer,
            freed=self._freed,
            alive=self._alive,
            max_crashes=options.max_crashes,
        )
        self._claimer = self._make_claimer()
        self._heartbeat = self._make_heartbeat()
        self._recycler = Recycler(options.recycle_after_jobs, options.recycle_memory)
        self._retiring: asyncio.Task[None] | None = None
        self._watchdog = Watchdog(
            self.runner,
            self._heartbeat,
            announcer,
            after=options.blocked_after,
            interval=options.extend_every,
            make_store=make_store,
        )

    async def start(self) -> None:
        """Open resources and executors, register, and begin to claim.

        Raises:
            ConfigurationError: a definition or a resource is at fault; every fault is named.
        """
        self.runner.use(await open_resources(self._registry.resources.values(), self._stack))
        for executor in self._executors.values():
            await executor.start()
        await self._store.workers.register(self._info())
        for loop in self._loops():
            loop.start()
        self._watchdog.start()
        self._announcer.announce(WorkerStarted(self.id, self._options.queues.queues))

    def notice(self, notice: Notice) -> None:
        """Take a wake-up call."""
        if notice.kind == "queues" or (notice.kind == "ready" and self._serves(notice.name)):
            self._claimer.call()
        elif notice.kind in {"cancel", "workers"}:
            self._heartbeat.loop.poke()

    async def work_off(self, queues: QueueOrder) -> bool:
        """Write what has ended and claim once from these queues, for `rota.testing`: no loop of `start` runs.

        Returns:
            False when nothing came and nothing runs.
        """
        await self._settler.flush()
        self._claimer.queues = queues
        came = await self._claimer.claim_once()
        return bool(came or self.runner.busy or self._settler.pending)

    async def stop(self) -> None:
        """Stop claiming, let running tasks end within the grace, give back the rest, and leave."""
        self._claimer.draining = True
        await self._last_try(self._claimer.loop.stop)
        returned = [job.claim for job in self._capacity.take_waiting()]
        await self._give_back(returned)
        await self._let_end()
        await self._end_the_rest()
        await self._settle_last()
        returned += self.runner.given_back
        for executor in self._executors.values():
            await executor.stop()
        for loop in (self._claimer.loop, self._heartbeat.loop, self._recorder.loop, self._settler.loop):
            await loop.abort()
        self._watchdog.stop()
        await self._leave()
        await self._stack.aclose()
        self._announcer.announce(WorkerStopped(self.id, len(returned)))
        self.stopped.set()

    def slots(self) -> dict[str, tuple[int, int]]:
        """Return, for each executor, how many slots there are and how many are taken."""
        return {name: (lane.slots, lane.running) for name, lane in self._capacity.lanes.items()}

    async def hurry(self) -> None:
        """Cut the grace short: what still runs ends now."""
        self._hurried.set()

    async def _let_end(self) -> None:
        """Wait until nothing runs, or the grace has passed, or was cut short."""
        waits = [asyncio.create_task(self.runner.idle()), asyncio.create_task(self._hurried.wait())]
        await asyncio.wait(waits, timeout=self._options.grace, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    async def _end_the_rest(self) -> None:
        """End what still runs; a thread that does not obey is left behind and its job given back."""
        for attempt in list(self.runner.attempts.values()):
            attempt.stop("shutdown")
        try:
            async with asyncio.timeout(LAST_WORD):
                await self.runner.idle()
        except TimeoutError:
            self.runner.given_back.extend(attempt.job.claim for attempt in self.runner.attempts.values())

    def _make_claimer(self) -> Claimer:
        return Claimer(
            self._store.jobs,
            self._store.limits,
            self._store.workers,
            self._announcer,
            owner=self.id,
            queues=self._options.queues,
            lease=timedelta(seconds=self._options.lease),
            capacity=self._capacity,
            scopes=self._scopes,
            deliver=lambda job, limited: self.runner.accept(job, limited=limited),
        )

    def _make_heartbeat(self) -> Heartbeat:
        return Heartbeat(
            self._store.workers,
            self.runner,
            self._capacity,
            self._announcer,
            owner=self.id,
            lease=timedelta(seconds=self._options.lease),
            interval=self._options.extend_every,
            drained=self._drained,
            forgotten=self._forgotten,
        )

    def _loops(self) -> tuple[Loop, ...]:
        return (
            self._recorder.loop,
            self._settler.loop,
            self._counter.loop,
            self._heartbeat.loop,
            self._claimer.loop,
        )

    def _alive(self) -> bool:
        return self._heartbeat.alive()

    def _freed(self) -> None:
        self._claimer.loop.poke()
        reason = self._recycler.after_job() if self._recycler.watches else None
        if reason is not None:
            self._retire(reason)

    def _retire(self, reason: str) -> None:
        self.recycled = reason
        self._claimer.draining = True
        self._announcer.announce(WorkerRecycled(self.id, reason))
        self._retiring = asyncio.get_running_loop().create_task(self._finish_and_stop())

    async def _finish_and_stop(self) -> None:
        """Give back what waits, and stop when the last job has ended, however long it takes."""
        # Where the store is away, their leases will pass.
        with suppress(StoreError):
            await self._give_back([job.claim for job in self._capacity.take_waiting()])
        await self.runner.idle()
        self.stopped.set()

    def _serves(self, queue: str) -> bool:
        return not queue or queue in self._claimer.queues.queues

    def _scopes(self, job: ClaimedJob) -> tuple[tuple[str, int], ...]:
        task = self._registry.find(job.task)
        return task.scopes(job.queue, job.key) if task is not None else ()

    def _drained(self) -> None:
        self._claimer.draining = True
        self.stopped.set()

    def _forgotten(self) -> None:
        self._claimer.forget_idle()
        again = asyncio.get_running_loop().create_task(self._store.workers.register(self._info()))
        again.add_done_callback(_ignore_store_errors)

    async def _give_back(self, claims: list[Claim], *, begun: bool = False) -> None:
        if claims:
            await self._last_try(lambda: self._store.jobs.give_back(claims, begun=begun))

    async def _settle_last(self) -> None:
        await self._last_try(self._settler.loop.stop)
        await self._last_try(self._settler.flush)
        await self._last_try(self._recorder.flush)
        await self._give_back(self.runner.given_back, begun=True)
        await self._last_try(self._counter.loop.stop)
        await self._last_try(self._counter.flush)

    async def _leave(self) -> None:
        await self._last_try(lambda: self._store.workers.leave(self.id))

    async def _last_try(self, work: Callable[[], Awaitable[object]]) -> None:
        """Try until it works or the last word is over: then leases pass, and the jobs run again elsewhere."""
        began = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(self._last_word, SHORTEST_WORD)):
                while not await _works(work):  # noqa: ASYNC110 - the store tells nobody that it is back
                    await asyncio.sleep(LAST_PAUSE)
        self._last_word -= time.monotonic() - began

    def _info(self) -> WorkerInfo:
        tasks = tuple(
            TaskEntry(
                name=name,
                kind="function" if name == task.name else "alias",
                executor=task.executor,
                queue=task.queue,
                schema=task.arguments.schema(),
            )
            for task in self._registry.tasks.values()
            for name in (task.name, *task.aliases)
        )
        return WorkerInfo(
            id=self.id,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=self._options.version,
            queues=self._options.queues.queues,
            tasks=tasks,
            slots={name: executor.slots for name, executor in self._executors.items()},
        )


async def _works(work: Callable[[], Awaitable[object]]) -> bool:
    """Tell whether it need not be tried again."""
    try:
        await work()
    except StoreUnavailableError:
        return False
    except StoreError:
        pass
    return True


def _ignore_store_errors(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None and not isinstance(task.exception(), StoreError):
        raise task.exception()  # type: ignore[misc]  # not None, as the line above saw
