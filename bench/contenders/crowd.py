"""Sixteen processes that store jobs one at a time, all at once."""

import multiprocessing
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier

from bench.contenders.contract import Timing

__all__ = ["CROWD", "enqueue_together"]

CROWD = 16
PATIENCE = 60.0

Connect = Callable[[], AbstractContextManager[Callable[[], object]]]


def enqueue_together(connect: Connect, jobs: int) -> Timing:
    """Fork the crowd and let each enqueue its part; the clock runs from the first call to the last answer.

    Args:
        connect: opens what one process needs, and gives the call that stores one job.
        jobs: of all together.
    """
    fork = multiprocessing.get_context("fork")  # what is imported here need not be imported 16 times
    start, moments = fork.Barrier(CROWD), fork.SimpleQueue()
    each = jobs // CROWD
    crowd = [fork.Process(target=_enqueue, args=(connect, each, start, moments)) for _ in range(CROWD)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(PATIENCE)
    if any(one.exitcode != 0 for one in crowd):
        raise RuntimeError(f"of {CROWD} enqueuers some failed: {[one.exitcode for one in crowd]}")
    spans = [moments.get() for _ in crowd]
    return Timing(each * CROWD, min(began for began, _ in spans), max(ended for _, ended in spans))


def _enqueue(
    connect: Connect, jobs: int, start: Barrier, moments: "SimpleQueue[tuple[float, float]]"
) -> None:
    with connect() as enqueue:
        enqueue()  # connects, and makes the statements that are made once
        start.wait(PATIENCE)
        began = time.monotonic()
        for _ in range(jobs):
            enqueue()
        moments.put((began, time.monotonic()))
