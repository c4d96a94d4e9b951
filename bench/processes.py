"""A contender's verb in a process of its own."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

import msgspec

from bench.contenders.contract import GO, READY, Order, Timing

__all__ = ["ContenderFailedError", "Running", "run", "run_together", "serving"]

PATIENCE = 30.0
LONGEST_RUN = 900.0  # seconds; who takes longer hangs
LONGEST_WORD = 300


class ContenderFailedError(RuntimeError):
    """A contender is not installed, or its process failed; the message is its last line."""


class Running:
    """The process. It is ended with the `with` block."""

    def __init__(self, contender: str, verb: str, order: Order) -> None:
        self.name = f"{contender} {verb}"
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "bench.contenders",
                contender,
                verb,
                msgspec.json.encode(order).decode(),
            ],
            env=os.environ | {"BENCH_URL": order.url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

        self._alarm = threading.Timer(LONGEST_RUN, self._process.kill)
        self._alarm.daemon = True

    def __enter__(self) -> Self:
        self._alarm.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._alarm.cancel()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            assert stream is not None
            stream.close()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def line(self) -> str:
        """Return the next line that it says.

        Raises:
            ContenderFailedError: it has ended instead.
        """
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            self._process.wait(PATIENCE)
            raise ContenderFailedError(f"{self.name}: {self._last_error()}")
        return said.strip()

    def wait_until_ready(self) -> None:
        """Wait until it has set itself up."""
        while self.line() != READY:
            pass

    def go(self) -> None:
        """Let it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{GO}\n")
        self._process.stdin.flush()

    def result(self) -> Timing:
        """Return what it measured, and let it begin if it waits for that."""
        while not (said := self.line()).startswith("{"):
            if said == READY:
                self.go()
        self._process.wait(PATIENCE)
        return msgspec.json.decode(said, type=Timing)

    def _last_error(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()
        return lines[-1][:LONGEST_WORD] if lines else f"ended with {self._process.returncode}"


def run(contender: str, verb: str, order: Order) -> Timing:
    """Run a verb to its end."""
    with Running(contender, verb, order) as process:
        return process.result()


def run_together(contender: str, verb: str, order: Order, count: int) -> list[Timing]:
    """Run a verb in several processes that begin together when all are ready."""
    with ExitStack() as stack:
        processes: Sequence[Running] = [
            stack.enter_context(Running(contender, verb, order)) for _ in range(count)
        ]
        for process in processes:
            process.wait_until_ready()
        for process in processes:
            process.go()
        return [process.result() for process in processes]


@contextmanager
def serving(contender: str, order: Order) -> Iterator[Running]:
    """Have an idle worker of a contender running."""
    with Running(contender, "serve", order) as worker:
        worker.wait_until_ready()
        yield worker
