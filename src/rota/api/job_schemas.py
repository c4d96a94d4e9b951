"""Jobs as requests and answers say them."""

from datetime import datetime, timedelta
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field, StrictInt, model_validator

from rota.api.fields import INT32, Arguments, Body, Moment, Name, Rank, Seconds, Text, Texts, View
from rota.engine.submitter import SubmitOptions
from rota.model.job import JobFilter
from rota.model.states import State
from rota.operations.submitting import Order

__all__ = [
    "Attempted",
    "Filter",
    "Job",
    "JobDetails",
    "Jobs",
    "LogLine",
    "Logs",
    "NewJob",
    "NewJobs",
    "Stored",
    "StoredJobs",
    "Summary",
    "Which",
    "Why",
]

MOST_AT_ONCE = 1000
_EXAMPLE_ID = "0190b3a8-7c1e-7abc-8def-0123456789ab"


class Options(Body):
    """How a job is submitted; what is left out is as the task says."""

    queue: Name | None = Field(None, description="Where it waits")
    rank: Rank | None = Field(None, description="Lower runs first")
    run_at: Moment | None = Field(None, description="Not before this moment")
    delay: Seconds | None = Field(None, description="Not before so many seconds after the submit")
    key: Text | None = Field(None, description="The tenant or resource by which it is limited")
    tags: Texts | None = Field(None, description="For filters")
    unique: Text | None = Field(None, description="No second live job of this task with the same text")
    unique_for: Seconds | None = Field(None, description="The text stays taken for so many seconds")
    expires_at: Moment | None = Field(None, description="It must start by this moment")
    expires_in: Seconds | None = Field(None, description="It must start within so many seconds")
    max_attempts: StrictInt | None = Field(None, ge=1, le=INT32, description="How many tries in all")
    headers: Texts | None = Field(None, description="Travel with the job")

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if self.run_at is not None and self.delay is not None:
            raise ValueError("give run_at or delay, not both")
        if self.expires_at is not None and self.expires_in is not None:
            raise ValueError("give expires_at or expires_in, not both")
        if self.unique_for is not None and self.unique is None:
            raise ValueError("unique_for needs unique")
        return self

    def resolve(self) -> SubmitOptions:
        """Return the options of a submit."""
        return SubmitOptions(
            queue=self.queue,
            rank=self.rank,
            run_at=self.run_at,
            delay=_span(self.delay),
            key=self.key,
            tags=self.tags,
            unique=self.unique,
            unique_for=_span(self.unique_for),
            expires=self.expires_at or _span(self.expires_in),
            max_attempts=self.max_attempts,
            headers=self.headers,
        )


class NewJob(Body):
    """One job to be submitted."""

    task: Name = Field(description="The task's name", examples=["send"])
    arguments: Arguments = Field(
        default={}, description="By parameter; secrets in clear", examples=[{"to": "ada@example.org"}]
    )
    options: Options = Field(default=Options(), examples=[{"delay": 60, "key": "tenant-7"}])

    def resolve(self) -> Order:
        """Return it as the operation takes it."""
        return Order(task=self.task, arguments=self.arguments, options=self.options.resolve())


class NewJobs(Body):
    """Jobs to be submitted together: all or none."""

    jobs: list[NewJob] = Field(min_length=1, max_length=MOST_AT_ONCE)


class Stored(View):
    """What became of a submit."""

    id: UUID = Field(description="The job's id", examples=[_EXAMPLE_ID])
    created: bool = Field(description="False when a live job with the same `unique` text was there already")


class StoredJobs(View):
    """What became of several submits, in their order."""

    jobs: list[Stored]


class Fault(View):
    """How an attempt failed."""

    kind: str = Field(description="The exception's class")
    message: str
    traceback: str = Field("", description="Left out in lists")
    crash: dict[str, Any] | None = Field(None, description="What is known of the death of its process")


class Job(View):
    """A job. A moment is null until it has come."""

    id: UUID
    state: State
    queue: str
    executor: str
    task: str
    rank: int
    share: int
    attempt: int = Field(description="Which try this is, or was")
    crashes: int
    max_attempts: int | None
    key: str | None
    tags: dict[str, str] | None
    unique_key: str | None
    held: str | None = Field(description="Why a ready job may not run")
    owner: UUID | None = Field(description="The worker that runs it")
    cancel_requested: bool
    headers: dict[str, str] | None
    parent: UUID | None
    root: UUID | None
    batch: UUID | None
    schedule: str | None
    due: datetime | None
    progress_done: int | None
    progress_total: int | None
    fault: Fault | None
    run_at: datetime | None
    expires_at: datetime | None
    submitted_at: datetime
    ready_at: datetime | None
    claimed_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


class Jobs(View):
    """Some jobs, newest first."""

    jobs: list[Job]
    next: UUID | None = Field(description="The cursor of those that follow; null at the end")


class Event(View):
    """A line of a job's history that its columns do not show."""

    kind: str = Field(description="retry, snooze, give_back, rescue, cancel, redrive …")
    at: datetime
    attempt: int | None
    data: dict[str, Any]


class JobDetails(Job):
    """All that is known of a job."""

    arguments: Any = Field(description="By parameter, secrets as ***; base64 where they are no JSON")
    result: Any = Field(description="What it returned; null where nothing is kept")
    result_kept: bool = Field(description="Whether `result` is what it returned")
    history: list[Event]


class LogLine(View):
    """A line that an attempt logged."""

    attempt: int
    seq: int
    at: datetime
    level: str
    message: str
    fields: dict[str, Any] | None


class Logs(View):
    """Some lines, in order."""

    logs: list[LogLine]
    next: int = Field(description="`after` of the lines that follow, or will follow")


class Reason(View):
    """What a job waits for, or what happened to it."""

    code: str = Field(description="Stable, for programs")
    text: str
    remedy: str = Field(description="What a person may do; empty when waiting is enough")
    data: dict[str, Any]


class Why(View):
    """Why a job is where it is; the first reason matters most."""

    job: UUID
    state: State
    task: str
    queue: str
    reasons: list[Reason]


class Filter(Body):
    """Which jobs are meant: all conditions that are given must hold."""

    state: list[State] = Field(default=[], description="In one of these states", max_length=len(State))
    queue: Name | None = Field(None, description="In this queue")
    task: Name | None = Field(None, description="Of this task")
    key: Text | None = Field(None, description="With this key")
    tag: Text | None = Field(
        None, description="With this tag, as NAME=VALUE", pattern=r"^[^\x00=]+=[^\x00]*$", examples=["team=a"]
    )
    schedule: Text | None = Field(None, description="Made by this schedule")
    parent: UUID | None = Field(None, description="Enqueued by this job")
    fault: Text | None = Field(None, description="Whose last error was of this class")
    since: Moment | None = Field(None, description="Submitted then or later")
    until: Moment | None = Field(None, description="Submitted before")

    def resolve(self) -> JobFilter:
        """Return the filter as the store takes it."""
        name, _, value = (self.tag or "").partition("=")
        return JobFilter(
            states=frozenset(self.state),
            queue=self.queue,
            task=self.task,
            key=self.key,
            tag=(name, value) if self.tag else None,
            schedule=self.schedule,
            parent=self.parent,
            fault=self.fault,
            since=self.since,
            until=self.until,
        )


class Which(Body):
    """Jobs by their ids, or by a filter with at least one condition."""

    ids: list[UUID] | None = Field(None, min_length=1, max_length=MOST_AT_ONCE)
    filter: Filter | None = Field(None, examples=[{"task": "send", "fault": "TimeoutError"}])

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("give ids or filter, one of the two")
        if self.filter is not None and self.filter == Filter():
            raise ValueError("the filter says nothing: give at least one condition")
        return self


class Attempted(View):
    """What became of one job; `refused` says why nothing did."""

    job: UUID
    done: Literal["cancelled", "requested", "retried", ""]
    refused: str


class Summary(View):
    """To how many jobs what was done; of ids, also what became of each."""

    cancelled: int = Field(0, description="They waited, and are cancelled")
    requested: int = Field(0, description="They run, and were asked to stop")
    retried: int = Field(0, description="They run again")
    jobs: list[Attempted] = Field([], description="One for each id; empty for a filter")


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
