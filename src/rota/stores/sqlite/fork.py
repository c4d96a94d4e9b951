"""What a forked child must not share with its parent: connections, threads, held locks."""

import os
import sqlite3
import threading
import weakref
from types import TracebackType
from typing import Protocol

__all__ = ["Forkable", "Turn", "abandon", "survive"]


class Forkable(Protocol):
    """Something that starts afresh in a child process."""

    def forked(self) -> None:
        """Forget what belongs to the parent; called in the child."""
        ...


class Turn:
    """A lock that this process holds while it writes, so that its connections need not wait by polling."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        survive(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def forked(self) -> None:
        """Forget whoever held it: that thread is not here."""
        self._lock = threading.Lock()


_forkable: "weakref.WeakSet[Forkable]" = weakref.WeakSet()
_abandoned: list[sqlite3.Connection] = []


def survive(one: Forkable) -> None:
    """Call `forked` of an object in every child, as long as it lives."""
    _forkable.add(one)


def abandon(connection: sqlite3.Connection | None) -> None:
    """Keep a connection of the parent, unused: closing it would touch the parent's locks and files."""
    if connection is not None:
        _abandoned.append(connection)


def _forked() -> None:
    for one in list(_forkable):
        one.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
