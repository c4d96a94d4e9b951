"""`rota jobs`: look at jobs, ask why they wait, cancel and retry them."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import click
import msgspec

from rota.cli.command import Group, Option, Session, command
from rota.cli.job_text import event_text, log_text, moments, note, summary
from rota.cli.options import Filters, IdsArgument, JobArgument, YesOption, identifier
from rota.model.job import JobFilter
from rota.model.states import LIVE, State
from rota.ports.store import Store

__all__ = ["add_to"]

Limit = Annotated[int, Option("--limit -n", "How many.", metavar="N", parse=click.IntRange(1, 10_000))]
Cursor = Annotated[
    UUID | None,
    Option("--before", "Older than this job: what `next` says.", metavar="ID", parse=identifier),
]
FollowOption = Annotated[bool, Option("--follow -f", "Go on until the job has finished.")]


def add_to(root: click.Group) -> None:
    """Add the commands of this module."""
    group = Group("jobs", help="Look at jobs, ask why they wait, cancel and retry them.")
    root.add_command(group)
    command(group, "list")(list_jobs)
    command(group, "show")(show)
    command(group, "why")(why)
    command(group, "retry")(retry)
    command(group, "cancel")(cancel)
    command(group, "logs")(logs)
    command(group, "stats")(stats)


async def list_jobs(session: Session, filters: Filters, limit: Limit = 50, before: Cursor = None) -> None:
    """List jobs, newest first."""
    from rota.operations import jobs, views

    async with session.target.open() as store:
        now = await store.insight.now()
        page = await jobs.page(store, filters.resolve(now), limit=limit, before=before)
    out = session.out
    if out.json:
        out.document({"jobs": [views.job(one, whole=False) for one in page.jobs], "next": page.next})
        return
    columns = ("id", "state", "task", "queue", "rank", "attempt", "submitted", "note")
    rows = [
        (
            str(one.id),
            one.state,
            one.task,
            one.queue,
            str(one.rank),
            str(one.attempt),
            out.moment(one.submitted_at, now),
            note(one, now),
        )
        for one in page.jobs
    ]
    out.table(
        columns,
        rows,
        empty="No job fits." if filters.given else "There are no jobs.",
        spare=("attempt", "rank", "submitted", "queue"),
    )
    if page.next is not None:
        click.echo(f"more: --before {page.next}", err=True)


async def show(session: Session, job: JobArgument) -> None:
    """Show all that is known of a job."""
    from rota.operations import jobs, views

    async with session.target.open() as store:
        found = await jobs.details(store, job)
        now = await store.insight.now()
    record, out = found.job, session.out
    result = msgspec.json.decode(found.result.value) if found.result and found.result.value else None
    if out.json:
        events = [views.event(one) for one in found.events]
        out.document(views.job(record) | {"result": result, "events": events})
        return
    out.pairs(summary(record, views.arguments(record), result) | moments(record, out, now))
    if found.events:
        out.line()
        rows = [
            (out.moment(one.at, now), one.kind, str(one.attempt or ""), event_text(one))
            for one in found.events
        ]
        out.table(("when", "event", "attempt", "what"), rows, empty="")
    if record.fault is not None and record.fault.traceback:
        out.line()
        out.line(record.fault.traceback.rstrip())


async def why(session: Session, job: JobArgument) -> None:
    """Explain why a job is not running, or what became of it."""
    from rota.operations import jobs, views

    async with session.target.open() as store:
        explanation = await jobs.why(store, job)
    out = session.out
    if out.json:
        out.document(views.plain(explanation))
        return
    out.line(f"job {explanation.job} of task {explanation.task!r} is {explanation.state}:")
    for reason in explanation.reasons:
        out.line(f"- {reason.text}" + (f" ({reason.remedy})" if reason.remedy else ""))


async def cancel(session: Session, filters: Filters, ids: IdsArgument = (), *, yes: YesOption = False) -> int:
    """Cancel jobs by id or by filter: at once where they wait; a running task is asked to stop."""
    from rota.cli.bulk import Verb, act
    from rota.operations import jobs

    async def by_filter(store: Store, which: JobFilter) -> dict[str, Sequence[UUID]]:
        done = await store.jobs.cancel(which)
        return {"cancelled": done.cancelled, "requested": done.requested}

    verb = Verb(name="cancel", by_id=jobs.cancel, by_filter=by_filter, states=LIVE)
    return await act(session, verb, ids, filters, yes=yes)


async def retry(session: Session, filters: Filters, ids: IdsArgument = (), *, yes: YesOption = False) -> int:
    """Run jobs again by id or by filter; by filter the failed ones, unless --state says otherwise."""
    from rota.cli.bulk import Verb, act
    from rota.operations import jobs

    async def by_filter(store: Store, which: JobFilter) -> dict[str, Sequence[UUID]]:
        return {"retried": await store.jobs.redrive(which)}

    verb = Verb(name="retry", by_id=jobs.retry, by_filter=by_filter, states=frozenset({State.FAILED}))
    return await act(session, verb, ids, filters, yes=yes)


async def logs(session: Session, job: JobArgument, *, follow: FollowOption = False) -> None:
    """Print what a job's attempts have logged."""
    from rota.operations import jobs, views

    out = session.out
    async with session.target.open() as store:
        if not follow:
            lines = await jobs.logs(store, job)
            if out.json:
                out.document({"logs": [views.log(one) for one in lines]})
                return
            for line in lines:
                out.line(log_text(line))
            return
        async for line in jobs.follow(store, job):
            if out.json:
                out.record(views.log(line))
            else:
                out.line(log_text(line))


async def stats(session: Session) -> None:
    """Count jobs by queue, task and state, and group the dead ones by error."""
    from rota.operations import jobs, views

    async with session.target.open() as store:
        found = await jobs.stats(store)
        now = await store.insight.now()
    out = session.out
    if out.json:
        out.document(views.plain(found))
        return
    rows = [(one.queue, one.task, one.state, str(one.count)) for one in found.counts]
    out.table(("queue", "task", "state", "jobs"), rows, empty="There are no jobs.")
    if found.faults:
        out.line()
        faults = [
            (str(one.count), one.task, f"{one.kind}: {one.message}", out.moment(one.last, now))
            for one in found.faults
        ]
        out.table(("dead", "task", "error", "last"), faults, empty="")
