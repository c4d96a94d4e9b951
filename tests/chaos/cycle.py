"""Everything that a submitter, a worker and a scheduler do with a store, in one order."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rota import Retry, Rota, current, every
from rota.engine.announcer import Announcer
from rota.engine.promoter import Promoter
from rota.engine.pruner import Pruner
from rota.engine.rescuer import Rescuer
from rota.engine.scheduler import Scheduler
from rota.engine.worker import Worker
from rota.executors.inline import AsyncExecutor
from rota.model.errors import SubmitUncertainError
from rota.model.ids import new_id
from rota.model.job import ClaimRequest, JobFilter
from rota.model.outcome import Settlement, Snooze, Succeeded
from rota.model.states import LIVE
from rota.operations.schedules import submission_of
from rota.ports.limits import SlotRequest
from rota.ports.retention import Retention
from rota.ports.store import Store
from rota.testing.clock import FakeClock
from rota.testing.conformance.scene import START
from rota.wiring import make_worker, queue_order
from tests.chaos.ledger import Ledger, append, read
from tests.chaos.victim import Intent

__all__ = ["KEEP", "LATER", "Stage", "live", "prepare", "recover"]

LEASE = timedelta(seconds=30)
LATER = START + timedelta(hours=2)
KEEP = Retention(history=timedelta(days=7), dead=timedelta(days=7), ticks=timedelta(days=7))
BEAT = timedelta(hours=1)


class Stage:
    """An app whose store goes by a clock that stands still, and the files beside it."""

    def __init__(self, url: str, folder: Path, now: datetime = START, *, ends: bool = True) -> None:
        self.clock = FakeClock(now)
        self.ledger = Ledger(folder, lambda: self.clock.now().timestamp())
        self.intents = folder / "intents.jsonl"
        self.app = Rota(url, lease=30.0, grace=0.01)
        self.app.clock = self.clock
        self.announcer = Announcer()
        self.ends = ends
        _define(self.app, self)

    def turns(self, store: Store) -> dict[str, Callable[[], Awaitable[Any]]]:
        """Return one turn of each service that has them."""
        return {
            "promote": Promoter(store.jobs, self.announcer).turn,
            "rescue": Rescuer(store.jobs, store.limits, self.announcer).turn,
            "prune": Pruner(store.retention, KEEP, self.announcer).turn,
            "tick": Scheduler(store, submission_of, self.announcer).turn,
        }

    def worker(self, store: Store) -> Worker:
        """Return a worker that does only what it is told."""
        return make_worker(
            store,
            self.app.registry,
            [AsyncExecutor(20)],
            announcer=self.announcer,
            settings=self.app.settings,
        )


def _define(app: Rota, stage: Stage) -> None:
    @app.task
    async def work() -> int:
        with stage.ledger.attempt():
            return 1

    @app.task(retry=Retry(1, delay=5, jitter=0))
    async def flaky() -> None:
        with stage.ledger.attempt():
            if current().attempt == 1:
                raise ConnectionError("not yet")

    @app.task
    async def doomed() -> None:
        with stage.ledger.attempt():
            raise ValueError("never")

    @app.task
    async def sleepy() -> Snooze | None:
        with stage.ledger.attempt():
            return None if stage.clock.now() > START else Snooze(timedelta(seconds=5), "later")

    @app.task(limit=1)
    async def limited() -> None:
        with stage.ledger.attempt({"task:limited": 1}):
            current().log.info("alone")

    @app.task
    async def endless() -> None:
        with stage.ledger.attempt():
            if not stage.ends:
                await asyncio.Event().wait()

    @app.schedule(every(hours=1), id="hourly")
    async def hourly() -> None:
        with stage.ledger.attempt():
            pass


def prepare(url: str, folder: Path) -> None:
    """Fill a store with what makes every service find something to do."""
    stage = Stage(url, folder, START - timedelta(days=30))
    asyncio.run(_prepare(stage))


async def _prepare(stage: Stage) -> None:
    store, tasks = stage.app.make_store(), stage.app.tasks
    await store.open()
    await store.jobs.submit([tasks["work"].submission((), {}), tasks["limited"].submission((), {})])
    old = await store.jobs.claim(_request(["default"], 2))
    await store.jobs.settle([Settlement(job.id, job.token, Succeeded(b"1")) for job in old])
    stage.clock.set(START - BEAT)
    await stage.app.schedules.store_declared(store)
    silent = [tasks["limited"].options(queue="silent").submission((), {}) for _ in range(2)]
    await store.jobs.submit(silent)
    claimed = await store.jobs.claim(_request(["silent"], 2))
    await store.limits.acquire([SlotRequest(job.claim, (("task:limited", 1),)) for job in claimed])
    due = tasks["work"].options(delay=60).submission((), {})
    late = tasks["work"].options(expires=timedelta(seconds=60)).submission((), {})
    await store.jobs.submit([due, late])
    for job in (*silent, due, late):
        stage.ledger.write("submit", str(job.id))
    await store.close()


def _request(queues: list[str], limit: int) -> ClaimRequest:
    return ClaimRequest(owner=new_id(), queues=tuple(queues), limits={"async": limit}, lease=LEASE)


def live(url: str, folder: Path) -> None:
    """Do it all: submit, tick, promote, rescue, prune, and a worker's life from its start to its stop."""
    stage = Stage(url, folder, ends=False)
    _submit(stage)
    asyncio.run(_live(stage))
    stage.app.connection.close()


def _submit(stage: Stage) -> None:
    tasks = stage.app.tasks
    names = (*["work"] * 4, "flaky", "doomed", "sleepy", "limited", "limited", "endless")
    batches = [
        [tasks[name].submission((), {}) for name in names],
        [tasks["work"].submission((), {})],
        [tasks["work"].options(unique="ada", unique_for=timedelta(hours=1)).submission((), {})],
        [tasks["work"].options(delay=3600).submission((), {})],
    ]
    for number, jobs in enumerate(batches):
        append(stage.intents, Intent(number, tuple(jobs)))
    append(stage.intents, Intent(len(batches), cancelled=(batches[-1][0].id,)))
    for number, jobs in enumerate(batches):
        _answered(stage, number, [one.id for one in stage.app.submit(jobs)])
    stage.app.job(batches[-1][0].id).cancel()


def _answered(stage: Stage, batch: int, ids: list[Any]) -> None:
    for job in ids:
        stage.ledger.write("submit", str(job))
    append(stage.intents, Intent(batch, answered=True))


async def _live(stage: Stage) -> None:
    store = stage.app.make_store()
    await store.open()
    worker, turns = stage.worker(store), stage.turns(store)
    await store.workers.register(worker._info())
    for turn in ("tick", "promote", "rescue"):
        await turns[turn]()
    await store.workers.idle(worker.id, idle=True)
    for _ in range(3):
        await _round(stage, worker)
        stage.clock.advance(10)
        await turns["promote"]()
    await turns["prune"]()
    await worker.stop()
    await store.close()


async def _round(stage: Stage, worker: Worker) -> None:
    """Claim, let what ends end, beat, and settle."""
    queues = queue_order("default,silent", stage.app.registry)
    await worker.work_off(queues)
    for _ in range(20):
        await asyncio.sleep(0)  # no task but the endless one waits for anything but its turn
    await worker._heartbeat.turn()
    await worker._settler.flush()


def recover(url: str, folder: Path) -> None:
    """Two hours later: send again what was not answered, and let a fresh worker do all that is left."""
    stage = Stage(url, folder, LATER)
    known = read(stage.intents, Intent)
    answered = {intent.batch for intent in known if intent.answered}
    for intent in known:
        if intent.jobs and intent.batch not in answered:
            again = stage.app.resend(SubmitUncertainError(intent.jobs, "killed"))
            _answered(stage, intent.batch, [job.id for job in again])
        for job_id in intent.cancelled:
            stage.app.job(job_id).cancel()
    asyncio.run(_recover(stage))
    stage.app.connection.close()


async def _recover(stage: Stage) -> None:
    store = stage.app.make_store()
    await store.open()
    worker, turns = stage.worker(store), stage.turns(store)
    await store.workers.register(worker._info())
    queues = queue_order("default,silent", stage.app.registry)
    for _ in range(4):
        for turn in ("tick", "promote", "rescue", "prune"):
            await turns[turn]()
        while await worker.work_off(queues):
            await worker.runner.idle()
        stage.clock.advance(10)
    assert not await store.insight.jobs(JobFilter(states=LIVE), limit=10)
    await worker.stop()
    await store.close()
