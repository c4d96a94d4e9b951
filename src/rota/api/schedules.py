"""`/schedules`: make, edit, look ahead, pause, run now."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import Field, StrictInt, StringConstraints

from rota.api.fields import (
    INT32,
    Arguments,
    Body,
    Changed,
    Limit,
    Moment,
    Name,
    Rank,
    ScheduleName,
    Text,
    Texts,
    View,
)
from rota.api.idempotency import IdempotentRoute, reserved
from rota.api.job_schemas import Stored
from rota.engine.submitter import SubmitOptions
from rota.model.errors import ForbiddenError, NotFoundError
from rota.model.schedule import ScheduleRecord
from rota.operations import access, history, planning, schedules, views
from rota.operations.access import Identity
from rota.policy.misfires import CatchUp
from rota.policy.overlap import Overlap
from rota.triggers.base import Trigger
from rota.triggers.parse import from_json
from rota.web.context import Here, WebContext
from rota.web.identity import Operator, Viewer
from rota.web.problems import answers

__all__ = ["router"]

router = APIRouter(prefix="/schedules", tags=["schedules"], route_class=IdempotentRoute)

_NONE = answers(HTTPStatus.NOT_FOUND)

TriggerForm = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=r"^[^\x00]*$")] | Arguments,
    Field(
        description="A line of text, or the structured form",
        examples=["0 8 * * 1-5 Europe/Amsterdam", "every 5 minutes", {"kind": "cron", "hour": "8"}],
    ),
]


class Options(Body):
    """Options of a schedule's jobs."""

    queue: Name | None = Field(None, description="Where they wait; null: as the task says")
    rank: Rank | None = Field(None, description="Lower runs first; null: as the task says")
    key: Text | None = Field(None, description="The tenant or resource by which they are limited")
    tags: Texts | None = Field(None, description="For filters")
    max_attempts: StrictInt | None = Field(None, ge=1, le=INT32, description="How many tries in all")
    headers: Texts | None = Field(None, description="Travel with the jobs")


class NewSchedule(Body):
    """A schedule to be made."""

    id: Annotated[
        str,
        StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/]+$"),
        Field(description="Under which it is stored", examples=["nightly-sync"]),
    ]
    task: Name = Field(description="What it runs")
    trigger: TriggerForm
    arguments: Arguments = Field(default={}, description="By parameter; secrets in clear")
    options: Options = Options()
    catch_up: CatchUp = Field(CatchUp.ONE, description="What happens to moments that were missed")
    overlap: Overlap = Field(Overlap.SKIP, description="What happens when a job of it is unfinished")


class Edit(Body):
    """What is to change; what is left out stays."""

    trigger: TriggerForm | None = None
    arguments: Arguments | None = Field(None, description="All of them: these replace those of before")
    options: Options | None = Field(None, description="Those that are named; null takes one away")
    catch_up: CatchUp | None = None
    overlap: Overlap | None = None


class Look(Body):
    """A trigger to be looked at before it is saved."""

    trigger: TriggerForm
    after: Moment | None = Field(None, description="From then on; without it from now on")
    count: StrictInt = Field(5, ge=1, le=200)


class Pause(Body):
    """Why a schedule is paused."""

    why: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")] = Field(
        "", description="Shown to others"
    )


class Stretch(Body):
    """A time to be made up for."""

    since: Moment = Field(description="The first moment")
    until: Moment = Field(description="The last moment; it lies in the past")


class Schedule(View):
    """A schedule."""

    id: str
    task: str
    queue: str
    executor: str
    trigger: dict[str, Any] = Field(description="Its structured form")
    trigger_text: str
    arguments: Any = Field(description="By parameter, secrets as ***")
    options: dict[str, Any]
    source: str = Field(
        description="Who made it: code (its next start says again what the code says), api or cli"
    )
    version: int
    catch_up: str
    overlap: str
    next_at: datetime | None = Field(description="Null when it has ended")
    last_at: datetime | None
    paused_at: datetime | None
    paused_by: str | None
    paused_why: str | None


class Schedules(View):
    """All schedules, the next due first."""

    schedules: list[Schedule]


class Edited(View):
    """A schedule, and what changed."""

    schedule: Schedule
    changed: list[str] = Field(description="Names of what changed; empty when all was so already")


class PreviewedMoment(View):
    """A due moment."""

    at: datetime = Field(description="In UTC")
    local: datetime = Field(description="As its zone's clocks show it")
    zone: str
    note: str = Field(description="What a change of the clocks does to it; empty where none does")


class Backfilled(View):
    """What a backfill does."""

    moments: int = Field(description="How many moments are run")


class Preview(View):
    """The next due moments."""

    trigger: dict[str, Any]
    trigger_text: str
    moments: list[PreviewedMoment]


class Tick(View):
    """A due moment that was handled."""

    due: datetime
    state: str = Field(description="fired, missed, skipped, paused …")
    job: UUID | None
    missed: int = Field(description="How many moments before it were missed")
    missed_from: datetime | None
    fired_at: datetime


class Ticks(View):
    """The latest ticks, newest first."""

    ticks: list[Tick]


@router.get("", summary="List schedules")
async def list_schedules(context: Here, identity: Viewer) -> Schedules:
    """List the stored schedules, the next due first."""
    found = [one for one in await schedules.list_schedules(context.store) if _sees(identity, one)]
    return Schedules(schedules=[_view(one) for one in found])


@router.post(
    "", summary="Make a schedule", status_code=HTTPStatus.CREATED, responses=answers(HTTPStatus.CONFLICT)
)
async def create(context: Here, identity: Operator, new: NewSchedule) -> Schedule:
    """Store a schedule under a new id."""
    plan = planning.Plan(
        id=new.id,
        task=new.task,
        trigger=new.trigger,
        arguments=new.arguments,
        options=SubmitOptions(**new.options.model_dump()),
        catch_up=new.catch_up,
        overlap=new.overlap,
    )
    wanted = await planning.make_schedule(context.store, context.registry, plan, context.settings.zone)
    _refuse_other_keys(identity, wanted)
    made = await planning.create(context.store, wanted)
    await access.record(
        context.store, identity, "create schedule", made.id, {"trigger": str(from_json(made.trigger))}
    )
    return _view(made)


@router.post("/preview", summary="Look at a trigger")
async def look(context: Here, _: Viewer, wanted: Look) -> Preview:
    """Show when a trigger would tick next, before it is saved; marks what turned clocks do to it."""
    trigger = planning.parse_trigger(wanted.trigger, context.settings.zone)
    return await _preview(context, trigger, wanted.after, wanted.count)


@router.get("/{schedule}", summary="Show a schedule", responses=_NONE)
async def show(context: Here, identity: Viewer, schedule: ScheduleName) -> Schedule:
    """Show one schedule."""
    return _view(await _get(context, identity, schedule))


@router.patch("/{schedule}", summary="Edit a schedule", responses=answers(HTTPStatus.NOT_FOUND))
async def edit(context: Here, identity: Operator, schedule: ScheduleName, changes: Edit) -> Edited:
    """Change parts of a schedule; a pause stays, and with the trigger the phase."""
    present = await _get(context, identity, schedule)
    named = {
        name: value
        for name, value in changes.model_dump(exclude_unset=True, exclude={"options"}).items()
        if value is not None
    }
    if changes.options is not None:
        named["options"] = changes.options.model_dump(exclude_unset=True)
        if (
            identity.limits is not None
            and named["options"].get("key", identity.limits[0]) not in identity.limits
        ):
            raise ForbiddenError(
                f"{identity.name} makes schedules only with options.key of: {identity.limits}"
            )
    record, changed = await planning.edit(
        context.store, context.registry, present, named, context.settings.zone
    )
    await access.record(context.store, identity, "edit schedule", record.id, {"changed": changed})
    return Edited(schedule=_view(record), changed=changed)


@router.delete("/{schedule}", summary="Delete a schedule", status_code=HTTPStatus.NO_CONTENT, responses=_NONE)
async def remove(context: Here, identity: Operator, schedule: ScheduleName) -> None:
    """Delete a schedule; its jobs and ticks stay. One of the code comes back at the next start."""
    present = await _get(context, identity, schedule)
    await schedules.remove(context.store, present.id)
    await access.record(context.store, identity, "delete schedule", present.id)


@router.post("/{schedule}/pause", summary="Pause a schedule", responses=_NONE)
async def pause(
    context: Here, identity: Operator, schedule: ScheduleName, reason: Pause | None = None
) -> Changed:
    """Stop a schedule's ticks; its phase is kept."""
    present = await _get(context, identity, schedule)
    why = reason.why if reason is not None else ""
    changed = await schedules.pause(context.store, present.id, by=identity.name, why=why)
    await access.record(
        context.store, identity, "pause schedule", present.id, {"changed": changed, "why": why}
    )
    return Changed(changed=changed)


@router.post("/{schedule}/resume", summary="Resume a schedule", responses=_NONE)
async def resume(context: Here, identity: Operator, schedule: ScheduleName) -> Changed:
    """Let a paused schedule tick again, from its next moment on."""
    present = await _get(context, identity, schedule)
    changed = await schedules.resume(context.store, present.id)
    await access.record(context.store, identity, "resume schedule", present.id, {"changed": changed})
    return Changed(changed=changed)


@router.post("/{schedule}/run", summary="Run a schedule now", status_code=HTTPStatus.CREATED, responses=_NONE)
async def run(context: Here, identity: Operator, request: Request, schedule: ScheduleName) -> Stored:
    """Submit a schedule's job now; its ticks stay as they are."""
    present = await _get(context, identity, schedule)
    ids = reserved(request, 1)
    stored = await schedules.force(context.store, present.id, ids=ids)
    await access.record(context.store, identity, "run schedule", present.id, {"job": str(stored.id)})
    return Stored(id=stored.id, created=stored.created or stored.id in ids)


@router.get("/{schedule}/preview", summary="Look ahead", responses=_NONE)
async def preview(
    context: Here,
    identity: Viewer,
    schedule: ScheduleName,
    count: Annotated[int, Query(ge=1, le=200, description="How many at most")] = 5,
    after: Annotated[Moment | None, Query(description="From then on; without it from now on")] = None,
) -> Preview:
    """Show when a schedule ticks next; marks what turned clocks do to it."""
    present = await _get(context, identity, schedule)
    return await _preview(context, from_json(present.trigger), after, count)


@router.get("/{schedule}/ticks", summary="Look back", responses=_NONE)
async def ticks(context: Here, identity: Viewer, schedule: ScheduleName, limit: Limit = 50) -> Ticks:
    """Show a schedule's latest ticks, newest first."""
    present = await _get(context, identity, schedule)
    found = await schedules.ticks(context.store, present.id, limit=limit)
    return Ticks.model_validate({"ticks": [views.tick(one) for one in found]})


@router.post(
    "/{schedule}/backfill", summary="Make up for a time", status_code=HTTPStatus.CREATED, responses=_NONE
)
async def backfill(context: Here, identity: Operator, schedule: ScheduleName, stretch: Stretch) -> Backfilled:
    """Run the moments of a past time that have had no job, oldest first; a second time it runs nothing."""
    present = await _get(context, identity, schedule)
    number = await history.backfill(context.store, present.id, stretch.since, stretch.until)
    data = {"since": stretch.since.isoformat(), "until": stretch.until.isoformat(), "moments": number}
    await access.record(context.store, identity, "backfill schedule", present.id, data)
    return Backfilled(moments=number)


async def _get(context: WebContext, identity: Identity, name: str) -> ScheduleRecord:
    found = await context.store.schedules.get(name)
    if found is None or not _sees(identity, found):
        raise NotFoundError("schedule", name, " `GET /api/v1/schedules` lists those that are there")
    return found


async def _preview(context: WebContext, trigger: Trigger, after: datetime | None, count: int) -> Preview:
    form = trigger.to_json()
    moment = after or await context.store.insight.now()
    found = planning.moments(trigger, planning.zone_of(form), moment, count)
    return Preview.model_validate(
        {"trigger": form, "trigger_text": str(trigger), "moments": [views.plain(one) for one in found]}
    )


def _sees(identity: Identity, schedule: ScheduleRecord) -> bool:
    return identity.limits is None or schedule.options.get("key") in identity.limits


def _refuse_other_keys(identity: Identity, schedule: ScheduleRecord) -> None:
    if not _sees(identity, schedule):
        raise ForbiddenError(f"{identity.name} makes schedules only with options.key of: {identity.limits}")


def _view(record: ScheduleRecord) -> Schedule:
    return Schedule.model_validate(views.schedule(record))
