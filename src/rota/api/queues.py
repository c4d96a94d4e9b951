"""`/queues`: look at queues, pause and resume them."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from rota.api.fields import Changed, View
from rota.api.idempotency import IdempotentRoute
from rota.operations import access, queues, views
from rota.web.context import Here
from rota.web.identity import WholeOperator, WholeViewer
from rota.web.problems import answers

__all__ = ["router"]

router = APIRouter(prefix="/queues", tags=["queues"], route_class=IdempotentRoute)

Name = Annotated[
    str, Path(description="The queue's name", min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/]+$")
]


class Queue(View):
    """A queue and what waits in it."""

    name: str
    paused_at: datetime | None = Field(description="Since when it gives nothing to workers")
    paused_by: str | None = Field(description="Who paused it")
    ready: int
    held: int = Field(description="Ready, and kept back by a limit, a pause or an overlap")
    scheduled: int
    running: int
    waiting: int
    oldest: datetime | None = Field(description="Since when the longest waiting job is ready")


class Queues(View):
    """All queues."""

    queues: list[Queue]


@router.get("", summary="List queues")
async def list_queues(context: Here, _: WholeViewer) -> Queues:
    """List queues that hold jobs, are paused, or are served by a live worker."""
    found = await queues.list_queues(context.store)
    return Queues.model_validate({"queues": [views.plain(one) for one in found]})


@router.post("/{name}/pause", summary="Pause a queue", responses=answers(HTTPStatus.NOT_FOUND))
async def pause(context: Here, identity: WholeOperator, name: Name) -> Changed:
    """Stop workers from claiming jobs of a queue; what runs goes on."""
    known = context.registry.queues()
    changed = await queues.pause(context.store, name, identity.name, known)
    await access.record(context.store, identity, "pause queue", name, {"changed": changed})
    return Changed(changed=changed)


@router.post("/{name}/resume", summary="Resume a queue", responses=answers(HTTPStatus.NOT_FOUND))
async def resume(context: Here, identity: WholeOperator, name: Name) -> Changed:
    """Let workers claim jobs of a queue again."""
    changed = await queues.resume(context.store, name)
    await access.record(context.store, identity, "resume queue", name, {"changed": changed})
    return Changed(changed=changed)
