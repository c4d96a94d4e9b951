"""`/stats`: how attempts went over time, and how many jobs are where."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from rota.api.fields import Body, Moment, Name, View
from rota.operations import stats, views
from rota.web.context import Here
from rota.web.identity import WholeViewer

__all__ = ["router"]

router = APIRouter(prefix="/stats", tags=["stats"])


class Range(Body):
    """Which stretches of time, and of what."""

    since: Moment | None = Field(None, description="From then on; without it the last hour")
    until: Moment | None = Field(None, description="Before then; without it until now")
    step: int = Field(
        60, ge=60, le=86_400, multiple_of=60, description="Seconds of one stretch: whole minutes"
    )
    queue: Name | None = Field(None, description="In this queue")
    task: Name | None = Field(None, description="Of this task")


class Point(View):
    """What ended in one stretch of time, in one queue, of one task."""

    at: datetime = Field(description="When the stretch begins")
    queue: str
    task: str
    outcomes: dict[str, int] = Field(
        description="How many attempts succeeded, failed, were retried, snoozed, cancelled …",
        examples=[{"succeeded": 120, "retried": 3}],
    )
    wait: float = Field(description="Mean seconds from ready to started")
    duration: float = Field(description="Mean seconds of an attempt")
    wait_p95: float = Field(description="95 % waited less: a power of two of milliseconds, in seconds")
    duration_p50: float = Field(description="Half of them took less, likewise")
    duration_p95: float = Field(description="95 % took less, likewise")


class Stats(View):
    """Points in time, the oldest first; a stretch in which nothing ended has none."""

    points: list[Point]


@router.get("", summary="How attempts went over time")
async def get_stats(context: Here, _: WholeViewer, query: Annotated[Range, Query()]) -> Stats:
    """Count attempts by how they ended, with means and percentiles of wait and duration."""
    until = query.until or await context.store.insight.now()
    since = query.since or until - timedelta(hours=1)
    found = await stats.points(
        context.store, since, until, step=timedelta(seconds=query.step), queue=query.queue, task=query.task
    )
    return Stats.model_validate({"points": [views.plain(one) for one in found]})
