"""All routes of the API."""

from http import HTTPStatus

from fastapi import APIRouter

from rota.api import health, metrics, queues
from rota.web.problems import answers

__all__ = ["make_router"]

PREFIX = "/api/v1"
_COMMON = answers(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def make_router() -> APIRouter:
    """Return the routes under /api/v1, and /health."""
    router = APIRouter()
    router.include_router(health.router)
    router.include_router(metrics.router)
    versioned = APIRouter(prefix=PREFIX, responses=_COMMON)
    for module in (queues,):
        versioned.include_router(module.router)
    router.include_router(versioned)
    return router
