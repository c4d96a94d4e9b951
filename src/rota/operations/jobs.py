"""Jobs: look at them, explain them, cancel and retry them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Literal
from uuid import UUID

from msgspec import Struct, structs

from rota.model.errors import ForbiddenMoveError, JobNotFoundError
from rota.model.events import JobEvent, LogRecord
from rota.model.job import JobFilter, JobRecord
from rota.model.states import FINISHED, LIVE, State, Verb, check_move
from rota.operations.why import Explanation, Facts, explain
from rota.ports.insight import FaultGroup, StateCount, StoredResult
from rota.ports.store import Store

__all__ = [
    "Details",
    "Done",
    "Keys",
    "Outcome",
    "Page",
    "Stats",
    "cancel",
    "cancel_all",
    "count",
    "details",
    "find",
    "follow",
    "log_page",
    "logs",
    "page",
    "retry",
    "retry_all",
    "stats",
    "why",
]

LINE = 1000
LOG_PAGE = 1000
FOLLOW_EVERY = 0.3

Keys = tuple[str, ...] | None
"""The only keys whose jobs somebody may see and act on; None: all."""


class Page(Struct, frozen=True):
    """Some jobs, newest first; `next` is the cursor of those that follow, None at the end."""

    jobs: list[JobRecord]
    next: UUID | None


class Details(Struct, frozen=True):
    """A job with its history and its result."""

    job: JobRecord
    events: list[JobEvent]
    result: StoredResult | None


class Outcome(Struct, frozen=True):
    """What became of one job that a verb was asked for; `refused` says why nothing did."""

    job: UUID
    done: Literal["cancelled", "requested", "retried", ""]
    refused: str = ""


class Done(Struct, frozen=True, kw_only=True):
    """To how many jobs what was done."""

    cancelled: int = 0
    requested: int = 0
    retried: int = 0


class Stats(Struct, frozen=True):
    """How many jobs are where, and how the dead ones failed."""

    counts: list[StateCount]
    faults: list[FaultGroup]


async def page(store: Store, which: JobFilter, *, limit: int, before: UUID | None = None) -> Page:
    """List jobs, newest first, from a cursor on."""
    found = await store.insight.jobs(which, limit=limit + 1, before=before)
    more = len(found) > limit
    return Page(found[:limit], found[limit - 1].id if more else None)


async def count(store: Store, which: JobFilter, *, limit: int) -> int:
    """Count the jobs of a filter, but no further than `limit`."""
    return len(await store.insight.jobs(which, limit=limit))


async def find(store: Store, job: UUID, keys: Keys = None) -> JobRecord:
    """Return one job.

    Args:
        store: where it is.
        job: its id.
        keys: the only keys whose jobs are seen; None: all.

    Raises:
        JobNotFoundError: there is none of this id.
    """
    record = await store.insight.job(job)
    if record is None or (keys is not None and record.key not in keys):
        raise JobNotFoundError(job)
    return record


async def details(store: Store, job: UUID, keys: Keys = None) -> Details:
    """Return a job with its history and its result.

    Raises:
        JobNotFoundError: there is none of this id.
    """
    record = await find(store, job, keys)
    results = await store.insight.results([job]) if record.state is State.SUCCEEDED else {}
    return Details(record, await store.insight.events(job), results.get(job))


async def why(store: Store, job: UUID, keys: Keys = None) -> Explanation:
    """Explain why a job is not running.

    Raises:
        JobNotFoundError: there is none of this id.
    """
    record = await find(store, job, keys)
    insight, now = store.insight, await store.insight.now()
    if record.state in FINISHED:
        return explain(Facts(job=record, now=now))
    queues = {queue.name: queue for queue in await insight.queues()}
    line: list[JobRecord] = []
    running: list[JobRecord] = []
    if record.state is State.READY:
        line = await insight.jobs(JobFilter(states=frozenset({State.READY}), queue=record.queue), limit=LINE)
        running = await insight.jobs(JobFilter(states=frozenset({State.RUNNING, State.HANDED})), limit=LINE)
    facts = Facts(
        job=record,
        now=now,
        events=await insight.events(job),
        queue=queues.get(record.queue),
        workers=await insight.workers(),
        line=line,
        whole_line=len(line) < LINE,
        running=running,
    )
    return explain(facts)


async def cancel(store: Store, jobs: Sequence[UUID], keys: Keys = None) -> list[Outcome]:
    """Cancel jobs by id: at once where nothing runs, by request to the worker where something does."""
    done = await store.jobs.cancel(JobFilter(ids=tuple(jobs), keys=keys))
    outcomes = [Outcome(job, "cancelled") for job in done.cancelled]
    outcomes += [Outcome(job, "requested") for job in done.requested]
    return await _with_refused(store, jobs, outcomes, Verb.CANCEL, keys)


async def retry(store: Store, jobs: Sequence[UUID], keys: Keys = None) -> list[Outcome]:
    """Run failed, cancelled or expired jobs again, by id."""
    which = JobFilter(ids=tuple(jobs), keys=keys)
    outcomes = [Outcome(job, "retried") for job in await store.jobs.redrive(which)]
    return await _with_refused(store, jobs, outcomes, Verb.REDRIVE, keys)


async def cancel_all(store: Store, which: JobFilter) -> Done:
    """Cancel the live jobs of a filter; one that names no states means those that live."""
    done = await store.jobs.cancel(structs.replace(which, states=which.states or LIVE))
    return Done(cancelled=len(done.cancelled), requested=len(done.requested))


async def retry_all(store: Store, which: JobFilter) -> Done:
    """Run the jobs of a filter again; one that names no states means the failed ones."""
    states = which.states or frozenset({State.FAILED})
    return Done(retried=len(await store.jobs.redrive(structs.replace(which, states=states))))


async def logs(store: Store, job: UUID) -> list[LogRecord]:
    """Return all that a job's attempts have logged.

    Raises:
        JobNotFoundError: there is no job of this id.
    """
    await find(store, job)
    return await _all_logs(store, job, 0)


async def log_page(
    store: Store, job: UUID, *, after: int = 0, limit: int = LOG_PAGE, keys: Keys = None
) -> list[LogRecord]:
    """Return some of what a job's attempts have logged, from line `after` on.

    Raises:
        JobNotFoundError: there is no job of this id.
    """
    await find(store, job, keys)
    return await store.insight.logs(job, after=after, limit=limit)


async def follow(store: Store, job: UUID) -> AsyncIterator[LogRecord]:
    """Yield what a job's attempts have logged and log, until it has finished.

    Raises:
        JobNotFoundError: there is no job of this id.
    """
    seen = 0
    while True:
        # The state is read first: what a job logs before it ends is stored by then.
        ended = (await find(store, job)).state in FINISHED
        lines = await _all_logs(store, job, seen)
        for line in lines:
            yield line
        seen += len(lines)
        if ended:
            return
        await asyncio.sleep(FOLLOW_EVERY)


async def stats(store: Store, *, faults: int = 10) -> Stats:
    """Count jobs by queue, task and state, and group the dead ones by fault."""
    order = list(State).index
    counts = sorted(await store.insight.counts(), key=lambda one: (one.queue, one.task, order(one.state)))
    return Stats(counts, await store.insight.faults(JobFilter(), limit=faults))


async def _all_logs(store: Store, job: UUID, after: int) -> list[LogRecord]:
    lines: list[LogRecord] = []
    while page := await store.insight.logs(job, after=after + len(lines), limit=LOG_PAGE):
        lines += page
        if len(page) < LOG_PAGE:
            break
    return lines


async def _with_refused(
    store: Store, asked: Sequence[UUID], outcomes: Sequence[Outcome], verb: Verb, keys: Keys
) -> list[Outcome]:
    """Return the outcomes in the order that was asked for, with a reason for each job left alone."""
    by_job = {outcome.job: outcome for outcome in outcomes}
    return [
        by_job.get(job) or Outcome(job, "", await _refusal(store, job, verb, keys))
        for job in dict.fromkeys(asked)
    ]


async def _refusal(store: Store, job: UUID, verb: Verb, keys: Keys) -> str:
    try:
        record = await find(store, job, keys)
        check_move(record.state, verb)
    except (JobNotFoundError, ForbiddenMoveError) as error:
        return str(error)
    if record.unique_key is not None:
        return f"another live job has its unique key {record.unique_key!r}"
    return f"it changed meanwhile; it is {record.state} now"
