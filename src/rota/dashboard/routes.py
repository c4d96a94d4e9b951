"""All pages."""

from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from rota.dashboard import assets, live, login, overview, queues
from rota.dashboard.render import page
from rota.model.errors import RotaError, UnauthorizedError
from rota.web.problems import status_of

__all__ = ["answer_refusal", "make_router"]


def make_router() -> APIRouter:
    """Return the routes of every page."""
    router = APIRouter(include_in_schema=False)
    for module in (assets, login, live, overview, queues):
        router.include_router(module.router)
    return router


def answer_refusal(request: Request, error: RotaError) -> Response:
    """Answer a refusal as a person reads it: whoever is nobody logs in first."""
    if isinstance(error, UnauthorizedError):
        return RedirectResponse(f"/login?{urlencode({'next': request.url.path})}", HTTPStatus.SEE_OTHER)
    return page(request, "refused.html", status=status_of(error), text=str(error))
