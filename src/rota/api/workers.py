"""`/workers`: who works, and asking one to leave."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from rota.api.fields import View
from rota.api.idempotency import IdempotentRoute
from rota.operations import access, views, workers
from rota.web.context import Here
from rota.web.identity import WholeOperator, WholeViewer
from rota.web.problems import answers

__all__ = ["router"]

router = APIRouter(prefix="/workers", tags=["workers"], route_class=IdempotentRoute)


class Worker(View):
    """A registered worker."""

    id: UUID
    host: str
    pid: int
    version: str
    queues: list[str]
    tasks: list[str]
    slots: dict[str, int] = Field(description="How many jobs each of its executors runs at once")
    sandboxes: list[str]
    idle: bool
    draining: bool = Field(description="Whether it finishes what it runs, and ends")
    running: int
    memory: int = Field(description="Bytes, resident")
    started_at: datetime
    beat_at: datetime = Field(description="When it was last heard of")
    lease_until: datetime = Field(description="When it is presumed dead")


class Workers(View):
    """All workers, the oldest first."""

    workers: list[Worker]


class Asked(View):
    """The worker was asked."""

    draining: bool = True


@router.get("", summary="List workers")
async def list_workers(context: Here, _: WholeViewer) -> Workers:
    """List who works: what, since when, with how much memory, which version."""
    found = await workers.list_workers(context.store)
    return Workers.model_validate({"workers": [views.plain(one) for one in found]})


@router.post("/{worker}/drain", summary="Drain a worker", responses=answers(HTTPStatus.NOT_FOUND))
async def drain(
    context: Here, identity: WholeOperator, worker: Annotated[UUID, Path(description="Its id")]
) -> Asked:
    """Ask a worker to claim nothing more, to finish what it runs, and to end."""
    await workers.drain(context.store, worker)
    await access.record(context.store, identity, "drain worker", str(worker))
    return Asked()
