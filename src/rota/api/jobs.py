"""`/jobs`: submit, look, cancel and run again."""

from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from rota.api.fields import Cursor, JobId, Limit
from rota.api.idempotency import IdempotentRoute, reserved
from rota.api.job_schemas import (
    Attempted,
    Filter,
    Job,
    JobDetails,
    Jobs,
    Logs,
    NewJob,
    NewJobs,
    Stored,
    StoredJobs,
    Summary,
    Which,
    Why,
)
from rota.model.access import NewAudit
from rota.model.errors import ConflictError, ForbiddenError
from rota.model.job import Submission
from rota.operations import access, jobs, submitting, views
from rota.operations.access import Identity
from rota.web.context import Here, WebContext
from rota.web.identity import Operator, Viewer
from rota.web.problems import answers

__all__ = ["router"]

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=IdempotentRoute)

_NO_JOB = answers(HTTPStatus.NOT_FOUND)
_AUDITED = 5  # ids of a group that the audit log names


class Listing(Filter):
    """A filter, and which part of what it means."""

    limit: int = Field(50, ge=1, le=1000, description="How many at most")
    before: Cursor = None


@router.get("", summary="List jobs")
async def list_jobs(context: Here, identity: Viewer, query: Annotated[Listing, Query()]) -> Jobs:
    """List jobs of a filter, newest first, without arguments and results."""
    which = access.narrowed(identity, query.resolve())
    found = await jobs.page(context.store, which, limit=query.limit, before=query.before)
    listed = [Job.model_validate(views.job(one, whole=False)) for one in found.jobs]
    return Jobs(jobs=listed, next=found.next)


@router.post("", summary="Submit a job", status_code=HTTPStatus.CREATED)
async def submit(context: Here, identity: Operator, request: Request, job: NewJob) -> Stored:
    """Store a job. It is there when the answer comes; with an `Idempotency-Key` it is never there twice."""
    ids = reserved(request, 1)
    submissions = await submitting.prepare(context.store, context.registry, [job.resolve()], ids)
    _check_keys(identity, submissions)
    if ids:
        (stored,) = await context.store.jobs.submit(submissions, resend=True)
    else:
        stored = await context.submits.ask(submissions[0])
    created = stored.created or stored.id in ids
    line = NewAudit(actor=identity.name, action="submit job", subject=str(stored.id), data={"task": job.task})
    await context.audits.ask(line)
    return Stored(id=stored.id, created=created)


@router.post("/batch", summary="Submit many jobs", status_code=HTTPStatus.CREATED)
async def submit_many(context: Here, identity: Operator, request: Request, new: NewJobs) -> StoredJobs:
    """Store up to 1,000 jobs in one transaction, all or none."""
    ids = reserved(request, len(new.jobs))
    orders = [job.resolve() for job in new.jobs]
    submissions = await submitting.prepare(context.store, context.registry, orders, ids)
    _check_keys(identity, submissions)
    stored = await context.store.jobs.submit(submissions, resend=bool(ids))
    data = {"jobs": len(stored), "tasks": sorted({job.task for job in new.jobs})[:_AUDITED]}
    await access.record(context.store, identity, "submit jobs", str(stored[0].id), data)
    known = frozenset(ids)
    return StoredJobs(jobs=[Stored(id=one.id, created=one.created or one.id in known) for one in stored])


@router.post("/cancel", summary="Cancel jobs")
async def cancel(context: Here, identity: Operator, which: Which) -> Summary:
    """Cancel jobs by ids or filter: at once where they wait; the task of a running one is asked to stop."""
    if which.ids is not None:
        outcomes = await jobs.cancel(context.store, which.ids, identity.limits)
        return await _told(context, identity, "cancel jobs", which, _summary(outcomes))
    assert which.filter is not None  # noqa: S101 - the schema sees to it
    done = await jobs.cancel_all(context.store, access.narrowed(identity, which.filter.resolve()))
    return await _told(context, identity, "cancel jobs", which, Summary.model_validate(done))


@router.post("/retry", summary="Run jobs again")
async def retry(context: Here, identity: Operator, which: Which) -> Summary:
    """Run failed, cancelled or expired jobs again by ids or filter; without states it means failed ones."""
    if which.ids is not None:
        outcomes = await jobs.retry(context.store, which.ids, identity.limits)
        return await _told(context, identity, "retry jobs", which, _summary(outcomes))
    assert which.filter is not None  # noqa: S101 - the schema sees to it
    done = await jobs.retry_all(context.store, access.narrowed(identity, which.filter.resolve()))
    return await _told(context, identity, "retry jobs", which, Summary.model_validate(done))


@router.get("/{job}", summary="Show a job", responses=_NO_JOB)
async def show(context: Here, identity: Viewer, job: JobId) -> JobDetails:
    """Show all that is known of a job: arguments, history, result."""
    found = await jobs.details(context.store, job, identity.limits)
    kept = found.result is not None and found.result.kept
    value = found.result.value if found.result is not None else None
    return JobDetails.model_validate(
        views.job(found.job)
        | {
            "history": [views.event(one) for one in found.events],
            "result": None if value is None else msgspec.json.decode(value),
            "result_kept": kept,
        }
    )


@router.get("/{job}/logs", summary="Read a job's log", responses=_NO_JOB)
async def logs(
    context: Here,
    identity: Viewer,
    job: JobId,
    after: Annotated[int, Query(ge=0, le=10**9, description="Skip so many lines")] = 0,
    limit: Limit = 1000,
) -> Logs:
    """Read what a job's attempts have logged; ask again with `next` for what follows."""
    lines = await jobs.log_page(context.store, job, after=after, limit=limit, keys=identity.limits)
    return Logs.model_validate({"logs": [views.log(one) for one in lines], "next": after + len(lines)})


@router.get("/{job}/why", summary="Why does a job not run?", responses=_NO_JOB)
async def why(context: Here, identity: Viewer, job: JobId) -> Why:
    """Explain in words and codes why a job is not running, or what became of it."""
    return Why.model_validate(views.plain(await jobs.why(context.store, job, identity.limits)))


@router.post(
    "/{job}/cancel", summary="Cancel a job", responses=answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
)
async def cancel_one(context: Here, identity: Operator, response: Response, job: JobId) -> Attempted:
    """Cancel a job that waits, or ask a running one to stop (202)."""
    (outcome,) = await jobs.cancel(context.store, [job], identity.limits)
    return await _told_one(context, identity, "cancel job", outcome, response)


@router.post(
    "/{job}/retry", summary="Run a job again", responses=answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
)
async def retry_one(context: Here, identity: Operator, response: Response, job: JobId) -> Attempted:
    """Run a failed, cancelled or expired job again, under its id."""
    (outcome,) = await jobs.retry(context.store, [job], identity.limits)
    return await _told_one(context, identity, "retry job", outcome, response)


async def _told(
    context: WebContext, identity: Identity, action: str, which: Which, summary: Summary
) -> Summary:
    """Write down what was done to a group, and return it."""
    counts = summary.model_dump(exclude={"jobs"}, exclude_defaults=True)
    if which.ids is None:
        meant = which.model_dump(mode="json", exclude_defaults=True)["filter"]
        await access.record(context.store, identity, action, "by filter", {"filter": meant, **counts})
    else:
        named = [str(one) for one in which.ids[:_AUDITED]]
        await access.record(context.store, identity, action, ", ".join(named), counts)
    return summary


async def _told_one(
    context: WebContext, identity: Identity, action: str, outcome: jobs.Outcome, response: Response
) -> Attempted:
    """Write down what was done to a job, and return it; a refusal is a problem."""
    if not outcome.done:
        await jobs.find(context.store, outcome.job, identity.limits)
        raise ConflictError(f"job {outcome.job}: {outcome.refused}")
    await access.record(context.store, identity, action, str(outcome.job), {"done": outcome.done})
    if outcome.done == "requested":
        response.status_code = HTTPStatus.ACCEPTED
    return Attempted.model_validate(outcome)


def _summary(outcomes: list[jobs.Outcome]) -> Summary:
    done = [one.done for one in outcomes]
    return Summary(
        cancelled=done.count("cancelled"),
        requested=done.count("requested"),
        retried=done.count("retried"),
        jobs=[Attempted.model_validate(one) for one in outcomes],
    )


def _check_keys(identity: Identity, submissions: list[Submission]) -> None:
    """Refuse jobs of keys that are not the identity's."""
    if identity.limits is None:
        return
    for one in submissions:
        if one.key not in identity.limits:
            allowed = ", ".join(identity.limits)
            raise ForbiddenError(f"{identity.name} submits only with options.key of: {allowed}")
