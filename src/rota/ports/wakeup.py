"""Wake-up calls between processes. They only shorten waiting: losing one costs time, never a job."""

from collections.abc import Callable
from typing import Protocol

from rota.model.events import Notice

__all__ = ["Wakeup"]


class Wakeup(Protocol):
    """A subscription to notices."""

    async def start(self, listener: Callable[[Notice], None]) -> None:
        """Call `listener` in this event loop for every notice until `stop`; reconnect by itself.

        After a reconnect the listener is called once with an empty notice name for each kind.
        """
        ...

    async def notify(self, notice: Notice) -> None:
        """Send a notice to the other processes."""
        ...

    async def stop(self) -> None:
        """End the subscription."""
        ...
