"""Carries what running attempts write (log lines, progress) to the store, in groups."""

import asyncio
from collections import deque
from uuid import UUID

from rota.engine.announcer import Announcer
from rota.engine.service import Loop
from rota.model.events import LogEntry, Progress
from rota.ports.checkpoints import CheckpointStore

__all__ = ["Recorder"]

INTERVAL = 0.25
LARGEST_GROUP = 1000


class Recorder:
    """The journal of all attempts of a worker. Writers may be in any thread and never wait."""

    name = "recorder"

    def __init__(self, checkpoints: CheckpointStore, announcer: Announcer) -> None:
        self._checkpoints = checkpoints
        self._logs: deque[LogEntry] = deque()
        self._progress: dict[UUID, Progress] = {}
        self._events = asyncio.get_running_loop()
        self._busy = asyncio.Lock()
        self._awake = False
        self.loop = Loop(self, announcer)

    def log(self, entry: LogEntry) -> None:
        """Take a log line."""
        self._logs.append(entry)
        self._wake()

    def progress(self, entry: Progress) -> None:
        """Take the latest progress of an attempt."""
        self._progress[entry.id] = entry
        self._wake()

    async def turn(self) -> float | None:
        """Write what has gathered, then let more gather for a moment."""
        if not self._logs and not self._progress:
            self._awake = False
            # A writer may have added between the look and the reset: look once more.
            if not self._logs and not self._progress:
                return None
        await self.flush()
        return INTERVAL

    async def flush(self) -> None:
        """Write all that is there now."""
        if not self._logs and not self._progress:
            return
        async with self._busy:
            while self._logs or self._progress:
                logs = [self._logs.popleft() for _ in range(min(len(self._logs), LARGEST_GROUP))]
                progress, self._progress = self._progress, {}
                try:
                    await self._checkpoints.record(logs, list(progress.values()))
                except BaseException:
                    self._logs.extendleft(reversed(logs))
                    self._progress = progress | self._progress
                    raise

    def _wake(self) -> None:
        if not self._awake:
            self._awake = True
            self._events.call_soon_threadsafe(self.loop.poke)
