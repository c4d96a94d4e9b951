"""Dead letters: failed jobs grouped by task and error, run again one group or several at a time."""

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from rota.dashboard.filters import read_filters
from rota.dashboard.render import Said, acted, go, live_page
from rota.model.job import JobFilter
from rota.model.states import State
from rota.operations.text import counted
from rota.ports.store import Store
from rota.web.context import Here
from rota.web.identity import Operator, Viewer

__all__ = ["router"]

HERE = "/dead"
GROUPS = 100
SOME = 10_000

router = APIRouter(prefix=HERE)


@router.get("")
async def show(request: Request, context: Here, identity: Viewer) -> Response:
    """Show the groups, the largest first."""
    store = context.store
    filters = read_filters(request.query_params, await store.insight.now())

    async def read() -> Mapping[str, Any]:
        groups = await store.insight.faults(filters.which, limit=GROUPS + 1)
        shown = [(one, _named(one.task, one.kind, one.message)) for one in groups[:GROUPS]]
        return {"groups": shown, "more": len(groups) > GROUPS, "now": await store.insight.now()}

    return await live_page(
        request,
        context,
        identity,
        "dead.html",
        read,
        here=HERE,
        frame="dead-frame.html",
        title="Dead letters",
        filters=filters,
    )


@router.post("/redrive")
async def redrive(request: Request, context: Here, identity: Operator) -> Response:
    """Run the jobs of groups again."""
    form = await request.form()
    try:
        groups = [msgspec.json.decode(str(one), type=tuple[str, str, str]) for one in form.getlist("group")]
    except msgspec.DecodeError:
        return go(HERE, Said("one of these is no group; nothing was changed", refused=True))
    if not groups:
        return go(HERE, Said("choose groups first: nothing was changed", refused=True))
    number = sum([await _redrive(context.store, *group) for group in groups])
    said = f"{counted(number, 'job')} of {counted(len(groups), 'group')} will run again"
    data = {"groups": [f"{task}: {kind}: {message}"[:300] for task, kind, message in groups], "jobs": number}
    return await acted(
        context, identity, "redrive dead letters", counted(len(groups), "group"), data, to=HERE, said=said
    )


async def _redrive(store: Store, task: str, kind: str, message: str) -> int:
    """Run a group's jobs again, page by page; those that fail anew meanwhile are left for the next time."""
    which = JobFilter(states=frozenset({State.FAILED}), task=task, fault=kind)
    number, before = 0, None
    while True:
        page = await store.insight.jobs(which, limit=SOME, before=before)
        alike = tuple(one.id for one in page if one.fault is not None and one.fault.message == message)
        if alike:
            number += len(await store.jobs.redrive(JobFilter(ids=alike)))
        if len(page) < SOME:
            return number
        before = page[-1].id


def _named(task: str, kind: str, message: str) -> str:
    """Return a group as a form sends it."""
    return msgspec.json.encode((task, kind, message)).decode()
