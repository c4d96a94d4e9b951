"""The first page: how it goes, at one look."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from rota.dashboard.render import page
from rota.operations import queues, workers
from rota.web.context import Here
from rota.web.identity import Viewer

__all__ = ["router"]

HERE = "/"

router = APIRouter()


@router.get("/")
async def show(request: Request, context: Here, identity: Viewer) -> Response:
    """Show depth, workers and what is late."""
    store = context.store
    return page(
        request,
        "overview.html",
        identity,
        here=HERE,
        live="/live",
        queues=await queues.list_queues(store),
        workers=await workers.list_workers(store),
        now=await store.insight.now(),
    )
