"""Tasks that block the event loop: named, and their claims kept, until they have passed their own timeout."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Self

import pytest

from rota import State, current
from rota.model.events import LoopBlocked
from rota.settings import Settings, change_settings
from rota.wiring import make_store
from tests.integration.engine.conftest import Stage

# Longer than any test: what blocks is released by an event.
PATIENCE = 20


@pytest.fixture
def blocked(stage: Stage) -> list[LoopBlocked]:
    changes = {"lease": 1.5, "extend_every": 0.3, "blocked_after": 0.2}
    stage.app.settings = change_settings(stage.app.settings, changes)
    events: list[LoopBlocked] = []
    stage.announcer.subscribe(LoopBlocked, events.append)
    return events


async def test_the_task_that_blocks_is_named_with_its_line(stage: Stage, blocked: list[LoopBlocked]) -> None:
    told = threading.Event()
    stage.announcer.subscribe(LoopBlocked, lambda _: told.set())

    @stage.app.task
    async def blocks() -> None:
        told.wait(PATIENCE)

    @stage.app.task
    async def waits() -> None:
        await asyncio.sleep(0.5)  # longer than is allowed to block, but it does not

    patient = await waits.enqueue_async()
    job = await blocks.enqueue_async()
    async with stage.worker():
        assert (await stage.finished(job)).state is State.SUCCEEDED
        await stage.finished(patient)
    assert (blocked[0].job, blocked[0].task) == (job.id, "blocks")
    assert blocked[0].seconds == pytest.approx(0.2, abs=0.15)
    assert any(f"{__file__}:" in line and line.endswith("in blocks") for line in blocked[0].stack)
    assert {event.task for event in blocked} == {"blocks"}
    line, *_ = await stage.store.insight.logs(job.id)
    assert line.message.startswith("blocked the worker's event loop for ")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="tasks do not show their context before Python 3.12")
async def test_what_it_left_to_an_asyncio_task_is_its_own(stage: Stage, blocked: list[LoopBlocked]) -> None:
    told = threading.Event()
    stage.announcer.subscribe(LoopBlocked, lambda _: told.set())

    async def part() -> None:
        told.wait(PATIENCE)

    @stage.app.task
    async def gathers() -> None:
        await asyncio.gather(part(), part())

    job = await gathers.enqueue_async()
    async with stage.worker():
        await stage.finished(job)
    assert blocked[0].job == job.id


class Rival:
    """Another process's rescuer, in a thread: takes back what has been silent, and tells."""

    def __init__(self, settings: Settings) -> None:
        self.taken = threading.Event()
        self._settings = settings
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    async def _work(self) -> None:
        store = make_store(self._settings)
        await store.open()
        while not self._over.is_set():
            if await store.jobs.rescue(10):
                self.taken.set()
            await asyncio.sleep(0.05)  # between looks, as a rescuer does
        await store.close()


@pytest.fixture
def rival(stage: Stage, blocked: list[LoopBlocked]) -> Iterator[Rival]:  # noqa: ARG001 - changes the settings
    with Rival(stage.app.settings) as rival:
        yield rival


async def test_its_claim_is_kept_for_longer_than_its_lease(
    stage: Stage, blocked: list[LoopBlocked], rival: Rival
) -> None:
    @stage.app.task
    async def blocks() -> bool:
        return rival.taken.wait(4)

    @stage.app.task
    async def neighbour() -> int:
        await asyncio.sleep(0)
        return current().attempt

    jobs = [await blocks.enqueue_async(), await neighbour.enqueue_async()]
    async with stage.worker():
        for job in jobs:
            assert (await stage.finished(job)).attempt == 1
    assert not rival.taken.is_set()
    assert max(event.seconds for event in blocked) > 1.5


async def test_not_for_longer_than_its_own_timeout(
    stage: Stage, blocked: list[LoopBlocked], rival: Rival
) -> None:
    @stage.app.task(timeout=0.5)
    async def blocks() -> None:
        rival.taken.wait(PATIENCE)

    job = await blocks.enqueue_async()
    async with stage.worker():
        await asyncio.to_thread(rival.taken.wait, PATIENCE)
        assert rival.taken.is_set()
        assert (await stage.record(job)).crashes == 1
    assert blocked[0].job == job.id


PAUSED = """
import asyncio, sys, time
from rota import Rota
from rota.engine.announcer import Announcer
from rota.model.events import LoopBlocked
from rota.app.serving import serve, run_loop

app = Rota(sys.argv[1], blocked_after=0.2)
announcer = Announcer()
announcer.subscribe(LoopBlocked, lambda event: print("blocked", flush=True))
run_loop(serve(app, ["worker"], announcer=announcer, ready=lambda: print("ready", flush=True)))
"""


def test_a_pause_of_the_whole_process_blames_nobody(tmp_path: object) -> None:
    command = [sys.executable, "-c", PAUSED, f"sqlite:///{tmp_path}/rota.db"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        for _ in range(2):
            os.kill(worker.pid, signal.SIGSTOP)
            time.sleep(0.6)  # the pause itself, longer than what is allowed to block
            os.kill(worker.pid, signal.SIGCONT)
        worker.terminate()
        assert worker.stdout.read() == ""
    assert worker.returncode == 0
