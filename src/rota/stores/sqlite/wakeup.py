"""Wake-up calls: within this process directly, to others by letters."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from rota.model.events import Notice
from rota.stores.sqlite.fork import abandon, survive
from rota.stores.sqlite.mailbox import Letter, Mailbox

__all__ = ["SqliteWakeup"]

LOOK_EVERY = 0.0003
LOOK_FOR = 0.05


class SqliteWakeup:
    """`Wakeup` on SQLite.

    A notice from inside a user's transaction comes before its commit: for a short while the file is watched,
    and the listener is called again whenever someone has committed.

    Args:
        mailbox: the way to other processes.
        connect: opens a connection to watch the file with.
    """

    def __init__(self, mailbox: Mailbox, connect: Callable[[], sqlite3.Connection]) -> None:
        self._mailbox = mailbox
        self._connect = connect
        self._lock = threading.Lock()
        self._subscription: _Subscription | None = None
        survive(self)

    async def start(self, listener: Callable[[Notice], None]) -> None:
        """Call `listener` for every notice; see the port."""
        await self.stop()
        subscription = _Subscription(listener, self._mailbox, self._connect())
        subscription.open()
        with self._lock:
            self._subscription = subscription

    async def notify(self, notice: Notice) -> None:
        """Send a notice to all processes, this one too."""
        self.send([notice])

    async def stop(self) -> None:
        """End the subscription; see the port."""
        with self._lock:
            subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()

    def send(self, notices: Sequence[Notice], *, early: bool = False) -> None:
        """Send notices, from any thread.

        Args:
            notices: what to send.
            early: they come before the commit that they are about.
        """
        with self._lock:
            if self._subscription is not None:
                self._subscription.pass_on((early, list(notices)))
        self._mailbox.send(notices, early=early)

    def forked(self) -> None:
        """Leave the subscription to the parent."""
        self._lock = threading.Lock()
        if self._subscription is not None:
            abandon(self._subscription.connection)
        self._subscription = None


class _Subscription:
    """A listener in its event loop."""

    def __init__(
        self, listener: Callable[[Notice], None], mailbox: Mailbox, connection: sqlite3.Connection
    ) -> None:
        self._listener = listener
        self._mailbox = mailbox
        self.connection = connection
        self._loop = asyncio.get_running_loop()
        self._socket = mailbox.open()
        self._watch: asyncio.Task[None] | None = None
        self._early: set[Notice] = set()
        self._watch_until = 0.0
        self._open = True

    def open(self) -> None:
        """Begin to receive."""
        if self._socket is not None:
            # Loops that cannot watch a socket (Windows) leave the rest to polling.
            with suppress(NotImplementedError):
                self._loop.add_reader(self._socket, self._mailbox.receive, self._take)

    def pass_on(self, letter: Letter) -> None:
        """Take a letter of this process, from any thread."""
        with suppress(RuntimeError):  # the loop has been closed
            self._loop.call_soon_threadsafe(self._take, letter)

    def _take(self, letter: Letter) -> None:
        early, notices = letter
        if not self._open:
            return
        for notice in notices:
            self._listener(notice)
        if early:
            self._early.update(notices)
            self._watch_until = self._loop.time() + LOOK_FOR
            if self._watch is None:
                self._watch = self._loop.create_task(self._watch_file())

    async def _watch_file(self) -> None:
        try:
            version = self._version()
            while self._loop.time() < self._watch_until:
                await asyncio.sleep(LOOK_EVERY)
                latest = self._version()
                if latest != version:
                    version = latest
                    for notice in tuple(self._early):
                        self._listener(notice)
        except sqlite3.Error:
            # The file is in trouble: whoever claims will say so.
            pass
        finally:
            self._early.clear()
            self._watch = None

    def _version(self) -> int:
        version: int = self.connection.execute("pragma data_version").fetchone()[0]
        return version

    def close(self) -> None:
        """Stop receiving."""
        self._open = False
        if self._socket is not None:
            with suppress(NotImplementedError):
                self._loop.remove_reader(self._socket)
        if self._watch is not None:
            self._watch.cancel()
        self._mailbox.close()
        self.connection.close()
