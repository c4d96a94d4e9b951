"""A proxy before PostgreSQL that counts statements, and kills the client before or after the k-th.

It reads the messages of the protocol (PostgreSQL's manual, "Frontend/Backend Protocol"): a statement is a
Query or an Execute. Before: the message and all that follow it are held back. After: the server has said
ReadyForQuery, and the client does not hear it.
"""

import os
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from rota.stores.postgres.catalog import statements

__all__ = ["Proxy"]

HEADER = 5


class Proxy:
    """Listens on a free port until it is left; one thread for each direction of each connection.

    Args:
        port: of the server, on this machine.
        kill_at: which statement, from 1; 0: none.
        after: once it has taken place.
    """

    def __init__(self, port: int, kill_at: int, *, after: bool) -> None:
        self._server = port
        self._kill_at = kill_at
        self._after = after
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.victim: Callable[[], int | None] = lambda: None
        self.names: list[str] = []
        self._known = {sql: name for name, sql in statements("rota", pushes=True).items()}
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                link = _Link(self, client, server)
                for work in (link.forth, link.back):
                    thread = threading.Thread(target=work)
                    self._threads.append(thread)
                    thread.start()

    def counts(self, sql: str) -> str:
        """Count a statement; returns "", or "before" or "after" when the client is to be killed there."""
        with self._lock:
            self.names.append(self._known.get(sql, " ".join(sql.split())[:40]))
            if len(self.names) != self._kill_at:
                return ""
        return "after" if self._after else "before"

    def kill(self) -> None:
        """Kill the client's process."""
        pid = self.victim()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)


class _Link:
    """One connection."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._doomed = False
        self._ending = threading.Lock()
        self._ended = 0
        self._prepared: dict[bytes, str] = {}
        self._bound = ""

    def forth(self) -> None:
        """Carry what the client says."""
        with self._closing(self._server):
            self._server.sendall(self._startup())
            for kind, message in _messages(self._client):
                sql = self._statement(kind, message[HEADER:])
                fate = self._proxy.counts(sql) if sql is not None else ""
                if fate == "before":
                    self._proxy.kill()
                    break
                self._doomed |= fate == "after"
                self._server.sendall(message)

    def back(self) -> None:
        """Carry what the server says."""
        with self._closing(self._client):
            for kind, message in _messages(self._server):
                if self._doomed and kind == b"Z":
                    self._proxy.kill()
                    break
                if not self._doomed:
                    self._client.sendall(message)

    @contextmanager
    def _closing(self, other: socket.socket) -> Iterator[None]:
        """End the other direction too, which may wait for its side; who is last closes both."""
        with suppress(OSError):
            yield
        with suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)
        with self._ending:
            self._ended += 1
            if self._ended == len((self.forth, self.back)):
                self._client.close()
                self._server.close()

    def _startup(self) -> bytes:
        size = _exactly(self._client, 4)
        return size + _exactly(self._client, struct.unpack("!i", size)[0] - 4)

    def _statement(self, kind: bytes, body: bytes) -> str | None:
        """Return the SQL of a message that has the server run something."""
        if kind == b"P":
            name, sql, *_ = body.split(b"\0")
            self._prepared[name] = sql.decode()
        elif kind == b"B":
            _, name, *_ = body.split(b"\0")
            self._bound = self._prepared.get(name, "?")
        elif kind == b"Q":
            return body[:-1].decode()
        elif kind == b"E":
            return self._bound
        return None


def _messages(line: socket.socket) -> Iterator[tuple[bytes, bytes]]:
    while True:
        header = _exactly(line, HEADER)
        yield header[:1], header + _exactly(line, struct.unpack("!i", header[1:])[0] - 4)


def _exactly(line: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = line.recv(size - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data
