"""Jobs: find them, look at one as it runs, cancel and retry them one by one or many at once."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from rota.dashboard.filters import read_filters
from rota.dashboard.render import Said, acted, go, live_page, page
from rota.model.errors import NotFoundError
from rota.model.job import JobFilter, JobRecord
from rota.model.states import FINISHED, LIVE, State
from rota.operations import jobs, views
from rota.operations.text import counted
from rota.ports.store import Store
from rota.web.context import Here
from rota.web.identity import Operator, Viewer

__all__ = ["router"]

HERE = "/jobs"
PAGE = 50
COUNTED = 1_000
EXAMPLES = 5
LOG_PAGE = 500
SHOWN_FAILURES = 3

router = APIRouter(prefix=HERE)

_AGAIN = frozenset({State.FAILED, State.CANCELLED, State.EXPIRED})


class _Bulk(NamedTuple):
    """What can be done to many jobs."""

    name: str
    states: frozenset[State]
    done: str


_BULK = {
    "cancel": _Bulk("cancel", LIVE, "cancelled"),
    "retry": _Bulk("retry", _AGAIN, "will run again"),
}


@router.get("")
async def show_all(request: Request, context: Here, identity: Viewer) -> Response:
    """List jobs that a filter means."""
    store = context.store
    filters = read_filters(request.query_params, await store.insight.now())
    before, cursor_fault = _cursor(request)
    faults = filters.faults | cursor_fault

    async def read() -> Mapping[str, Any]:
        found = await jobs.page(store, filters.which, limit=PAGE, before=before)
        return {"jobs": found.jobs, "next": found.next, "now": await store.insight.now()}

    tasks = await context.shared.get("tasks", store.insight.tasks)
    queues = await context.shared.get("queues", store.insight.queues)
    return await live_page(
        request,
        context,
        identity,
        "jobs.html",
        read,
        here=HERE,
        frame="jobs-frame.html",
        title="Jobs",
        filters=filters,
        faults=faults,
        states=list(State),
        tasks=sorted({one.name for one in tasks}),
        queues=sorted({one.name for one in queues}),
        later=before is not None,
    )


@router.post("/chosen/{verb}")
async def act_on_chosen(request: Request, context: Here, identity: Operator, verb: str) -> Response:
    """Cancel or retry the jobs that were ticked."""
    bulk, form = _bulk(verb), await request.form()
    back = _back(form.get("back"))
    try:
        ids = [UUID(str(one)) for one in form.getlist("id")]
    except ValueError:
        return go(back, Said("one of these is no id of a job; nothing was changed", refused=True))
    if not ids:
        return go(back, Said("choose jobs first: nothing was changed", refused=True))
    act = jobs.cancel if bulk.name == "cancel" else jobs.retry
    outcomes = await act(context.store, ids)
    data = {
        "jobs": [one.job for one in outcomes if one.done],
        "refused": sum(not one.done for one in outcomes),
    }
    return await acted(
        context,
        identity,
        f"{bulk.name} jobs",
        counted(len(ids), "job"),
        msgspec.to_builtins(data),
        to=back,
        said=_told(outcomes),
        refused=not any(one.done for one in outcomes),
    )


@router.get("/all/{verb}")
async def ask_for_all(request: Request, context: Here, identity: Operator, verb: str) -> Response:
    """Ask whether all jobs of a filter are meant, with their number."""
    bulk, store = _bulk(verb), context.store
    filters = read_filters(request.query_params, await store.insight.now())
    if filters.faults:
        return go(f"{HERE}?{filters.query}")
    which = filters.narrowed(bulk.states)
    number = await jobs.count(store, which, limit=COUNTED) if which.states else 0
    examples = await jobs.page(store, which, limit=EXAMPLES) if number else None
    return page(
        request,
        "jobs-all.html",
        identity,
        here=HERE,
        title=f"{bulk.name.capitalize()} jobs",
        bulk=bulk,
        filters=filters,
        many=f"at least {number:,} jobs" if number == COUNTED else counted(number, "job"),
        number=number,
        jobs=examples.jobs if examples else [],
        now=await store.insight.now(),
    )


@router.post("/all/{verb}")
async def act_on_all(request: Request, context: Here, identity: Operator, verb: str) -> Response:
    """Cancel or retry all jobs of a filter."""
    bulk, store = _bulk(verb), context.store
    filters = read_filters(await request.form(), await store.insight.now())
    back = f"{HERE}?{filters.query}"
    which = filters.narrowed(bulk.states)
    if filters.faults or not which.states:
        return go(back, Said(f"none of these can be {bulk.done}: nothing was changed", refused=True))
    said, data = await _do(store, bulk, which)
    subject = filters.query or "all jobs"
    return await acted(context, identity, f"{bulk.name} jobs", subject, data, to=back, said=said)


@router.get("/{job}")
async def show_one(request: Request, context: Here, identity: Viewer, job: UUID) -> Response:
    """Show one job."""
    store = context.store

    async def read() -> Mapping[str, Any]:
        return await _details(store, job)

    record = await jobs.find(store, job)
    log = await _log(store, job, 0)
    return await live_page(
        request,
        context,
        identity,
        "job.html",
        read,
        here=HERE,
        frame="job-frame.html",
        stream=f"/live/jobs/{job}",
        title=f"{record.task} {str(job)[-8:]}",
        record=record,
        log=log,
    )


@router.get("/{job}/log")
async def show_log(request: Request, context: Here, identity: Viewer, job: UUID, after: int = 0) -> Response:
    """Show what a job has logged since, for a page that has the lines before."""
    log = await _log(context.store, job, max(0, after))
    return page(request, "job-log.html", identity, log=log)


@router.get("/{job}/log.txt")
async def show_text(context: Here, _: Viewer, job: UUID) -> Response:
    """Show the whole log as text."""
    lines = await jobs.logs(context.store, job)
    text = "".join(f"{one.at.isoformat()} {one.attempt} {one.level:8} {one.message}\n" for one in lines)
    return PlainTextResponse(text)


@router.post("/{job}/{verb}")
async def act_on_one(context: Here, identity: Operator, job: UUID, verb: str) -> Response:
    """Cancel or retry one job."""
    bulk = _bulk(verb)
    act = jobs.cancel if bulk.name == "cancel" else jobs.retry
    outcome = (await act(context.store, [job]))[0]
    return await acted(
        context,
        identity,
        f"{bulk.name} job",
        str(job),
        {"done": outcome.done, "refused": outcome.refused},
        to=f"{HERE}/{job}",
        said=_ONE[outcome.done] if outcome.done else outcome.refused,
        refused=not outcome.done,
    )


_ONE = {
    "cancelled": "The job is cancelled",
    "requested": "The job runs: its task was asked to stop",
    "retried": "The job will run again",
}


class _Log(NamedTuple):
    """Lines of a job's log: `after` counts them and those before, `more` says that others follow."""

    job: UUID
    lines: Sequence[Any]
    after: int
    more: bool


async def _log(store: Store, job: UUID, after: int) -> _Log:
    lines = await store.insight.logs(job, after=after, limit=LOG_PAGE)
    return _Log(job, lines, after + len(lines), len(lines) == LOG_PAGE)


async def _details(store: Store, job: UUID) -> Mapping[str, Any]:
    found = await jobs.details(store, job)
    record = found.job
    kept = found.result is not None and found.result.kept
    return {
        "job": record,
        "events": found.events,
        "arguments": views.arguments(record),
        "kept": kept,
        "result": msgspec.json.decode(found.result.value)
        if kept and found.result and found.result.value
        else None,
        "reasons": (await jobs.why(store, job)).reasons,
        "road": _road(record),
        "finished": record.state in FINISHED,
        "now": await store.insight.now(),
    }


def _road(job: JobRecord) -> list[tuple[str, Any]]:
    """Return the moments of a job's life in order."""
    names = ("submitted", "ready", "claimed", "started", "finished")
    moments = [(name, getattr(job, f"{name}_at")) for name in names]
    due = [("due", job.run_at)] if job.run_at else []
    return [moments[0], *due, *moments[1:]]


async def _do(store: Store, bulk: _Bulk, which: JobFilter) -> tuple[str, dict[str, int]]:
    if bulk.name == "retry":
        again = await store.jobs.redrive(which)
        return f"{counted(len(again), 'job')} will run again", {"retried": len(again)}
    done = await store.jobs.cancel(which)
    said = f"{counted(len(done.cancelled), 'job')} cancelled"
    if done.requested:
        said += f", {counted(len(done.requested), 'running task')} asked to stop"
    return said, {"cancelled": len(done.cancelled), "requested": len(done.requested)}


def _told(outcomes: Sequence[jobs.Outcome]) -> str:
    words = {"cancelled": "cancelled", "requested": "asked to stop", "retried": "will run again"}
    parts = []
    for done, word in words.items():
        if number := sum(one.done == done for one in outcomes):
            parts.append(f"{counted(number, 'job')} {word}")
    refused = [one for one in outcomes if not one.done]
    if refused:
        reasons = "; ".join(dict.fromkeys(one.refused for one in refused[:SHOWN_FAILURES]))
        parts.append(f"{counted(len(refused), 'job')} left alone: {reasons}")
    return ", ".join(parts)


def _bulk(verb: str) -> _Bulk:
    try:
        return _BULK[verb]
    except KeyError:
        raise NotFoundError("action", verb, f" There are: {', '.join(_BULK)}") from None


def _cursor(request: Request) -> tuple[UUID | None, dict[str, str]]:
    text = request.query_params.get("before", "")
    try:
        return (UUID(text) if text else None), {}
    except ValueError:
        return None, {"before": f"{text} is no id of a job: this is the first page"}


def _back(text: object) -> str:
    """Return the list that a form came from; nowhere else."""
    given = str(text or "")
    return given if given == HERE or given.startswith(f"{HERE}?") else HERE
