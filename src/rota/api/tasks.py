"""`/tasks`: what can be submitted."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from rota.api.fields import View
from rota.operations import catalogue
from rota.web.context import Here
from rota.web.identity import Viewer

__all__ = ["router"]

router = APIRouter(prefix="/tasks", tags=["tasks"])


class Task(View):
    """A task."""

    name: str
    kind: str = Field(description="function; alias: an old name of another")
    executor: str
    queue: str = Field(description="Where its jobs wait unless they say otherwise")
    arguments: dict[str, Any] = Field(description="JSON schema of its arguments")


class Tasks(View):
    """All tasks by name."""

    tasks: list[Task]


@router.get("", summary="List tasks")
async def list_tasks(context: Here, _: Viewer) -> Tasks:
    """List the tasks that the app or a worker knows, with the schemas of their arguments."""
    found = await catalogue.list_tasks(context.store, context.registry)
    return Tasks(
        tasks=[
            Task(name=one.name, kind=one.kind, executor=one.executor, queue=one.queue, arguments=one.schema)
            for one in found
        ]
    )
