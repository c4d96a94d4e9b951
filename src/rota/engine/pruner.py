"""Deletes what has been kept long enough."""

import random

from rota.engine.announcer import Announcer
from rota.engine.service import Loop
from rota.ports.retention import Retention, RetentionStore

__all__ = ["Pruner"]

INTERVAL = 300.0
PAUSE = 0.2
GROUP = 1000


class Pruner:
    """Works in small portions with pauses, so that nobody waits for it."""

    name = "pruner"

    def __init__(self, store: RetentionStore, retention: Retention, announcer: Announcer) -> None:
        self._store = store
        self._retention = retention
        self.loop = Loop(self, announcer)

    async def turn(self) -> float:
        """Delete one portion; returns the seconds until the next."""
        pruned = await self._store.prune(self._retention, GROUP)
        return PAUSE if pruned.more else INTERVAL * random.uniform(0.8, 1.2)  # noqa: S311 - spreads several workers
