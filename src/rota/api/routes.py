"""All routes of the API."""

from http import HTTPStatus

from fastapi import APIRouter, Security
from fastapi.security import HTTPBearer

from rota.api import (
    docs_page,
    events,
    health,
    jobs,
    metrics,
    queues,
    schedules,
    stats,
    tasks,
    tokens,
    workers,
)
from rota.web.problems import answers

__all__ = ["make_router"]

PREFIX = "/api/v1"
_COMMON = answers(
    HTTPStatus.BAD_REQUEST,
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
    router.include_router(docs_page.router)
    # Who asks is found out by `web.identity`; this says so in the document.
    bearer = Security(HTTPBearer(auto_error=False, description="A token: rota tokens create NAME"))
    versioned = APIRouter(prefix=PREFIX, responses=_COMMON, dependencies=[bearer])
    for module in (jobs, schedules, queues, workers, tasks, stats, events, tokens):
        versioned.include_router(module.router)
    versioned.include_router(tokens.audit_router)
    versioned.include_router(health.detail_router)
    router.include_router(versioned)
    return router
