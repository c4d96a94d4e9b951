"""PgBouncer in transaction mode, in miniature: the next transaction of a client runs on another connection.

    async with Pooler("postgresql://postgres@127.0.0.1:5432/db", size=3) as pooler:
        connection = await asyncpg.connect(pooler.url)

As PgBouncer does without further settings, it refuses startup parameters that it does not know, and it keeps
prepared statements, settings and LISTEN on the connection on which they happened to run.
"""

import asyncio
import contextlib
import struct
from typing import Final, Self
from urllib.parse import urlsplit

_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102
_KNOWN: Final = {"user", "database", "client_encoding", "application_name", "datestyle", "timezone"}
_ENDS_TURN: Final = {b"S", b"Q", b"F"}  # what the server answers with ReadyForQuery

_BYE: Final = b"X"

_Message = tuple[bytes, bytes]
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _read(reader: asyncio.StreamReader) -> _Message:
    """Return the kind of the next message, and all of it."""
    head = await reader.readexactly(5)
    return head[:1], head + await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


class Pooler:
    """A few connections to a server, shared by any number of clients.

    Args:
        url: the database; the server must trust its user.
        size: how many connections to keep; at least two, or nothing would change hands.
    """

    def __init__(self, url: str, size: int = 3) -> None:
        self._parts = urlsplit(url)
        self._size = size
        self._free: asyncio.Queue[_Streams] = asyncio.Queue()
        self._links: list[_Streams] = []
        self._greeting = b""
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self.url = ""
        self.turns = 0

    async def __aenter__(self) -> Self:
        for _ in range(self._size):
            link = await self._connect()
            self._links.append(link)
            self._free.put_nowait(link)
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"postgresql://{self._parts.username}@127.0.0.1:{port}{self._parts.path}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        for link in self._links:
            link[1].close()

    async def _connect(self) -> _Streams:
        reader, writer = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        words = ["user", self._parts.username or "", "database", self._parts.path.lstrip("/"), ""]
        body = struct.pack("!I", 196608) + b"\0".join(word.encode() for word in words) + b"\0"
        writer.write(struct.pack("!I", len(body) + 4) + body)
        greeting = b""
        while True:
            kind, message = await _read(reader)
            greeting += message
            if kind == b"E":
                raise ConnectionError(message)
            if kind == b"Z":
                self._greeting = greeting
                return reader, writer

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._receive(reader, writer))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            if await self._greet(reader, writer):
                await self._serve(reader, writer)

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        while True:
            (length,) = struct.unpack("!I", await reader.readexactly(4))
            body = await reader.readexactly(length - 4)
            (code,) = struct.unpack("!I", body[:4])
            if code == _CANCEL:
                return False
            if code not in {_SSL, _GSS}:
                break
            writer.write(b"N")
        names = body[4:].rstrip(b"\0").split(b"\0")[::2]
        strange = [name.decode() for name in names if name.decode().lower() not in _KNOWN]
        if strange:
            text = f"unsupported startup parameter: {strange[0]}".encode()
            writer.write(_message(b"E", b"SFATAL\0VFATAL\0C08P01\0M" + text + b"\0\0"))
            await writer.drain()
            return False
        writer.write(self._greeting)
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Give each transaction of a client the connection that has rested longest."""
        requests: asyncio.Queue[_Message] = asyncio.Queue()
        hearing = asyncio.create_task(_hear(reader, requests))
        try:
            while (first := await requests.get())[0] != _BYE:
                link = await self._free.get()
                self.turns += 1
                if await _transact(requests, writer, link, first):
                    self._free.put_nowait(link)
                else:
                    link[1].close()
                    self._links.remove(link)
                    self._links.append(await self._connect())
                    self._free.put_nowait(self._links[-1])
        finally:
            hearing.cancel()


async def _hear(reader: asyncio.StreamReader, requests: "asyncio.Queue[_Message]") -> None:
    """Read what a client says, to its end."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            requests.put_nowait(await _read(reader))
    requests.put_nowait((_BYE, b""))


async def _transact(
    requests: "asyncio.Queue[_Message]", writer: asyncio.StreamWriter, link: _Streams, first: _Message
) -> bool:
    """Carry one transaction; False when the client went away in its midst."""
    from_server, to_server = link
    to_server.write(first[1])
    waiting = int(first[0] in _ENDS_TURN)
    answer = asyncio.create_task(_read(from_server))
    request = asyncio.create_task(requests.get())
    try:
        while True:
            await asyncio.wait({answer, request}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                kind, message = answer.result()
                writer.write(message)
                waiting -= kind == b"Z"
                if kind == b"Z" and not waiting and message[5:] == b"I":
                    return True
                answer = asyncio.create_task(_read(from_server))
            if request.done():
                kind, message = request.result()
                if kind == _BYE:
                    return False
                to_server.write(message)
                waiting += kind in _ENDS_TURN
                request = asyncio.create_task(requests.get())
    finally:
        answer.cancel()
        request.cancel()
