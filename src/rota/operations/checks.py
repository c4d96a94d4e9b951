"""Does it fit together? What `rota check` asks of a store and an app, every answer at once."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from rota.definitions.registry import Registry
from rota.model.clock import Clock
from rota.model.ids import new_id
from rota.model.job import ClaimRequest, JobFilter, Submission
from rota.model.outcome import Settlement, Succeeded
from rota.model.states import LIVE, State
from rota.model.worker import WorkerRecord
from rota.operations.health import Check
from rota.operations.text import counted, span
from rota.ports.store import Store

__all__ = ["clock_skew", "live_workers", "round_trip", "undeliverable"]

TOLERATED_SKEW = timedelta(seconds=1)
TRIAL_TASK = "rota.check"
TRIAL_LEASE = timedelta(seconds=30)


async def undeliverable(store: Store, registry: Registry | None) -> list[Check]:
    """Find live jobs and schedules that nobody runs: of unknown tasks, or in queues that no worker serves."""
    workers = await _live(store)
    known = _known(registry, workers)
    served = {queue for worker in workers for queue in worker.queues}
    by_task: Counter[str] = Counter()
    by_queue: Counter[str] = Counter()
    for count in await store.insight.counts():
        if count.state in LIVE and not known(count.task):
            by_task[count.task] += count.count
        elif count.state in LIVE and workers and count.queue not in served:
            by_queue[count.queue] += count.count
    checks = [
        Check(
            name="jobs",
            level="fault",
            text=f"{counted(number, 'job')} of task {task!r}, which no app here knows",
            remedy=f"add it, or aliases=[{task!r}] to the renamed one, or rota jobs cancel --task {task}",
        )
        for task, number in sorted(by_task.items())
    ]
    checks += [
        Check(
            name="jobs",
            level="warning",
            text=f"{counted(number, 'job')} in queue {queue!r}, which no running worker serves",
            remedy=f"rota worker MODULE:app --queues {queue}",
        )
        for queue, number in sorted(by_queue.items())
    ]
    checks += [
        Check(
            name="schedules",
            level="fault",
            text=f"schedule {schedule.id!r} runs task {schedule.task!r}, which no app here knows",
            remedy=f"add the task, or rota schedules remove {schedule.id}",
        )
        for schedule in await store.schedules.list()
        if not known(schedule.task)
    ]
    return checks or [Check(name="jobs", level="ok", text=_fine(registry, workers))]


async def live_workers(store: Store) -> Check:
    """Say which workers are there."""
    workers = await _live(store)
    if not workers:
        return Check(
            name="workers", level="fault", text="no worker is running", remedy="rota worker MODULE:app"
        )
    queues = sorted({queue for worker in workers for queue in worker.queues})
    text = f"{counted(len(workers), 'worker')} running, serving: {', '.join(queues)}"
    return Check(name="workers", level="ok", text=text)


async def clock_skew(store: Store, clock: Clock) -> Check:
    """Compare this process's clock with the store's, which decides."""
    before = clock.now()
    theirs = await store.insight.now()
    after = clock.now()
    # The store read its clock at some moment in between: only what lies outside is skew for sure.
    skew = max(before - theirs, theirs - after, timedelta(0))
    if skew > TOLERATED_SKEW:
        text = f"this machine's clock is {span(skew)} away from the store's, which decides"
        return Check(name="clock", level="fault", text=text, remedy="set the clock, for example by NTP")
    return Check(
        name="clock", level="ok", text=f"this machine's clock is the store's, within {span(after - before)}"
    )


async def round_trip(store: Store) -> Check:
    """Send one job through the store, from submit to result, in a queue of its own that no worker serves."""
    job = Submission(
        task=TRIAL_TASK,
        payload=b"{}",
        queue=f"{TRIAL_TASK}.{new_id().hex[-8:]}",
        expires_in=TRIAL_LEASE,
        max_attempts=1,
    )
    began = time.perf_counter()
    await store.jobs.submit([job])
    request = ClaimRequest(owner=new_id(), queues=(job.queue,), limits={job.executor: 1}, lease=TRIAL_LEASE)
    claimed = await store.jobs.claim(request)
    outcome = Succeeded(b'"ok"', ttl=TRIAL_LEASE)
    await store.jobs.settle([Settlement(one.id, one.token, outcome) for one in claimed])
    found = (await store.insight.results([job.id])).get(job.id)
    took = timedelta(seconds=time.perf_counter() - began)
    if found is not None and found.state is State.SUCCEEDED and found.value == outcome.result:
        return Check(
            name="round trip", level="ok", text=f"a job was stored, claimed and finished in {span(took)}"
        )
    await store.jobs.cancel(JobFilter(ids=(job.id,)))
    state = found.state if found else "missing"
    text = f"a job that was stored, claimed and finished is {state}"
    return Check(name="round trip", level="fault", text=text, remedy="see the store's own log")


async def _live(store: Store) -> list[WorkerRecord]:
    now = await store.insight.now()
    return [worker for worker in await store.insight.workers() if worker.lease_until > now]


def _fine(registry: Registry | None, workers: Sequence[WorkerRecord]) -> str:
    if registry is None and not workers:
        return "not checked: there is neither an app nor a worker to ask for tasks"
    return "every job and every schedule has a task that is known"


def _known(registry: Registry | None, workers: Sequence[WorkerRecord]) -> Callable[[str], bool]:
    """Tell tasks that the app or a worker has; with neither to ask, every task may be one."""
    names = {task for worker in workers for task in worker.tasks}
    if registry is None:
        return lambda task: task in names or not workers
    return lambda task: task in names or registry.find(task) is not None
