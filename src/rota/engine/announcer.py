"""The engine announces what it did; logs, metrics, the dashboard and tests listen."""

from collections.abc import Callable
from typing import TypeVar

from rota.model.events import Event

__all__ = ["Announcer"]

E = TypeVar("E", bound=Event)


class Announcer:
    """Hands events to listeners, in the engine's event loop; costs one look-up where nobody listens."""

    def __init__(self) -> None:
        self._listeners: dict[type[Event], list[Callable[[Event], None]]] = {}

    def subscribe(self, kind: type[E], listener: Callable[[E], None]) -> None:
        """Call `listener` with every event of exactly this kind. It must not block or raise."""
        self._listeners.setdefault(kind, []).append(listener)  # type: ignore[arg-type]  # only called with its kind

    def wanted(self, kind: type[Event]) -> bool:
        """Tell whether anyone listens, so that an event on the hot path need not be made."""
        return kind in self._listeners

    def announce(self, event: Event) -> None:
        """Hand an event to its listeners."""
        for listener in self._listeners.get(type(event), ()):
            listener(event)
