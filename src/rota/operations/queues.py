"""Queues: look at them, pause and resume them."""

from collections.abc import Iterable

from rota.model.errors import NotFoundError, did_you_mean
from rota.model.worker import QueueRecord
from rota.ports.store import Store

__all__ = ["list_queues", "pause", "resume"]


async def list_queues(store: Store) -> list[QueueRecord]:
    """List queues that hold jobs or are paused, and those that only a live worker serves."""
    found = {queue.name: queue for queue in await store.insight.queues()}
    served = {name for worker in await store.insight.workers() for name in worker.queues}
    for name in served - found.keys():
        found[name] = _empty(name)
    return [found[name] for name in sorted(found)]


async def pause(store: Store, queue: str, by: str, known: Iterable[str] = ()) -> bool:
    """Stop claims from a queue; False when it was paused already.

    Args:
        store: where the queue is.
        queue: its name.
        by: who asks.
        known: queues that exist although the store has never seen them, such as those of an app's tasks.

    Raises:
        NotFoundError: nothing knows such a queue.
    """
    await _check_name(store, queue, known)
    return await store.limits.pause_queue(queue, by)


async def resume(store: Store, queue: str) -> bool:
    """Allow claims from a queue again; False when it was not paused.

    Raises:
        NotFoundError: nothing knows such a queue.
    """
    await _check_name(store, queue, ())
    return await store.limits.resume_queue(queue)


async def _check_name(store: Store, queue: str, known: Iterable[str]) -> None:
    names = {one.name for one in await list_queues(store)} | set(known)
    names |= {task.queue for task in await store.insight.tasks()}
    if queue not in names:
        hint = did_you_mean(queue, names) or f" Queues: {', '.join(sorted(names)) or 'none'}"
        raise NotFoundError("queue", queue, hint)


def _empty(name: str) -> QueueRecord:
    return QueueRecord(
        name=name,
        paused_at=None,
        paused_by=None,
        ready=0,
        held=0,
        scheduled=0,
        running=0,
        waiting=0,
        oldest=None,
    )
