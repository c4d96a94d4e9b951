"""Notices between processes: datagram sockets in a folder beside the file.

Whoever wants to hear binds a socket there; whoever has something to say sends to all. A lost datagram costs
time, never a job.
"""

import errno
import hashlib
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from rota.model.events import Notice
from rota.stores.sqlite.fork import survive

__all__ = ["Letter", "Mailbox", "supported"]

_PATH_LIMIT = 107  # what every kernel takes, without the final NUL
_NAME_LENGTH = 24
_LARGEST = 60_000
_PRIVATE = 0o700

Letter = tuple[bool, list[Notice]]
"""Whether the notices came before their commit, and the notices."""

_decode = msgspec.json.Decoder(Letter).decode


def supported() -> bool:
    """Tell whether this platform has such sockets."""
    return hasattr(socket, "AF_UNIX")


class Mailbox:
    """One store's end: sends to the others at any time, and receives while it is open.

    Args:
        path: of the database file.
    """

    def __init__(self, path: Path) -> None:
        self._folder = _folder(path)
        self._out: socket.socket | None = None
        self._in: socket.socket | None = None
        self._address: Path | None = None
        survive(self)

    def open(self) -> socket.socket | None:
        """Bind a socket and return it; None where that is not possible."""
        if not supported():
            return None
        box = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        box.setblocking(False)  # noqa: FBT003 - the standard library's own
        address = self._folder / f"{os.getpid()}-{secrets.token_hex(4)}.sock"
        try:
            self._bind(box, address)
        except OSError:
            # A folder that cannot be written, or a file system without sockets: polling finds the jobs.
            box.close()
            return None
        self._in, self._address = box, address
        return box

    def _bind(self, box: socket.socket, address: Path) -> None:
        while True:
            self._folder.mkdir(mode=_PRIVATE, exist_ok=True)
            if self._folder.stat().st_uid != os.getuid():
                raise PermissionError(f"{self._folder} belongs to someone else")
            try:
                box.bind(str(address))
            except FileNotFoundError:
                # Whoever closed last has just removed the folder.
                continue
            return

    def receive(self, take: Callable[[Letter], None]) -> None:
        """Hand every letter that has come to `take`."""
        while self._in is not None:
            try:
                data = self._in.recv(_LARGEST)
            except OSError:
                return
            with suppress(msgspec.DecodeError):
                take(_decode(data))

    def send(self, notices: Sequence[Notice], *, early: bool) -> None:
        """Send notices to all others; who is gone is forgotten, who is swamped has enough to wake up for."""
        if not supported() or not notices:
            return
        data = msgspec.json.encode((early, notices))
        for address in self._others():
            try:
                self._outgoing().sendto(data, str(address))
            except OSError as error:
                if error.errno == errno.ECONNREFUSED:
                    with suppress(OSError):
                        address.unlink()

    def _others(self) -> list[Path]:
        mine = None if self._address is None else self._address.name
        with suppress(OSError), os.scandir(self._folder) as entries:
            return [Path(entry.path) for entry in entries if entry.name != mine]
        return []

    def _outgoing(self) -> socket.socket:
        if self._out is None:
            self._out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._out.setblocking(False)  # noqa: FBT003 - as above
        return self._out

    def close(self) -> None:
        """Stop receiving."""
        if self._in is not None and self._address is not None:
            self._in.close()
            with suppress(OSError):
                self._address.unlink()
                self._folder.rmdir()
            self._in = self._address = None

    def forked(self) -> None:
        """Leave the address to the parent."""
        if self._in is not None:
            self._in.close()
        self._in = self._address = None

    def hang_up(self) -> None:
        """Stop sending; a later send opens another socket."""
        if self._out is not None:
            self._out.close()
            self._out = None


def _folder(path: Path) -> Path:
    """Return the folder of a file's sockets; all processes find the same."""
    real = path.resolve()
    beside = real.with_name(real.name + ".wake")
    if len(os.fsencode(beside)) + _NAME_LENGTH <= _PATH_LIMIT:
        return beside
    name = hashlib.sha256(os.fsencode(real)).hexdigest()[:16]
    return Path(tempfile.gettempdir(), f"rota-{name}.wake")
