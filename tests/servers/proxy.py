"""A TCP proxy that does what networks do: cuts, refuses, delays, and swallows without a word.

    with Proxy(server.port) as proxy:
        connect(f"postgresql://postgres@127.0.0.1:{proxy.port}/db")
        proxy.cut()

It runs in a thread of its own, so that tests may use it from synchronous code and from any event loop.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

__all__ = ["Proxy"]


_CHUNK = 65536


class Proxy:
    """Carries connections from a port of its own to another port of this machine."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._delay = 0.0
        self._frozen: set[asyncio.Task[None]] = set()
        self._carriers: set[asyncio.Task[None]] = set()
        self._held = False
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Close every connection; new ones pass."""
        self._do(self._cut)

    def refuse(self) -> None:
        """Close every connection and take no new one, until `heal`."""
        self._do(self._refuse)

    def delay(self, seconds: float) -> None:
        """Carry everything that much later, until `heal`."""
        self._delay = seconds

    def freeze(self) -> None:
        """Carry nothing any more on the connections that are there, and close none; new ones pass.

        That is what a firewall does that forgot them, or a machine that lost its power.
        """
        self._do(self._freeze)

    def hold(self) -> None:
        """Carry nothing at all, and close nothing, until `heal`: a black hole."""
        self._held = True
        self.freeze()

    def heal(self, target: int | None = None) -> None:
        """Let new connections pass, to another port if one is given; frozen ones stay dead."""
        self._target = target or self._target
        self._held = False
        self._delay = 0.0
        self._do(self._heal)

    def _do(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run_coroutine_threadsafe(work(), self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        for carrier in self._carriers:
            carrier.cancel()
        await asyncio.gather(*self._carriers, return_exceptions=True)

    async def _refuse(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        # One that the system has taken already comes to light in the loop's next round.
        await asyncio.sleep(0)
        await self._cut()

    async def _freeze(self) -> None:
        self._frozen |= self._carriers

    async def _heal(self) -> None:
        if self._server is None:
            await self._listen()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        carrier = self._loop.create_task(self._carry(reader, writer))
        self._carriers.add(carrier)
        if self._held:
            self._frozen.add(carrier)

        def ended(_: object) -> None:
            self._carriers.discard(carrier)
            self._frozen.discard(carrier)
            # Also of one that was cancelled before it began.
            _abort(writer)

        carrier.add_done_callback(ended)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        me = asyncio.current_task()
        assert me is not None
        try:
            from_target, to_target = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            return
        ways = [
            asyncio.create_task(self._pump(me, reader, to_target)),
            asyncio.create_task(self._pump(me, from_target, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if me in self._frozen:
                # Nobody learns that the other side has gone.
                await asyncio.Event().wait()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            _abort(to_target)

    async def _pump(
        self, me: "asyncio.Task[None]", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(_CHUNK):
            if self._delay:
                await asyncio.sleep(self._delay)  # it is what this proxy is for
            if me in self._frozen:
                continue
            writer.write(data)
            await writer.drain()


def _abort(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        sock = writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()
