"""What has to happen in the same transaction when jobs end or stop running: slots, parents, events."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from rota.model.states import State
from rota.stores.postgres.database import Run
from rota.stores.postgres.rows import dump

__all__ = ["Ending", "Told", "finish", "free_overlap", "free_slots", "tell", "wake_parents"]


class Ending(NamedTuple):
    """A locked job on its way to history; `token` stays with it, `took` is in seconds."""

    id: UUID
    state: State
    token: int | None = None
    took: float | None = None
    value: bytes | None = None
    ttl: Any = None


class Told(NamedTuple):
    """An event to write."""

    job: UUID
    kind: str
    attempt: int | None
    data: dict[str, Any]


async def finish(run: Run, now: datetime | None, endings: Sequence[Ending]) -> None:
    """Move locked jobs to history."""
    if endings:
        ids, states, tokens, took, values, ttls = zip(*endings, strict=True)
        ((_, schedules),) = await run(
            "finish", now, ids, [str(state) for state in states], tokens, took, values, ttls
        )
        await free_overlap(run, schedules)


async def free_slots(run: Run, slots: Sequence[str]) -> None:
    """Count down slots, one entry for each that a job held, and let parked jobs of those scopes run."""
    if slots:
        await run("free_slots", list(slots))
        await run("release", sorted(set(slots)))


async def free_overlap(run: Run, schedules: Sequence[str] | None) -> None:
    """Let the jobs run that waited for jobs of their schedules that have ended."""
    if schedules:
        await run("lock_schedules", schedules)
        await run("release_overlap", schedules)


async def wake_parents(
    run: Run, now: datetime | None, parents: Iterable[UUID | None], *, locked: bool = False
) -> None:
    """Count finished children down in their parents, one entry for each child.

    Args:
        run: the transaction.
        now: its moment.
        parents: the children's parents; None for a job without.
        locked: whether this transaction has locked the parents already.
    """
    ids = [parent for parent in parents if parent is not None]
    if not ids:
        return
    if not locked:
        await run("lock", ids)
    await run("wake_parents", now, ids)


async def tell(run: Run, now: datetime | None, events: Sequence[Told]) -> None:
    """Write events."""
    if events:
        jobs, kinds, attempts, data = zip(*events, strict=True)
        await run("tell", now, jobs, kinds, attempts, [dump(one) for one in data])
