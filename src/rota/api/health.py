"""`/health`: is it well? The one question that needs no token."""

import socket
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import Field

from rota.api.fields import View
from rota.operations import health, views
from rota.web.context import Here
from rota.web.identity import WholeViewer

__all__ = ["detail_router", "router"]

router = APIRouter(tags=["health"])
detail_router = APIRouter(prefix="/health", tags=["health"])


class Health(View):
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


class Check(View):
    """One thing that was looked at."""

    name: str
    level: Literal["ok", "warning", "fault"]
    text: str
    remedy: str = Field(description="What to do about it")


class Checkup(View):
    """What was looked at, and whether nothing is at fault."""

    ok: bool
    checks: list[Check]


@detail_router.get("", summary="What is not well?")
async def get_checkup(context: Here, _: WholeViewer) -> Checkup:
    """Look at the store, its schema, the workers, and schedules that are overdue."""
    checks = await health.checkup(context.store, host=socket.gethostname())
    ok = all(check.level != "fault" for check in checks)
    return Checkup.model_validate({"ok": ok, "checks": [views.plain(one) for one in checks]})
