"""A child process as its worker sees it: started, spoken to, killed, and known to be dead."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.spawn import get_command_line

from msgspec import DecodeError

from rota.executors.messages import Frames, FromChild, decode_from_child

__all__ = ["ChildProcess"]

CHUNK = 256 * 1024


class ChildProcess:
    """A fresh Python (never a fork of this one), with a line to it in the running event loop.

    It has a session of its own: a Ctrl-C on the terminal does not reach it, and a kill takes along what its
    task has started. When this process ends in whatever way, the line breaks and the child ends too.

    Args:
        heard: called with each message.
        gone: called once with the exit code (negative: a signal), when the process is dead and all that it
            said was heard.

    Raises:
        OSError: the system has no room for another process.
        RuntimeError: it has none for the thread that waits for its end.
    """

    def __init__(self, heard: Callable[[FromChild], None], gone: Callable[[int], None]) -> None:
        self._heard = heard
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        self._unsent = bytearray()
        self._deaf = False
        self._dead = False
        self._reaping = threading.Lock()
        self._line, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = _spawn(theirs.fileno())
            except BaseException:
                self._line.close()
                raise
        self._line.setblocking(False)  # noqa: FBT003 - the socket's own signature
        # Waits for the process itself: a grandchild may hold the line open after its death.
        waiter = threading.Thread(target=self._wait, name=f"rota-child-{self.pid}", daemon=True)
        try:
            waiter.start()
        except RuntimeError:
            self.kill()
            self._process.wait()
            self._line.close()
            raise
        self._loop.add_reader(self._line.fileno(), self._read)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def send(self, message: bytes) -> bool:
        """Send a framed message; returns False when the process is dead and will not see it."""
        self._unsent += message
        self._write()
        return not self._deaf

    def kill(self) -> None:
        """Kill the process and all that it started, now (SIGKILL)."""
        with self._reaping:
            if not self._dead:
                _kill_group(self.pid)

    def _read(self) -> None:
        with suppress(BlockingIOError):
            if not self._receive():
                self._loop.remove_reader(self._line.fileno())

    def _receive(self) -> bool:
        """Take what has come; returns False when there will be no more.

        Raises:
            BlockingIOError: nothing has come.
        """
        try:
            data = self._line.recv(CHUNK)
        except ConnectionError:
            return False
        try:
            for body in self._frames.feed(data):
                self._heard(decode_from_child(body))
        except DecodeError:
            # The task wrote into our line. Nothing that follows can be trusted.
            self.kill()
            return False
        return bool(data)

    def _write(self) -> None:
        try:
            sent = self._line.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._deaf = True
            sent = len(self._unsent)
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._line.fileno(), self._write)
        else:
            self._loop.remove_writer(self._line.fileno())

    def _wait(self) -> None:
        if hasattr(os, "waitid"):
            # Dead and not reaped: until then the number is its own. What a crash leaves behind of the task's
            # own processes would run on, unseen.
            with suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            _kill_group(self.pid)
        else:
            self._process.wait()
        with self._reaping:
            self._dead = True
            code = self._process.wait()
        # The loop may be closed: the program ends without having stopped its worker.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._bury, code)

    def _bury(self, code: int) -> None:
        self._loop.remove_writer(self._line.fileno())
        self._loop.remove_reader(self._line.fileno())
        with suppress(BlockingIOError):
            while self._receive():
                pass
        self._line.close()
        self._gone(code)


def _spawn(number: int) -> "subprocess.Popen[bytes]":
    python = get_command_line()[:-3]
    paths = [path or os.getcwd() for path in sys.path]  # noqa: PTH109 - what Python puts there is text
    # The path comes first: `rota` itself may be found by it alone.
    program = f"import sys; sys.path[:] = {paths!r}; from rota.executors.child import main; main({number})"
    return subprocess.Popen(  # noqa: S603 - this Python, with our own module
        [*python, "-c", program],
        stdin=subprocess.DEVNULL,
        pass_fds=(number,),
        start_new_session=True,
    )


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
