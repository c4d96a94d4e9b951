"""Queues: how deep they are, pause and resume."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from rota.dashboard.render import Said, go, page
from rota.model.errors import NotFoundError
from rota.operations import access, queues
from rota.web.context import Here
from rota.web.identity import Operator, Viewer

__all__ = ["router"]

HERE = "/queues"

router = APIRouter(prefix=HERE)


@router.get("")
async def show(request: Request, context: Here, identity: Viewer) -> Response:
    """Show all queues."""
    found = await queues.list_queues(context.store)
    now = await context.store.insight.now()
    return page(request, "queues.html", identity, here=HERE, live="/live", queues=found, now=now)


@router.post("/{name}/pause")
async def pause(context: Here, identity: Operator, name: str) -> Response:
    """Stop claims from a queue."""
    try:
        changed = await queues.pause(context.store, name, identity.name, context.registry.queues())
    except NotFoundError as error:
        return go(HERE, Said(str(error), refused=True))
    await access.record(context.store, identity, "pause queue", name, {"changed": changed})
    return go(HERE, Said(f"Queue {name} is paused" if changed else f"Queue {name} was paused already"))


@router.post("/{name}/resume")
async def resume(context: Here, identity: Operator, name: str) -> Response:
    """Allow claims from a queue again."""
    try:
        changed = await queues.resume(context.store, name)
    except NotFoundError as error:
        return go(HERE, Said(str(error), refused=True))
    await access.record(context.store, identity, "resume queue", name, {"changed": changed})
    return go(HERE, Said(f"Queue {name} is open again" if changed else f"Queue {name} was not paused"))
