"""A small parent of a worker: starts it again when it crashes, or when it asks to be replaced."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from rota.model.errors import RotaError

__all__ = ["Tether", "supervise", "tether"]

VARIABLE = "ROTA_TETHER"
ENDED, REPLACE = b"e", b"r"
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
HEALTHY_AFTER = 60.0

logger = logging.getLogger("rota")


class Tether:
    """The worker's end of the line to its parent.

    When the parent is gone the worker is killed, so that a `kill -9` of the process that was started means
    the worker. And the worker says how it ends: without a word, it has crashed.
    """

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._word = ENDED
        threading.Thread(target=self._hold, name="rota-tether", daemon=True).start()

    def replace_me(self) -> None:
        """Ask for a new worker in place of this one."""
        self._word = REPLACE

    def run(self, work: Callable[[Callable[[], None]], int]) -> int:
        """Do a command's work, and tell the parent how it ended; `work` gets what to call when it is ready.

        Once it is ready, an error that is none of Rota's is a crash: before that it would come again.
        """
        ready = threading.Event()
        try:
            code = work(ready.set)
        except (RotaError, SystemExit, KeyboardInterrupt):
            self._say()
            raise
        except BaseException:
            if not ready.is_set():
                self._say()
            raise
        self._say()
        return code

    def _say(self) -> None:
        with suppress(OSError):
            self._line.send(self._word)

    def _hold(self) -> None:
        with suppress(OSError):
            self._line.recv(1)
        os.kill(os.getpid(), signal.SIGKILL)


def tether() -> Tether | None:
    """Return the line to this process's parent, if it has one that supervises it."""
    number = os.environ.pop(VARIABLE, None)
    if number is None:
        return None
    line = socket.socket(fileno=int(number))
    # Programs that tasks start have no part in it.
    line.set_inheritable(False)
    return Tether(line)


def supervise() -> int:
    """Run this process's own command line in a child, again and again, until it ends in order.

    SIGTERM, SIGINT and SIGHUP are passed on. Orphans are reaped, as process 1 of a container has to.

    Returns:
        The exit code of the last child.
    """
    return _Supervisor().run()


class _Supervisor:
    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._crashes = 0

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # Started by nohup, or in the background of a script, it stays deaf.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._pass_on)
        while True:
            began = time.monotonic()
            pid, code, word = self._live()
            if word == REPLACE and not self._stopping.is_set():
                continue
            if word or self._stopping.is_set():
                return code if code >= 0 else 128 - code
            pause = self._pause(time.monotonic() - began)
            logger.error("worker process %d %s; again in %.1f s", pid, _ending(code), pause)
            if self._stopping.wait(pause):
                return 1

    def _live(self) -> tuple[int, int, bytes]:
        """Start a child and wait for its end; returns its id, its exit code, and its last word."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                # In a group of its own: a Ctrl-C reaches it once, through this process.
                self._child = child = subprocess.Popen(  # noqa: S603 - the command line of this very process
                    [sys.executable, *sys.orig_argv[1:]],
                    env=os.environ | {VARIABLE: str(theirs.fileno())},
                    pass_fds=(theirs.fileno(),),
                    process_group=0,
                )
            if self._stopping.is_set():
                # The signal came while there was no child to pass it to.
                child.terminate()
            code = _wait_for(child)
            ours.setblocking(False)  # noqa: FBT003 - the socket's own signature
            word = b""
            with suppress(OSError):
                word = ours.recv(1)
        return child.pid, code, word

    def _pause(self, lived: float) -> float:
        self._crashes = 0 if lived > HEALTHY_AFTER else self._crashes
        self._crashes += 1
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (self._crashes - 1))

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self._stopping.set()
        if self._child is not None and self._child.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._child.pid, signal.SIGTERM if number == signal.SIGHUP else number)


def _wait_for(child: "subprocess.Popen[bytes]") -> int:
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return child.returncode


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code} in the middle of its work"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
