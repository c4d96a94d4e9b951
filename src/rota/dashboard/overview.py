"""The first page: how it goes, at one look."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Struct

from rota.dashboard.pulse import read_pulse
from rota.dashboard.render import live_page
from rota.model.job import JobFilter
from rota.model.schedule import ScheduleRecord
from rota.model.states import State
from rota.model.worker import QueueRecord, WorkerRecord
from rota.operations import queues, schedules, workers
from rota.operations.text import counted, span
from rota.web.context import Here
from rota.web.identity import Viewer

__all__ = ["router"]

HERE = "/"
LATE = timedelta(seconds=30)
FAILURES = 6
GROUPS = 5
NEXT = 6
LATE_SHOWN = 10

router = APIRouter()


class Late(Struct, frozen=True):
    """Something that should have happened; `path` leads to it."""

    path: str
    name: str
    text: str


@router.get(HERE)
async def show(request: Request, context: Here, identity: Viewer) -> Response:
    """Show throughput, depth, failures, who works and what is late."""
    store = context.store

    async def read() -> Mapping[str, Any]:
        now = await store.insight.now()
        all_queues = await queues.list_queues(store)
        all_workers = await workers.list_workers(store)
        all_schedules = await schedules.list_schedules(store)
        failed = JobFilter(states=frozenset({State.FAILED}))
        late = _late(now, all_queues, all_workers, all_schedules)
        return {
            "queues": all_queues,
            "workers": all_workers,
            "alive": [one for one in all_workers if one.lease_until > now],
            "late": late[:LATE_SHOWN],
            "later": len(late) - LATE_SHOWN,
            "failures": await store.insight.jobs(failed, limit=FAILURES),
            "groups": await store.insight.faults(failed, limit=GROUPS),
            "next": [one for one in all_schedules if one.next_at and not one.paused_at][:NEXT],
            "pulse": await read_pulse(store, now),
            "now": now,
        }

    return await live_page(request, context, identity, "overview.html", read, here=HERE, title="Overview")


def _late(
    now: datetime,
    queues_: Sequence[QueueRecord],
    workers_: Sequence[WorkerRecord],
    schedules_: Sequence[ScheduleRecord],
) -> list[Late]:
    """Return what should have happened by now."""
    found = [
        Late(
            "/workers", f"{one.host}:{one.pid}", f"this worker has been silent for {span(now - one.beat_at)}"
        )
        for one in workers_
        if one.lease_until < now
    ]
    found += [
        Late(f"/jobs?queue={one.name}&state=ready", one.name, _waits(one, now - one.oldest))
        for one in queues_
        if one.oldest is not None and now - one.oldest > LATE and one.ready
    ]
    found += [
        Late(f"/schedules/{one.id}", one.id, f"this schedule was due {span(now - one.next_at)} ago")
        for one in schedules_
        if one.next_at is not None and one.paused_at is None and now - one.next_at > LATE
    ]
    return found


def _waits(queue: QueueRecord, longest: timedelta) -> str:
    text = f"{counted(queue.ready, 'job')} ready here, the first for {span(longest)}"
    return f"{text}; the queue is paused" if queue.paused_at is not None else text
