"""`/events`: what happens, as it happens (server-sent events, resumable)."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from rota.api.fields import INT64
from rota.model.events import JobEvent
from rota.operations import access, jobs
from rota.web.context import Here, WebContext
from rota.web.identity import Viewer

__all__ = ["router"]

router = APIRouter(prefix="/events", tags=["events"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A stream: each event has `id`, `event` (its kind) and `data` (JSON). "
        "A comment every 15 s keeps it open",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": 'id: 42\nevent: retry\ndata: {"job":"0190…","kind":"retry","attempt":1}\n\n',
            }
        },
    }
}

LastId = Annotated[
    int | None, Header(alias="Last-Event-ID", ge=0, le=INT64, description="Go on behind this event")
]
Job = Annotated[UUID | None, Query(description="Only events of this job; a token limited to keys needs it")]


class _Stream(StreamingResponse):
    media_type = "text/event-stream"


@router.get("", summary="Follow events", response_class=_Stream, responses=_STREAM)
async def follow(
    context: Here, identity: Viewer, job: Job = None, last_event_id: LastId = None
) -> StreamingResponse:
    """Send retries, rescues, give-backs, cancels, redrives … as they are written, about a second after.

    What is kept can be had again: with `Last-Event-ID: 0` all of it, with an event's id all behind it.
    """
    if job is None:
        access.require_all(identity)
    else:
        await jobs.find(context.store, job, identity.limits)
    headers = {"X-Accel-Buffering": "no"}
    return _Stream(_lines(context, job, last_event_id), headers=headers)


async def _lines(context: WebContext, job: UUID | None, after: int | None) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    async for one in context.events.listen(after):
        if one is None:
            yield b": nothing new\n\n"
        elif job is None or one.event.job == job:
            yield _line(one.place, one.event)


def _line(place: int, event: JobEvent) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (place, event.kind.encode(), msgspec.json.encode(event))
