"""All pages."""

from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from rota.dashboard import (
    assets,
    dead,
    jobs,
    live,
    login,
    overview,
    queues,
    schedules,
    timeline,
    tokens,
    workers,
)
from rota.dashboard.render import page
from rota.model.errors import ForbiddenError, RotaError, UnauthorizedError
from rota.web.identity import Viewer
from rota.web.problems import status_of

__all__ = ["answer_refusal", "make_router"]


def make_router() -> APIRouter:
    """Return the routes of every page."""
    router = APIRouter(include_in_schema=False)
    for module in (assets, login):
        router.include_router(module.router)
    for module in (live, overview, timeline, jobs, schedules, queues, workers, dead, tokens):
        router.include_router(module.router, dependencies=[Depends(_refuse_limited)])
    return router


def answer_refusal(request: Request, error: RotaError) -> Response:
    """Answer a refusal as a person reads it: whoever is nobody logs in first."""
    if request.headers.get("HX-Request"):
        # A part of a page is asked for: the page as a whole says what has become of it.
        return Response(status_code=status_of(error), headers={"HX-Refresh": "true"})
    if isinstance(error, UnauthorizedError):
        return RedirectResponse(f"/login?{urlencode({'next': request.url.path})}", HTTPStatus.SEE_OTHER)
    return page(request, "refused.html", status=status_of(error), text=str(error))


async def _refuse_limited(identity: Viewer) -> None:
    """Keep out whoever may see the jobs of some keys only: these pages show those of all."""
    if identity.keys:
        raise ForbiddenError(
            f"{identity.name} is limited to keys, and these pages show the jobs of all: use the API"
        )
