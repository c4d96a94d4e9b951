"""A worker process that kills itself at a point of its cycle, drawn from a seed.

Run as a module: `python -m tests.chaos.victim URL FOLDER SEED`. The traps stand around the store's verbs and
in the task, so that nothing of Rota is patched.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from rota import Rota, current
from rota.engine.announcer import Announcer
from rota.engine.host import host
from rota.model.job import ClaimedJob, ClaimRequest
from rota.model.outcome import Settlement
from rota.ports.jobs import JobStore, Settled
from rota.ports.store import Store
from rota.wiring import make_executors, make_maintenance, make_store, make_worker
from tests.chaos.ledger import Ledger

PHASES = ("before claim", "after claim", "run", "before finish", "after finish")
LEASE = 2.0


class Trap:
    """Counts passes of each phase, and kills the process at the drawn one."""

    def __init__(self, ledger: Ledger, seed: int) -> None:
        draw = random.Random(seed)  # a seed of -1 is a worker that is not doomed
        self._ledger = ledger
        self._phase = PHASES[seed % len(PHASES)] if seed >= 0 else ""
        # Jobs pass far more often than groups of them are claimed or finished.
        self._left = draw.randint(20, 400) if self._phase == "run" else draw.randint(1, 12)

    def passes(self, phase: str) -> None:
        """Note that a phase is passed; at the drawn one, die."""
        if phase != self._phase:
            return
        self._left -= 1
        if self._left == 0:
            self._ledger.die(phase)
            os.kill(os.getpid(), signal.SIGKILL)


class TrappedJobs:
    """The job port with traps around claim and settle."""

    def __init__(self, jobs: JobStore, trap: Trap) -> None:
        self._jobs = jobs
        self._trap = trap

    def __getattr__(self, name: str) -> Any:
        return getattr(self._jobs, name)

    async def claim(self, request: ClaimRequest) -> list[ClaimedJob]:
        self._trap.passes("before claim")
        claimed = await self._jobs.claim(request)
        if claimed:
            self._trap.passes("after claim")
        return claimed

    async def settle(self, settlements: Sequence[Settlement]) -> Settled:
        self._trap.passes("before finish")
        settled = await self._jobs.settle(settlements)
        self._trap.passes("after finish")
        return settled


class TrappedStore:
    """A store whose jobs are trapped."""

    def __init__(self, store: Store, trap: Trap) -> None:
        self._store = store
        self.jobs = TrappedJobs(store.jobs, trap)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def make_app(url: str, folder: Path, passes: Any) -> Rota:
    """Make the app of the test: one task that writes the ledger and takes 5 to 200 ms."""
    ledger = Ledger(folder)
    # These deaths come from outside: no job is to blame, and none has to run alone.
    app = Rota(url, lease=LEASE, extend_every=0.5, grace=5.0, max_crashes=0)

    @app.task(result_ttl=0)
    async def work(milliseconds: int) -> None:
        attempt = current()
        ledger.write("start", str(attempt.job_id), attempt.job.token)
        passes("run")
        await asyncio.sleep(milliseconds / 1000)  # the work itself: jobs of 5 to 200 ms
        ledger.write("end", str(attempt.job_id), attempt.job.token)

    return app


async def main(url: str, folder: Path, seed: int) -> None:
    trap = Trap(Ledger(folder), seed)
    app = make_app(url, folder, trap.passes)
    store = make_store(app.settings)
    await store.open()
    trapped = cast("Store", TrappedStore(store, trap))
    announcer = Announcer()
    executors = make_executors(app.registry, app.settings, "")
    worker = make_worker(trapped, app.registry, executors, announcer=announcer, settings=app.settings)
    await host([make_maintenance(trapped, announcer, app.settings), worker], store.wakeup)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
