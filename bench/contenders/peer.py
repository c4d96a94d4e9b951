"""Peers that come with a worker command: it is what their users run, so it is what is measured."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from bench.contenders.contract import Contender, Order, Timing, await_go

__all__ = ["Peer", "job_done", "store_url"]

URL = "BENCH_URL"
DONE = "BENCH_DONE"
PATIENCE = 60.0
CHUNK = 65536


def store_url() -> str:
    """Return the address that the peer's module is imported for."""
    return os.environ.get(URL, "redis://127.0.0.1:6379/0")


def job_done() -> None:
    """Be the no-op task's body: tell the process that measures, from whatever thread or process this is."""
    os.write(_pipe(os.getpid()), b".")


@cache
def _pipe(_: int) -> int:
    return os.open(os.environ[DONE], os.O_WRONLY)


class Peer(Contender):
    """A peer by its command.

    Args:
        enqueue: stores so many no-op jobs, one call each; its clock is around it.
        workers: the module and arguments of the worker's command, by setup.
    """

    def __init__(self, enqueue: Callable[[int], object], workers: Mapping[str, Sequence[str]]) -> None:
        self._enqueue = enqueue
        self._workers = workers

    def enqueue(self, order: Order) -> Timing:
        self._enqueue(1)  # connects
        began = time.monotonic()
        self._enqueue(order.jobs)
        return Timing(order.jobs, began, time.monotonic())

    def drain(self, order: Order) -> Timing:
        """Store the jobs and run them; the clock runs from the first job's end to the last one's.

        So neither the start of the worker counts nor its acknowledgement of the last jobs.
        """
        stored = self.enqueue(order)
        jobs = order.jobs + 1
        with tempfile.TemporaryDirectory() as folder:
            pipe = Path(folder) / "done"
            os.mkfifo(pipe)
            reading = os.open(pipe, os.O_RDWR)  # both ways, so that nobody waits for the other to open it
            await_go()
            worker = subprocess.Popen(
                [sys.executable, "-m", *self._workers[order.setup]],
                env=os.environ | {DONE: str(pipe)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                first, last = _count(worker, reading, jobs)
            finally:
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
                os.close(reading)
        return Timing(jobs - 1, first, last, stored=stored.rate)


def _count(worker: "subprocess.Popen[bytes]", pipe: int, jobs: int) -> tuple[float, float]:
    """Read a byte for each job; returns when the first and when the last came."""
    os.set_blocking(pipe, False)
    first = 0.0
    last = time.monotonic()
    left = jobs
    while left > 0:
        try:
            done = len(os.read(pipe, CHUNK))
        except BlockingIOError:
            if worker.poll() is not None:
                raise RuntimeError(
                    f"the worker ended with {worker.returncode}, {left} of {jobs} jobs left"
                ) from None
            if time.monotonic() - last > PATIENCE:
                raise RuntimeError(f"no job for {PATIENCE:.0f} s, {left} of {jobs} left") from None
            time.sleep(0.0005)  # a pipe that is watched more closely costs the worker more
            continue
        last = time.monotonic()
        first = first or last
        left -= done
    return first, last
