"""Tells open pages that something changed; they ask again for the part that they show."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from rota.model.job import JobFilter
from rota.model.states import FINISHED
from rota.ports.store import Store
from rota.web.context import Here, WebContext
from rota.web.identity import Viewer

__all__ = ["router"]

EVERY = 1.0
EVERY_OF_JOB = 0.5
ECHOES = (3, 8)  # looks after a change: a page may have been answered by what was read just before it
AT_LEAST_EVERY = 15  # looks: what none of them sees, such as a new token, shows after so many

router = APIRouter()


@router.get("/live")
async def live(context: Here, _: Viewer) -> StreamingResponse:
    """Send a line when something has changed; a page that is not looked at closes its stream by itself."""
    return _stream(context, "pulse", lambda: _pulse(context.store), EVERY)


@router.get("/live/jobs/{job}")
async def live_job(context: Here, _: Viewer, job: UUID) -> StreamingResponse:
    """Send a line when a job may have changed, as a running one may at any moment."""
    return _stream(context, ("pulse", job), lambda: _pulse_of(context.store, job), EVERY_OF_JOB)


def _stream(
    context: WebContext, key: Hashable, look: Callable[[], Awaitable[Hashable]], every: float
) -> StreamingResponse:
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(
        _changes(context, key, look, every), media_type="text/event-stream", headers=headers
    )


async def _changes(
    context: WebContext, key: Hashable, look: Callable[[], Awaitable[Hashable]], every: float
) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    seen = await context.shared.get(key, look)
    since = 0
    while not await _stops(context, every):
        pulse = await context.shared.get(key, look)
        since += 1
        changed = pulse is None or pulse != seen
        if changed or since in ECHOES or since % AT_LEAST_EVERY == 0:
            seen, since = pulse, 0 if changed else since
            yield "event: change\ndata: \n\n"


async def _stops(context: WebContext, seconds: float) -> bool:
    try:
        await asyncio.wait_for(context.stopping.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _pulse(store: Store) -> Hashable:
    """Return what differs after nearly everything that a page can show has changed."""
    newest = await store.insight.jobs(JobFilter(), limit=1)
    workers = await store.insight.workers()
    schedules = await store.schedules.list()
    return (
        tuple(await store.insight.queues()),
        tuple((one.id, one.draining, one.running) for one in workers),
        tuple((one.id, one.version, one.next_at, one.paused_at) for one in schedules),
        tuple((one.id, one.state, one.attempt) for one in newest),
    )


async def _pulse_of(store: Store, job: UUID) -> Hashable:
    """Return what differs after a job has changed; None while it runs, when it may at any moment."""
    found = await store.insight.job(job)
    if found is None or (found.state not in FINISHED and found.claimed_at is not None):
        return None
    return (found.state, found.held, found.attempt, found.run_at, len(await store.insight.events(job)))
