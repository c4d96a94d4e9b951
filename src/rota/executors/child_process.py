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

from rota.executors.crashes import Exit
from rota.executors.messages import Frames, FromChild, decode_from_child

__all__ = ["ChildProcess"]

CHUNK = 256 * 1024
TAIL = 4096


class ChildProcess:
    """A fresh Python (never a fork of this one), with a line to it in the running event loop.

    It has a session of its own: a Ctrl-C on the terminal does not reach it, and a kill takes along what its
    task has started. When this process ends in whatever way, the line breaks and the child ends too.

    Args:
        heard: called with each message.
        gone: called once with how it ended, when the process is dead and all that it said was heard.
        overhear: keep the end of what it writes to standard error, which still arrives at this process's own.

    Raises:
        OSError: the system has no room for another process.
        RuntimeError: it has none for the thread that waits for its end.
    """

    def __init__(
        self, heard: Callable[[FromChild], None], gone: Callable[[Exit], None], *, overhear: bool = False
    ) -> None:
        self._heard = heard
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        self._unsent = bytearray()
        self._deaf = False
        self._dead = False
        self._reaping = threading.Lock()
        self._tail = bytearray()
        self._line, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = _spawn(theirs.fileno(), overhear=overhear)
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
        if self._process.stderr is not None:
            os.set_blocking(self._process.stderr.fileno(), False)
            self._loop.add_reader(self._process.stderr.fileno(), self._overhear)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def last_words(self) -> str:
        """The end of what it wrote to standard error since `forget_words`, where that is overheard."""
        return self._tail.decode(errors="backslashreplace").replace("\0", "\\0")

    def forget_words(self) -> None:
        """Begin anew with what `last_words` tells."""
        self._tail.clear()

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

    def _overhear(self) -> None:
        """Pass standard error on, and keep its end."""
        assert self._process.stderr is not None  # noqa: S101 - its reader calls this
        number = self._process.stderr.fileno()
        with suppress(BlockingIOError):
            while data := os.read(number, CHUNK):
                self._tail += data
                del self._tail[:-TAIL]
                with suppress(OSError):
                    os.write(2, data)
            # Closed by the child.
            self._loop.remove_reader(number)

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
            with self._reaping:
                end = self._reap()
                self._dead = True
        else:
            end = self._reap()
            self._dead = True
        # The loop may be closed: the program ends without having stopped its worker.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._bury, end)

    def _reap(self) -> Exit:
        try:
            _, status, usage = os.wait4(self.pid, 0)
        except ChildProcessError:
            # Someone else was faster, as a program may be that waits for all of its children.
            return Exit(self._process.wait())
        end = Exit.of_wait(status, usage.ru_maxrss)
        self._process.returncode = end.code
        return end

    def _bury(self, end: Exit) -> None:
        self._loop.remove_writer(self._line.fileno())
        self._loop.remove_reader(self._line.fileno())
        with suppress(BlockingIOError):
            while self._receive():
                pass
        self._line.close()
        if self._process.stderr is not None:
            self._overhear()
            self._loop.remove_reader(self._process.stderr.fileno())
            self._process.stderr.close()
        self._gone(end)


def _spawn(number: int, *, overhear: bool) -> "subprocess.Popen[bytes]":
    python = get_command_line()[:-3]
    paths = [path or os.getcwd() for path in sys.path]  # noqa: PTH109 - what Python puts there is text
    # The path comes first: `rota` itself may be found by it alone.
    program = f"import sys; sys.path[:] = {paths!r}; from rota.executors.child import main; main({number})"
    return subprocess.Popen(  # noqa: S603 - this Python, with our own module
        [*python, "-c", program],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE if overhear else None,
        pass_fds=(number,),
        start_new_session=True,
    )


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
