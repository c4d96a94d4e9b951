"""When a worker has run enough jobs, or grown too large, to be replaced by a new one."""

import time

from rota.engine.memory import resident_bytes

__all__ = ["Recycler"]

WEIGH_EVERY = 1.0
MEGABYTE = 1024 * 1024


class Recycler:
    """Counts jobs and weighs the process; 0 means no bound.

    Args:
        after_jobs: how many jobs a worker runs at most, but for those that run when it has.
        memory: how large it may be after a job, in bytes of resident memory.
    """

    def __init__(self, after_jobs: int, memory: int) -> None:
        self.watches = bool(after_jobs or memory)
        self._after_jobs = after_jobs
        self._memory = memory
        self._jobs = 0
        self._weighed_at = 0.0
        self._told = False

    def after_job(self) -> str | None:
        """Note that a job has ended; returns, once, why the worker is to be replaced."""
        self._jobs += 1
        reason = None if self._told else self._too_many() or self._too_large()
        self._told = self._told or reason is not None
        return reason

    def _too_many(self) -> str | None:
        if self._after_jobs and self._jobs >= self._after_jobs:
            return f"it has run {self._jobs} jobs (recycle_after_jobs={self._after_jobs})"
        return None

    def _too_large(self) -> str | None:
        now = time.monotonic()
        if not self._memory or now - self._weighed_at < WEIGH_EVERY:
            return None
        self._weighed_at = now
        size = resident_bytes()
        if size < self._memory:
            return None
        return f"it takes {size // MEGABYTE} MB (recycle_memory={self._memory // MEGABYTE} MB)"
