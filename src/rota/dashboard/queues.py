"""Queues: how deep they are, pause and resume."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from rota.dashboard.render import Said, acted, go, live_page
from rota.model.errors import NotFoundError
from rota.operations import queues
from rota.web.context import Here
from rota.web.identity import Operator, Viewer

__all__ = ["router"]

HERE = "/queues"

router = APIRouter(prefix=HERE)


@router.get("")
async def show(request: Request, context: Here, identity: Viewer) -> Response:
    """Show all queues."""

    async def read() -> Mapping[str, Any]:
        found = await queues.list_queues(context.store)
        return {"queues": found, "now": await context.store.insight.now()}

    return await live_page(request, context, identity, "queues.html", read, here=HERE, title="Queues")


@router.post("/{name:path}/pause")
async def pause(context: Here, identity: Operator, name: str) -> Response:
    """Stop claims from a queue."""
    try:
        changed = await queues.pause(context.store, name, identity.name, context.registry.queues())
    except NotFoundError as error:
        return go(HERE, Said(str(error), refused=True))
    said = f"Queue {name} is paused" if changed else f"Queue {name} was paused already"
    return await acted(context, identity, "pause queue", name, {"changed": changed}, to=HERE, said=said)


@router.post("/{name:path}/resume")
async def resume(context: Here, identity: Operator, name: str) -> Response:
    """Allow claims from a queue again."""
    try:
        changed = await queues.resume(context.store, name)
    except NotFoundError as error:
        return go(HERE, Said(str(error), refused=True))
    said = f"Queue {name} is open again" if changed else f"Queue {name} was not paused"
    return await acted(context, identity, "resume queue", name, {"changed": changed}, to=HERE, said=said)
