"""Tells open pages that something changed; they ask again for the part that they show."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from rota.web.identity import Viewer

__all__ = ["router"]

EVERY = 2.0

router = APIRouter()


@router.get("/live")
async def live(_: Viewer) -> StreamingResponse:
    """Send a change every two seconds; a page that is not looked at closes its stream by itself."""
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(_changes(), media_type="text/event-stream", headers=headers)


async def _changes() -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    number = 0
    while True:
        await asyncio.sleep(EVERY)
        number += 1
        yield f"id: {number}\nevent: change\ndata: {number}\n\n"
