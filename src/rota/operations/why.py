"""Why a job is not running, in plain words: a pure function of what the store says around it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct, field, structs

from rota.model.errors import did_you_mean
from rota.model.events import JobEvent
from rota.model.job import ISOLATED, JobRecord
from rota.model.states import State
from rota.model.worker import QueueRecord, WorkerRecord
from rota.operations.text import clock, counted, relative, span

__all__ = ["Explanation", "Facts", "Reason", "explain"]

HOLDERS_SHOWN = 5
LATE_PROMOTION = 10.0


class Reason(Struct, frozen=True, kw_only=True):
    """One thing that a job waits for or that happened to it.

    `code` is stable, for programs; `remedy` says what a person may do, and is empty when waiting is enough.
    """

    code: str
    text: str
    remedy: str = ""
    data: dict[str, Any] = field(default_factory=dict)


class Explanation(Struct, frozen=True, kw_only=True):
    """Why a job is where it is; the first reason is the one that matters most."""

    job: UUID
    state: State
    task: str
    queue: str
    reasons: tuple[Reason, ...]


class Facts(Struct, frozen=True, kw_only=True):
    """What the store says around a job.

    `line` are ready jobs of its queue and `running` the running ones of all queues; `whole_line` says that
    there are no more of the former than those given.
    """

    job: JobRecord
    now: datetime
    events: Sequence[JobEvent] = ()
    queue: QueueRecord | None = None
    workers: Sequence[WorkerRecord] = ()
    line: Sequence[JobRecord] = ()
    whole_line: bool = True
    running: Sequence[JobRecord] = ()


def explain(facts: Facts) -> Explanation:
    """Return why the job is not running, or how it runs or ended."""
    job = facts.job
    reasons = tuple(_BY_STATE[job.state](facts))
    return Explanation(job=job.id, state=job.state, task=job.task, queue=job.queue, reasons=reasons)


def _scheduled(facts: Facts) -> Iterator[Reason]:
    job, now = facts.job, facts.now
    due = job.run_at or job.submitted_at
    if due > now:
        yield _waits_for_time(facts, due)
    elif (now - due).total_seconds() < LATE_PROMOTION:
        yield Reason(code="due", text=f"it was due {relative(due, now)} and becomes ready at any moment")
    else:
        yield Reason(
            code="not_promoted",
            text=f"it was due {relative(due, now)}, and nothing has made it ready since",
            remedy="start a worker or a scheduler: both make due jobs ready",
        )
    yield from _before_a_worker(facts)
    yield from _expiry(facts)


def _waits_for_time(facts: Facts, due: datetime) -> Reason:
    job = facts.job
    when = f"{clock(due)}, {relative(due, facts.now)}"
    last = next((e for e in reversed(facts.events) if e.kind in {"retry", "snooze"}), None)
    if last is not None and last.kind == "snooze":
        reason = str(last.data.get("reason") or "")
        because = f" ({reason})" if reason else ""
        return Reason(code="snoozed", text=f"it was snoozed{because} and runs again at {when}")
    if job.fault is not None and last is not None:
        fault = f"{job.fault.kind}: {job.fault.message}"
        text = f"attempt {last.attempt or job.attempt} failed ({fault}) and it is tried again at {when}"
        return Reason(code="retry", text=text, data={"run_at": due})
    return Reason(code="scheduled", text=f"it is scheduled for {when}", data={"run_at": due})


def _ready(facts: Facts) -> Iterator[Reason]:
    job = facts.job
    if job.held is not None:
        yield _held(facts, job.held)
    blocked = list(_before_a_worker(facts))
    yield from blocked
    if job.held is None and not blocked:
        yield _in_line(facts)
    if job.executor == ISOLATED:
        yield _suspected(job)
    yield from _expiry(facts)


def _suspected(job: JobRecord) -> Reason:
    data = {"crashes": job.crashes, "crashes_alone": job.crashes_alone}
    if job.crashes_alone:
        fault = f": {job.fault.message}" if job.fault else ""
        text = f"it brought its process down {counted(job.crashes_alone, 'time')}, and runs alone{fault}"
    else:
        text = "it may have brought its worker down, so it runs alone in a process"
    return Reason(code="suspect", text=text, data=data)


def _held(facts: Facts, held: str) -> Reason:
    kind, _, scope = held.partition(":")
    if kind == "overlap":
        return Reason(
            code="overlap",
            text=f"it waits until the unfinished jobs of schedule {scope!r} before it have ended",
            remedy=f"rota jobs list --schedule {scope} shows them",
            data={"schedule": scope},
        )
    if kind != "limit":
        return Reason(code="held", text=f"it is held: {held}")
    holders = [one for one in facts.running if scope in one.slots]
    data = {"scope": scope, "holders": [one.id for one in holders]}
    if not holders:
        text = f"the limit of {_scope(scope)} was reached when it was claimed; there is room again"
        return Reason(code="limit", text=text + ", it becomes ready within seconds", data=data)
    shown = [_holder(one, facts) for one in holders[:HOLDERS_SHOWN]]
    if len(holders) > HOLDERS_SHOWN:
        shown.append(f"and {len(holders) - HOLDERS_SHOWN} more")
    slots = counted(len(holders), "slot")
    text = f"the limit of {_scope(scope)} is reached: {slots} held by {', '.join(shown)}"
    return Reason(code="limit", text=text, remedy="it runs when one of them ends", data=data)


def _scope(scope: str) -> str:
    kind, _, name = scope.partition(":")
    if kind == "key":
        task, _, key = name.partition(":")
        return f"key {key!r} of task {task!r}"
    return f"{kind} {name!r}"


def _holder(job: JobRecord, facts: Facts) -> str:
    since = job.started_at or job.claimed_at
    age = f" for {span(facts.now - since)}" if since else ""
    return f"{job.id}{age}{_on_worker(job, facts)}"


def _on_worker(job: JobRecord, facts: Facts) -> str:
    worker = next((one for one in facts.workers if one.id == job.owner), None)
    return f" on {worker.host}:{worker.pid}" if worker else ""


def _before_a_worker(facts: Facts) -> Iterator[Reason]:
    """Yield what keeps every worker from taking the job once it is ready."""
    job, queue = facts.job, facts.queue
    if queue is not None and queue.paused_at is not None:
        by = f" by {queue.paused_by}" if queue.paused_by else ""
        yield Reason(
            code="queue_paused",
            text=f"queue {job.queue!r} was paused{by} {relative(queue.paused_at, facts.now)}",
            remedy=f"rota queues resume {job.queue}",
        )
    missing = _no_worker(job, [one for one in facts.workers if one.lease_until > facts.now])
    if missing is not None:
        yield missing


def _no_worker(job: JobRecord, live: Sequence[WorkerRecord]) -> Reason | None:
    """Narrow the workers down until none is left; returns what was missing, or None."""
    if not live:
        return Reason(code="no_worker", text="no worker is running", remedy="rota worker MODULE:app")
    serving = [one for one in live if job.queue in one.queues]
    if not serving:
        queues = sorted({queue for one in live for queue in one.queues})
        return Reason(
            code="queue_unserved",
            text=f"no worker serves queue {job.queue!r}; served are: {', '.join(queues)}",
            remedy=f"rota worker MODULE:app --queues {job.queue}",
            data={"queues": queues},
        )
    knowing = [one for one in serving if job.task in one.tasks]
    if not knowing:
        tasks = sorted({task for one in serving for task in one.tasks})
        return Reason(
            code="task_unknown",
            text=f"no worker of queue {job.queue!r} knows task {job.task!r}.{did_you_mean(job.task, tasks)}",
            remedy=f"start a worker whose app has it, or give the renamed task aliases=[{job.task!r}]",
        )
    able = [one for one in knowing if one.slots.get(job.executor)]
    if not able:
        return Reason(
            code="executor_missing",
            text=f"no worker that knows task {job.task!r} has slots for executor {job.executor!r}",
            remedy="restart the workers, so that they see how the task is run now",
        )
    if all(one.draining for one in able):
        text = f"every worker that could run it ({len(able)}) is draining"
        return Reason(code="draining", text=text, remedy="rota worker MODULE:app")
    return None


def _in_line(facts: Facts) -> Reason:
    job = facts.job
    able = [one for one in facts.workers if one.slots.get(job.executor) and job.queue in one.queues]
    slots = sum(one.slots[job.executor] for one in able)
    owners = {one.id for one in able}
    taken = sum(one.executor == job.executor and one.owner in owners for one in facts.running)
    ahead, lower = _ahead(facts)
    data = {"ahead": ahead, "lower_rank": lower, "slots": slots, "running": taken}
    busy = f"; {taken} of {slots} {job.executor} slots of its workers are taken"
    if not facts.whole_line:
        ready = facts.queue.ready if facts.queue else len(facts.line)
        text = (
            f"it waits among {counted(ready, 'ready job')} of queue {job.queue!r}, with rank {job.rank}{busy}"
        )
        return Reason(code="behind", text=text, data=data | {"ahead": None, "lower_rank": None})
    if ahead:
        text = f"it waits behind {counted(ahead, 'job')} of queue {job.queue!r} ({lower} of lower rank){busy}"
        return Reason(code="behind", text=text, data=data)
    if slots and taken >= slots:
        text = f"it is next in queue {job.queue!r}; all {slots} {job.executor} slots of its workers are taken"
        return Reason(code="slots_taken", text=text, remedy="it runs when one of them ends", data=data)
    return Reason(code="next", text="nothing is in its way: it is next and starts at any moment", data=data)


def _ahead(facts: Facts) -> tuple[int, int]:
    """Return how many ready jobs stand before this one, and how many of them for their rank."""
    job = facts.job
    place = (job.rank, job.share, job.submitted_at, job.id)
    line = [
        one for one in facts.line if one.held is None and one.executor == job.executor and one.id != job.id
    ]
    ahead = [one for one in line if (one.rank, one.share, one.submitted_at, one.id) < place]
    return len(ahead), sum(one.rank < job.rank for one in ahead)


def _expiry(facts: Facts) -> Iterator[Reason]:
    moment = facts.job.expires_at
    if moment is not None:
        yield Reason(
            code="expires",
            text=f"unless it starts before {clock(moment)}, {relative(moment, facts.now)}, it expires",
            data={"expires_at": moment},
        )


def _running(facts: Facts) -> Iterator[Reason]:
    job, now = facts.job, facts.now
    where = _on_worker(job, facts)
    if job.lease_until is not None and job.lease_until < now:
        yield Reason(
            code="lease_passed",
            text=f"its worker has been silent; its lease ended {relative(job.lease_until, now)}",
            remedy="any running worker takes it back within seconds",
        )
    elif job.started_at is None:
        since = f" {relative(job.claimed_at, now)}" if job.claimed_at else ""
        text = f"it was claimed{where}{since} and starts when a slot is free there, if it has not begun since"
        yield Reason(code="claimed", text=text, data={"owner": job.owner})
    else:
        text = f"it is running{where}, attempt {job.attempt}, for {span(now - job.started_at)}"
        yield Reason(code="running", text=text + _progress(job), data={"owner": job.owner})
    yield from _cancel_asked(job)


def _progress(job: JobRecord) -> str:
    if job.progress_done is None:
        return ""
    of = f" of {job.progress_total}" if job.progress_total is not None else ""
    return f"; progress {job.progress_done}{of}"


def _cancel_asked(job: JobRecord) -> Iterator[Reason]:
    if job.cancel_requested:
        yield Reason(code="cancel_requested", text="its cancel was asked for; it ends when its task stops")


def _handed(facts: Facts) -> Iterator[Reason]:
    job = facts.job
    until = f" until {clock(job.lease_until)}" if job.lease_until else ""
    yield Reason(
        code="handed",
        text=f"it runs elsewhere as {job.external_id!r}; news is awaited{until}",
        data={"external_id": job.external_id},
    )
    yield from _cancel_asked(job)


def _waiting(facts: Facts) -> Iterator[Reason]:
    job = facts.job
    if job.children:
        text = f"it waits for {counted(job.children, 'child job')} to end"
        yield Reason(code="children", text=text, remedy=f"rota jobs list --parent {job.id}")
    if job.wake_key is not None:
        yield Reason(
            code="event", text=f"it waits for the event {job.wake_key!r}", data={"wake_key": job.wake_key}
        )
    if job.wake_at is not None:
        when = f"{clock(job.wake_at)}, {relative(job.wake_at, facts.now)}"
        yield Reason(code="time", text=f"it wakes at {when}", data={"wake_at": job.wake_at})


def _finished(facts: Facts) -> Iterator[Reason]:
    job = facts.job
    ended = f" {relative(job.finished_at, facts.now)}" if job.finished_at else ""
    again = f"rota jobs retry {job.id}"
    tries = counted(job.attempt, "attempt")
    if job.state is State.SUCCEEDED:
        yield Reason(code="succeeded", text=f"it succeeded{ended}, after {tries}")
    elif job.state is State.CANCELLED:
        yield Reason(code="cancelled", text=f"it was cancelled{ended}", remedy=again)
    elif job.state is State.EXPIRED:
        late = f": it had not started by {clock(job.expires_at)}" if job.expires_at else ""
        yield Reason(code="expired", text=f"it expired{ended}{late}", remedy=again)
    else:
        fault = f": {job.fault.kind}: {job.fault.message}" if job.fault else ""
        crashed = f", {job.crashes} of them lost with their process" if job.crashes else ""
        text = f"it failed for good{ended}, after {tries}{crashed}{fault}"
        crash = job.fault.crash if job.fault else None
        if crash is None:
            yield Reason(code="failed", text=text, remedy=again)
        else:
            yield Reason(code="poison", text=text, remedy=again, data=structs.asdict(crash))


_BY_STATE: dict[State, Callable[[Facts], Iterator[Reason]]] = {
    State.SCHEDULED: _scheduled,
    State.READY: _ready,
    State.RUNNING: _running,
    State.HANDED: _handed,
    State.WAITING: _waiting,
    State.SUCCEEDED: _finished,
    State.FAILED: _finished,
    State.CANCELLED: _finished,
    State.EXPIRED: _finished,
}
