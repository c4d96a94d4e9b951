"""Submit without I/O: the store's own connections and those of users drive the same plan."""

from collections.abc import Generator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from rota.model.events import Notice
from rota.model.job import Submission, Submitted
from rota.ports.jobs import Rows, Statement, SubmitPlan
from rota.stores.sqlite.values import id_or_none, ids, json_or_none, json_text, micros, micros_or_none

__all__ = ["NEAR", "submit_plan"]

NEAR = micros(timedelta(seconds=5))
"""A promoter sleeps no longer than this: a job due later needs no notice."""

# Jobs of one instant differ in their schedules, which stand beside their payloads.
_OF_ITS_OWN = {"id", "payload", "schedule", "due"}
_kin = attrgetter(*(name for name in Submission.__struct_fields__ if name not in _OF_ITS_OWN))
_WORTH_GROUPING = 4
_LARGEST_GROUP = 500  # of payloads of 256 KiB each, they still are a bearable blob
_STATE, _RUN_AT = 4, 10  # where they stand in what `_alike` returns


def submit_plan(
    sql: Mapping[str, str],
    submissions: Sequence[Submission],
    now: int,
    notices: list[Notice],
    *,
    resend: bool = False,
) -> SubmitPlan:
    """Plan a submit.

    Args:
        sql: statements by name.
        submissions: in the order in which the jobs are to run.
        now: the moment, in microseconds.
        notices: whom to wake is added here.
        resend: leave jobs alone that are already known.
    """
    submitted: list[Submitted] = []
    ready: set[str] = set()
    soon: set[str] = set()
    for _, group in groupby(submissions, _kin):
        jobs = list(group)
        alike = _alike(jobs[0], now)
        simple = not resend and jobs[0].unique_key is None
        made: list[Submitted] = []
        if simple and len(jobs) >= _WORTH_GROUPING:
            for start in range(0, len(jobs), _LARGEST_GROUP):
                made += yield from _submit_group(sql, jobs[start : start + _LARGEST_GROUP], alike)
        else:
            for job in jobs:
                made.append((yield from _submit_one(sql, job, alike, now, resend=resend)))
        submitted += made
        if any(one.created for one in made):
            _note(alike, now, ready, soon)
    if ready:
        rows = yield Statement("idle_queues", sql["idle_queues"], (json_text(list(ready)),))
        notices.extend(Notice("ready", queue) for (queue,) in rows)
    notices.extend(Notice("scheduled", queue) for queue in soon)
    return submitted


def _submit_one(
    sql: Mapping[str, str], job: Submission, alike: tuple[Any, ...], now: int, *, resend: bool
) -> Generator[Statement, Rows, Submitted]:
    key = job.id.bytes
    if resend and (yield Statement("submit_known", sql["submit_known"], (key,))):
        return Submitted(job.id, created=False)
    if job.unique_key is not None and job.unique_for is not None:
        window = yield Statement("submit_holders", sql["submit_holders"], (job.unique_key, now))
        if window:
            return Submitted(UUID(bytes=window[0][0]), created=False)
    if not (yield Statement("submit", sql["submit"], (key, job.payload, *alike, *_tick(job)))):
        ((other,),) = yield Statement("submit_twins", sql["submit_twins"], (key, job.unique_key))
        return Submitted(UUID(bytes=other), created=False)
    if job.unique_key is not None and job.unique_for is not None:
        until = now + micros(job.unique_for)
        yield Statement("submit_windows", sql["submit_windows"], (job.unique_key, key, until))
    return Submitted(job.id, created=True)


def _submit_group(
    sql: Mapping[str, str], jobs: Sequence[Submission], alike: tuple[Any, ...]
) -> Generator[Statement, Rows, list[Submitted]]:
    places = []
    start = 0
    for job in jobs:
        place = (start, len(job.payload))
        places.append(place if job.schedule is None else (*place, *_tick(job)))
        start += len(job.payload)
    payloads = b"".join(job.payload for job in jobs)
    params = (ids(job.id for job in jobs), payloads, *alike, json_text(places))
    rows = yield Statement("submit_alike", sql["submit_alike"], params)
    created = {row[0] for row in rows}
    submitted = []
    for job in jobs:
        submitted.append(Submitted(job.id, job.id.bytes in created))
        # An id that stands twice is created once.
        created.discard(job.id.bytes)
    return submitted


def _tick(job: Submission) -> tuple[str | None, int | None]:
    """Return of which schedule and moment a job is: jobs of one instant differ in that alone."""
    return job.schedule, micros_or_none(job.due)


def _alike(job: Submission, now: int) -> tuple[Any, ...]:
    """Return all columns but id, payload, schedule and due moment, in the order of the statements."""
    run_at = micros_or_none(job.run_at)
    if run_at is None and job.delay is not None:
        run_at = now + micros(job.delay)
    expires_at = micros_or_none(job.expires_at)
    if expires_at is None and job.expires_in is not None:
        expires_at = now + micros(job.expires_in)
    ready = run_at is None or run_at <= now
    return (
        job.queue,
        job.executor,
        job.task,
        job.codec,
        "ready" if ready else "scheduled",
        job.rank,
        job.share,
        job.key,
        json_or_none(job.tags),
        job.unique_key,
        run_at,
        expires_at,
        job.max_attempts,
        json_or_none(job.headers),
        id_or_none(job.parent),
        id_or_none(job.root),
        id_or_none(job.batch),
        job.ordinal,
        job.trust,
        json_or_none(job.options),
        now,
        now if ready else None,
    )


def _note(alike: tuple[Any, ...], now: int, ready: set[str], soon: set[str]) -> None:
    """Remember a queue that has a new job to be claimed, or one that is soon due."""
    queue, state, run_at = alike[0], alike[_STATE], alike[_RUN_AT]
    if state == "ready":
        ready.add(queue)
    elif run_at <= now + NEAR:
        soon.add(queue)
