"""Schedules: look at them, make and change them, run, pause, resume, backfill and delete them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from rota.dashboard.render import Said, acted, go, live_page, page
from rota.dashboard.schedule_form import (
    CATCH_UPS,
    OVERLAPS,
    Draft,
    coming,
    read_form,
    values_of,
)
from rota.model.errors import ConfigurationError, NotFoundError, RotaError, did_you_mean
from rota.model.schedule import ScheduleRecord
from rota.operations import history, schedules, views
from rota.operations.access import Identity
from rota.operations.text import counted
from rota.ports.store import Store
from rota.web.context import Here, WebContext
from rota.web.identity import Operator, Viewer

__all__ = ["router"]

HERE = "/schedules"
TICKS = 20
LONGEST_REASON = 500

router = APIRouter(prefix=HERE)


@router.get("")
async def show_all(request: Request, context: Here, identity: Viewer) -> Response:
    """List all schedules, the next due first."""

    async def read() -> Mapping[str, Any]:
        found = await schedules.list_schedules(context.store)
        return {
            "schedules": [(one, _in_words(one)) for one in found],
            "now": await context.store.insight.now(),
        }

    return await live_page(
        request,
        context,
        identity,
        "schedules.html",
        read,
        here=HERE,
        frame="schedules-frame.html",
        title="Schedules",
    )


@router.get("/new")
async def show_new(request: Request, context: Here, identity: Operator, task: str = "") -> Response:
    """Show an empty form."""
    values = {"task": task, "overlap": "skip", "catch_up": "one", "arguments": "{}", "rank": "0"}
    return await _form_page(request, context, identity, Draft(values, {}, None), None)


@router.post("/new")
async def make(request: Request, context: Here, identity: Operator) -> Response:
    """Preview a new schedule, or save it."""
    form = await request.form()
    draft = read_form(form, context, await context.store.insight.tasks(), None)
    if draft.record is not None and await context.store.schedules.get(draft.record.id) is not None:
        draft = Draft(draft.values, {"id": "There is a schedule of this id already"}, None)
    if draft.record is None or form.get("step") != "save":
        return await _form_page(request, context, identity, draft, None)
    try:
        await schedules.declare(context.store, draft.record)
    except ConfigurationError as error:
        return await _form_page(request, context, identity, _at_fault(draft, error), None)
    id_ = draft.record.id
    return await acted(
        context, identity, "create schedule", id_, _noted(draft), to=_at(id_), said=f"Schedule {id_} is made"
    )


@router.get("/{name:path}/edit")
async def show_form(request: Request, context: Here, identity: Operator, name: str) -> Response:
    """Show the form of a schedule."""
    stored = await _find(context.store, name)
    return await _form_page(request, context, identity, Draft(values_of(stored), {}, None), stored)


@router.post("/{name:path}/edit")
async def change(request: Request, context: Here, identity: Operator, name: str) -> Response:
    """Preview a change, or save it."""
    stored, form = await _find(context.store, name), await request.form()
    draft = read_form(form, context, await context.store.insight.tasks(), stored)
    record = draft.record
    if record is None or form.get("step") != "save":
        return await _form_page(request, context, identity, draft, stored)
    wanted = {field: getattr(record, field) for field in _EDITABLE}
    try:
        changed = await schedules.edit(context.store, stored.id, wanted, rank=record.options["rank"])
    except ConfigurationError as error:
        return await _form_page(request, context, identity, _at_fault(draft, error), stored)
    if not changed:
        return go(_at(stored.id), Said("Nothing was changed"))
    said = f"Schedule {stored.id}: {', '.join(changed)} changed"
    if stored.source == "code":
        said += ". Its code's own definition comes back when its app starts again"
    data = {"changed": changed} | _noted(draft)
    return await acted(context, identity, "edit schedule", stored.id, data, to=_at(stored.id), said=said)


@router.post("/{name:path}/run")
async def run(context: Here, identity: Operator, name: str) -> Response:
    """Run a schedule now; its ticks stay as they are."""
    stored = await _find(context.store, name)
    made = await schedules.force(context.store, stored.id)
    data = {"job": str(made.id)}
    said = f"Schedule {stored.id} runs now, as this job"
    return await acted(context, identity, "run schedule", stored.id, data, to=f"/jobs/{made.id}", said=said)


@router.post("/{name:path}/pause")
async def pause(context: Here, identity: Operator, name: str, why: Annotated[str, Form()] = "") -> Response:
    """Stop a schedule's ticks."""
    stored, reason = await _find(context.store, name), why.strip()[:LONGEST_REASON]
    changed = await schedules.pause(context.store, stored.id, by=identity.name, why=reason)
    said = f"Schedule {stored.id} is paused" if changed else f"Schedule {stored.id} was paused already"
    data = {"why": reason, "changed": changed}
    return await acted(context, identity, "pause schedule", stored.id, data, to=_at(stored.id), said=said)


@router.post("/{name:path}/resume")
async def resume(context: Here, identity: Operator, name: str) -> Response:
    """Let a schedule tick again."""
    stored = await _find(context.store, name)
    changed = await schedules.resume(context.store, stored.id)
    said = f"Schedule {stored.id} ticks again" if changed else f"Schedule {stored.id} was not paused"
    data = {"changed": changed}
    return await acted(context, identity, "resume schedule", stored.id, data, to=_at(stored.id), said=said)


@router.post("/{name:path}/delete")
async def delete(context: Here, identity: Operator, name: str) -> Response:
    """Delete a schedule; its jobs and ticks stay."""
    stored = await _find(context.store, name)
    removed = await schedules.remove(context.store, stored.id)
    said = f"Schedule {stored.id} is deleted"
    if stored.source == "code":
        said += "; it comes back when its app starts again"
    data = {"changed": removed}
    return await acted(context, identity, "delete schedule", stored.id, data, to=HERE, said=said)


@router.post("/{name:path}/backfill")
async def backfill(
    context: Here,
    identity: Operator,
    name: str,
    first: Annotated[str, Form(alias="from")] = "",
    last: Annotated[str, Form(alias="to")] = "",
) -> Response:
    """Run moments of the past that have had no job."""
    stored = await _find(context.store, name)
    query = f"{_at(stored.id)}?{_typed({'from': first, 'to': last})}"
    try:
        start, end = (_moment(text, context.settings.zone) for text in (first, last))
        number = await history.backfill(context.store, stored.id, start, end)
    except (ValueError, RotaError) as error:
        return go(query, Said(f"Nothing was run: {error}", refused=True))
    data = {"from": start.isoformat(), "to": end.isoformat(), "jobs": number}
    said = f"Schedule {stored.id}: {counted(number, 'past moment')} will run"
    return await acted(context, identity, "backfill schedule", stored.id, data, to=_at(stored.id), said=said)


@router.get("/{name:path}")
async def show_one(request: Request, context: Here, identity: Viewer, name: str) -> Response:
    """Show one schedule, what it did and what it will do."""
    store = context.store
    stored = await _find(store, name)

    async def read() -> Mapping[str, Any]:
        now, found = await store.insight.now(), await _find(store, name)
        return {
            "schedule": found,
            "words": _in_words(found),
            "arguments": views.schedule(found)["arguments"],
            "coming": _coming(found, now),
            "ticks": await schedules.ticks(store, found.id, limit=TICKS),
            "now": now,
        }

    return await live_page(
        request,
        context,
        identity,
        "schedule.html",
        read,
        here=HERE,
        frame="schedule-frame.html",
        title=stored.id,
        stored=stored,
        zone=context.settings.zone,
        typed=request.query_params,
    )


_EDITABLE = ("trigger", "payload", "queue", "overlap", "catch_up", "grace", "name")


async def _form_page(
    request: Request, context: WebContext, identity: Identity, draft: Draft, stored: ScheduleRecord | None
) -> Response:
    tasks = {one.name for one in await context.store.insight.tasks()} | set(context.registry.tasks)
    now = await context.store.insight.now()
    before = values_of(stored) if stored is not None else {}
    return page(
        request,
        "schedule-form.html",
        identity,
        status=422 if draft.faults else 200,
        here=HERE,
        title=f"Change {stored.id}" if stored else "New schedule",
        stored=stored,
        values=draft.values,
        faults=draft.faults,
        preview=coming(draft.record, now) if draft.record else None,
        words=_in_words(draft.record) if draft.record else "",
        changed=[name for name in before if before[name] != draft.values.get(name, "")]
        if draft.record
        else [],
        before=before,
        tasks=sorted(tasks),
        overlaps=OVERLAPS,
        catch_ups=CATCH_UPS,
        now=now,
    )


async def _find(store: Store, name: str) -> ScheduleRecord:
    found = await store.schedules.get(name)
    if found is None:
        known = [one.id for one in await store.schedules.list()]
        raise NotFoundError("schedule", name, did_you_mean(name, known))
    return found


def _coming(schedule: ScheduleRecord, now: datetime) -> list[Any]:
    """Return the moments to come; none where the trigger cannot be read."""
    if schedule.paused_at is not None or schedule.next_at is None:
        return []
    try:
        return coming(schedule, now)
    except ConfigurationError:
        return []


def _in_words(schedule: ScheduleRecord) -> str:
    try:
        return views.trigger_text(schedule)
    except ConfigurationError as error:
        return str(error)


def _at_fault(draft: Draft, error: ConfigurationError) -> Draft:
    return Draft(draft.values, {"form": " ".join(error.faults)}, None)


def _noted(draft: Draft) -> dict[str, Any]:
    """Return what the audit log keeps of a form; arguments may hold secrets, and are in the versions."""
    return {name: value for name, value in draft.values.items() if value and name not in _UNSAID}


_UNSAID = frozenset({"arguments", "version", "id"})


def _at(id_: str) -> str:
    return f"{HERE}/{quote(id_, safe='')}"


def _typed(values: Mapping[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())


def _moment(text: str, zone: str) -> datetime:
    """Read a moment as a browser's field or a person writes it; without an offset in the settings' zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no moment: write 2026-01-31T08:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
