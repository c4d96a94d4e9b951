"""Workers: who is there, what they do; ask one to finish and leave."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from rota.dashboard.render import Said, acted, go, live_page
from rota.model.errors import NotFoundError
from rota.operations import workers
from rota.web.context import Here
from rota.web.identity import Operator, Viewer

__all__ = ["router"]

HERE = "/workers"

router = APIRouter(prefix=HERE)


@router.get("")
async def show(request: Request, context: Here, identity: Viewer) -> Response:
    """Show all workers."""

    async def read() -> Mapping[str, Any]:
        found = await workers.list_workers(context.store)
        return {"workers": found, "now": await context.store.insight.now()}

    return await live_page(request, context, identity, "workers.html", read, here=HERE, title="Workers")


@router.post("/{worker}/drain")
async def drain(context: Here, identity: Operator, worker: UUID) -> Response:
    """Ask a worker to claim no more, to finish what it runs and to end."""
    try:
        await workers.drain(context.store, worker)
    except NotFoundError as error:
        return go(HERE, Said(str(error), refused=True))
    said = f"Worker {str(worker)[-8:]} claims no more, finishes what it runs and ends"
    return await acted(context, identity, "drain worker", str(worker), to=HERE, said=said)
