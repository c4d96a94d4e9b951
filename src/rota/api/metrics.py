"""`/metrics`: for Prometheus, by a token; or without one from this machine, where that is set."""

import ipaddress
from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from rota.model.access import Role
from rota.model.errors import ForbiddenError
from rota.operations import access
from rota.web.context import Here, WebContext
from rota.web.identity import identify
from rota.web.peers import peer
from rota.web.problems import problem

__all__ = ["router"]

router = APIRouter(tags=["health"])

# By one of these a proxy on this machine shows that the request is from elsewhere.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


@router.get("/metrics", include_in_schema=False)
async def get_metrics(request: Request, context: Here) -> Response:
    """Return the metrics of this process and of the store."""
    if not _open(request, context):
        identity = await identify(request, context)
        access.require(identity, Role.VIEWER)
        if identity.keys:
            raise ForbiddenError("metrics are of all keys, and this token is limited to some")
    if context.metrics is None:
        detail = "metrics need an extra that is not installed: pip install 'rota[prometheus]'"
        return problem(HTTPStatus.NOT_IMPLEMENTED, detail)
    text, media_type = await context.metrics(request.headers.get("Accept", ""))
    return Response(text, headers={"Content-Type": media_type})


def _open(request: Request, context: WebContext) -> bool:
    if not context.settings.metrics_open or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(peer(request)).is_loopback
    except ValueError:
        return False
