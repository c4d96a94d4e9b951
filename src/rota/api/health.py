"""`/health`: is it well? The one question that needs no token."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from rota.operations import health
from rota.web.context import Here

__all__ = ["router"]

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """Whether the store answers."""

    ok: bool = Field(description="Whether the store answers and its schema fits")


@router.get("/health", summary="Is it well?", responses={503: {"model": Health, "description": "It is not"}})
async def get_health(context: Here, response: Response) -> Health:
    """Say whether the store answers and its schema fits; what exactly is wrong is for those with a token."""
    checks = await health.reachable(context.store)
    ok = all(check.level != "fault" for check in checks)
    if not ok:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Health(ok=ok)
