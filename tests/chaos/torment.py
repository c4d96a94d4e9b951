"""Runs an app under torment: processes of every role are killed, stopped and asked to end, by one seed."""

import multiprocessing
import os
import random
import signal
import time
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

from rota import Rota
from tests.chaos import world
from tests.chaos.ledger import Ledger
from tests.chaos.victim import live

__all__ = ["CREW", "SPARED", "Torment", "processes"]

CREW = ("worker", "worker", "worker", "run", "scheduler", "submitter")
SPARED = frozenset({"terminate", "pause", "sleep"})
"""What is done to processes that need not die of it."""
LULL = 0.6
CALM = 90.0

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    ["tests.chaos.victim", "tests.chaos.cycle", "rota.stores.sqlite", "rota.stores.postgres"]
)


class Torment:
    """One run.

    Args:
        url: the store.
        folder: where the files of the run are.
        seed: what all is drawn from. What the operating system's scheduler decides cannot be replayed.
        kills: goes on until so many processes have died.
        batches: goes on until so many batches were submitted.
        seconds: instead of `batches`, how long jobs are submitted.
    """

    def __init__(
        self, url: str, folder: Path, seed: int, *, kills: int, batches: int = 0, seconds: float = 0.0
    ) -> None:
        self._url = url
        self._folder = folder
        self._seed = seed
        self._kills = kills
        self._until = (batches, time.time() + seconds)
        self._draw = random.Random(seed)
        self._crew: list[tuple[BaseProcess, str]] = []
        self._resume: dict[int, float] = {}
        self._born = 0
        # One worker is spared at a time: only who lives long can sleep through its lease and come back.
        self._sleeper: BaseProcess | None = None
        self._submitted = False
        self._patience = seconds + 600.0
        self.ledger = Ledger(folder)
        self.app = Rota(url, **world.settings())
        world.define(self.app, folder, lambda _phase: None)
        self.memory: dict[str, int] = {}
        self.seconds = 0.0

    def run(self) -> None:
        """Torment until enough has died and all is submitted; then let the rest end in peace."""
        (self._folder / "seed").write_text(str(self._seed))
        self.app.connection.store()
        began = time.monotonic()
        try:
            self._torment(began + self._patience)
            self._calm()
            self.seconds = time.monotonic() - began
        finally:
            codes = self._end()
        # Who was asked to end before it could listen for that has ended by the signal itself.
        assert set(codes) <= {0, -signal.SIGKILL, -signal.SIGTERM}, codes

    def _torment(self, deadline: float) -> None:
        act = time.monotonic() + LULL
        while not self._submitted or self._dead() < self._kills:
            assert time.monotonic() < deadline, f"not done in time: {self._dead()} kills"
            self._replace(doomed=True)
            if time.monotonic() > act:
                self._act()
                act = time.monotonic() + self._draw.uniform(0.5, 1.5) * LULL
            self._wake()
            time.sleep(0.05)  # between looks at processes that end by themselves

    def _calm(self) -> None:
        """Spare who comes from now on, stop the ticks, and wait until nothing is live."""
        # Somebody stopped in a transaction would keep the pause waiting, and nobody would wake him.
        self._resume = dict.fromkeys(self._resume, 0.0)
        self._wake()
        assert self.app.connection.run("pause", lambda store: store.schedules.pause("beat", "chaos", "calm"))
        deadline = time.monotonic() + CALM
        self._submitted = False
        while not self._submitted or self._live():
            assert time.monotonic() < deadline, f"{self._live()} jobs left after {CALM:g} s in peace"
            self._replace(doomed=False)
            self._wake()
            time.sleep(0.05)  # as above

    def _replace(self, *, doomed: bool) -> None:
        """Bury who has died, and start another of the role."""
        for process, role in list(self._crew):
            if process.exitcode is None:
                self._weigh(process, role)
                continue
            self._crew.remove((process, role))
            if process is self._sleeper:
                self._sleeper = None
            self._submitted |= role == "submitter" and process.exitcode == 0
        roles = [role for _, role in self._crew]
        for role in sorted(set(CREW)):
            if role == "submitter" and self._submitted:
                continue
            for _ in range(CREW.count(role) - roles.count(role)):
                self._start(role, doomed=doomed)

    def _start(self, role: str, *, doomed: bool) -> None:
        self._born += 1
        seed = self._seed * 10_000 + self._born
        if role == "worker" and self._sleeper is None:
            doomed = False
        if not doomed:
            seed = -1
        process = processes.Process(target=live, args=(self._url, str(self._folder), role, seed, self._until))
        process.start()
        if role == "worker" and not doomed:
            self._sleeper = process
        self._crew.append((process, role))

    def _act(self) -> None:
        """Ask a process to end, or stop it for less or for more than its lease."""
        process, role = self._draw.choice(self._crew)
        action = self._draw.choice(["terminate", "pause", "sleep", "sleep"])
        if action == "sleep" and self._sleeper is not None:
            process, role = self._sleeper, "worker"
        if role == "submitter" or process.pid is None or process.pid in self._resume:
            return
        self.ledger.note(process.pid, role, action)
        if action == "terminate":
            process.terminate()
            return
        shares = (0.1, 0.5) if action == "pause" else (1.2, 1.6)
        _send(process.pid, signal.SIGSTOP)
        self._resume[process.pid] = time.monotonic() + self._draw.uniform(*shares) * world.LEASE

    def _wake(self) -> None:
        alive = {process.pid for process, _ in self._crew if process.exitcode is None}
        for pid, at in list(self._resume.items()):
            if time.monotonic() > at:
                del self._resume[pid]
                if pid in alive:
                    _send(pid, signal.SIGCONT)

    def _weigh(self, process: BaseProcess, role: str) -> None:
        try:
            pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
        except OSError:
            return
        self.memory[role] = max(self.memory.get(role, 0), pages * os.sysconf("SC_PAGE_SIZE"))

    def _dead(self) -> int:
        return sum(death.phase not in SPARED for death in self.ledger.deaths())

    def _live(self) -> int:
        counts = self.app.connection.run("queues", lambda store: store.insight.queues())
        return sum(one.ready + one.held + one.scheduled + one.running + one.waiting for one in counts)

    def _end(self) -> list[int | None]:
        for process, _ in self._crew:
            process.terminate()
            if process.pid in self._resume and process.exitcode is None:
                _send(process.pid, signal.SIGCONT)
        for process, _ in self._crew:
            process.join(20)
            if process.exitcode is None:
                process.kill()
                process.join()
        return [process.exitcode for process, _ in self._crew]


def _send(pid: int, number: signal.Signals) -> None:
    # Between the last look and this line it may have killed itself.
    with suppress(ProcessLookupError):
        os.kill(pid, number)
