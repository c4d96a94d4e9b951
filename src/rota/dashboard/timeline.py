"""The timeline: what every schedule did and will do, a row for each."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response

from rota.dashboard.lanes import Happening, Lane, Window, make_lane
from rota.dashboard.render import live_page
from rota.model.errors import ConfigurationError
from rota.model.job import JobFilter
from rota.model.schedule import TickRecord
from rota.operations import schedules
from rota.ports.store import Store
from rota.triggers.parse import from_json
from rota.web.context import Here
from rota.web.identity import Viewer

__all__ = ["router"]

HERE = "/timeline"
PASTS = {"6": 6, "24": 24, "168": 168}
AHEAD = timedelta(hours=24)
ROWS = 40
TICKS = 300
LINES = 200
LABELS = 6
DIGITS = 9

router = APIRouter()


@router.get(HERE)
async def show(request: Request, context: Here, identity: Viewer) -> Response:
    """Show the past and the next 24 hours of every schedule."""
    asked = request.query_params
    hours, wanted = PASTS.get(asked.get("past", ""), 24), asked.get("q", "").strip()
    first = asked.get("first", "")
    start = int(first) if first.isdecimal() and len(first) <= DIGITS else 0

    async def read() -> Mapping[str, Any]:
        return await _read(context.store, hours, wanted.lower(), start, context.settings.zone)

    return await live_page(
        request,
        context,
        identity,
        "timeline.html",
        read,
        here=HERE,
        frame="timeline-frame.html",
        title="Timeline",
        past=hours,
        pasts=list(PASTS.values()),
        q=wanted,
        zone=context.settings.zone,
        rows=ROWS,
    )


async def _read(store: Store, hours: int, wanted: str, first: int, zone: str) -> Mapping[str, Any]:
    now = await store.insight.now()
    window = Window(now - timedelta(hours=hours), now, now + AHEAD)
    found = [
        one for one in await schedules.list_schedules(store) if wanted in one.id.lower() or wanted in one.task
    ]
    shown = found[first : first + ROWS]
    ticks = {one.id: await _ticks(store, one.id, window) for one in shown}
    jobs = tuple(one.job for of_one in ticks.values() for one in of_one if one.job is not None)
    by_id = {}
    if jobs:
        records = await store.insight.jobs(JobFilter(ids=jobs), limit=len(jobs))
        by_id = {one.id: one for one in records}
    lanes, broken = [], []
    for one in shown:
        try:
            lanes.append(make_lane(one, from_json(one.trigger), ticks[one.id], by_id, window))
        except ConfigurationError as error:  # a trigger of a newer or older Rota
            broken.append((one, str(error)))
    return {
        "lanes": lanes,
        "broken": broken,
        "now": now,
        "now_at": window.x(now),
        "labels": _labels(window, zone),
        "lines": _lines(lanes, now),
        "total": len(found),
        "first": first,
    }


async def _ticks(store: Store, schedule: str, window: Window) -> list[TickRecord]:
    found = await schedules.ticks(store, schedule, limit=TICKS)
    return [one for one in found if one.due >= window.start]


def _labels(window: Window, zone: str) -> list[tuple[float, str]]:
    """Return where the hours of local clocks stand, a handful of them."""
    hours = (window.end - window.start) / timedelta(hours=1)
    step = next(one for one in (3, 6, 12, 24, 48) if hours / one <= LABELS + 2)
    first = window.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    labels = []
    for number in range(1, int(hours) + 2):
        at = first + timedelta(hours=number)
        local = at.astimezone(ZoneInfo(zone))
        if (local.hour + 24 * local.day) % step == 0 and at <= window.end:
            labels.append((window.x(at), f"{local:%a %d}" if local.hour == 0 else f"{local:%H:%M}"))
    return labels


def _lines(lanes: list[Lane], now: datetime) -> list[Happening]:
    """Return all rows in order of time, those nearest to now where they are too many."""
    lines = sorted((one for lane in lanes for one in lane.happenings), key=lambda one: (one.at, one.schedule))
    before = [one for one in lines if one.at <= now][-LINES // 2 :]
    return [*before, *[one for one in lines if one.at > now][: LINES // 2]]
