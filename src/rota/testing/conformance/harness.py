"""What the author of a store gives the suite."""

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from rota.model.clock import Clock
from rota.ports.store import Store

__all__ = ["Harness"]


class Harness(ABC):
    """Makes stores for one test. The suite opens and closes them.

    Every namespace is empty when the test begins. Two stores of one namespace see the same jobs, as two
    processes would; two namespaces share a database and nothing else.
    """

    @abstractmethod
    def store(self, clock: Clock | None, namespace: str = "one") -> Store:
        """Return a store that is not open yet; without a clock it goes by its own."""

    @abstractmethod
    def slots_used(self, namespace: str = "one") -> dict[str, int] | None:
        """Return what the store counts as used, by scope; None when nothing outside can look."""

    def connect(self) -> AbstractContextManager[Any] | None:
        """Return a user's own synchronous connection to the database of namespace `one`, in a transaction.

        It has `commit()` and `rollback()`, and is closed on leaving the context. None: the store has no such
        connections.
        """
        return None

    def connect_async(self) -> AbstractAsyncContextManager[Any] | None:
        """Return a user's own asynchronous connection (see `connect`); commit and rollback are coroutines."""
        return None
