"""The life of an attempt: start, run through the middleware, decide the outcome, hand it to the settler."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from rota.definitions.attempt import Attempt
from rota.definitions.invocation import fault_of
from rota.definitions.registry import AttemptMiddleware, Registry
from rota.engine.announcer import Announcer
from rota.engine.capacity import Capacity, Lane
from rota.engine.hooks import call_hook
from rota.engine.recorder import Recorder
from rota.engine.settler import Settler
from rota.model.events import AttemptEnded, AttemptStarted, ClaimLost
from rota.model.job import ISOLATED, Claim, ClaimedJob, Submission
from rota.model.outcome import Cancelled, Failed, Fault, Outcome, Settlement, Snooze, Succeeded
from rota.policy.retrying import decide, decide_crash
from rota.ports.executor import Executor

__all__ = ["Runner"]

UNKNOWN_TASK_DELAY = timedelta(seconds=5)

Call = Callable[[Attempt], Awaitable[Outcome]]


class Runner:
    """Runs claimed jobs in their executors.

    Args:
        registry: the tasks that are known here.
        executors: by name.
        capacity: counts slots; `freed` is called whenever there is room to claim.
        alive: tells whether the worker's claims can still be valid (its leases were extended in time).
        max_crashes: how many processes of its own a job may bring down; 0: a crash is a failure like others.
    """

    def __init__(
        self,
        registry: Registry,
        executors: Mapping[str, Executor],
        *,
        capacity: Capacity,
        settler: Settler,
        recorder: Recorder,
        announcer: Announcer,
        freed: Callable[[], None],
        alive: Callable[[], bool],
        max_crashes: int,
    ) -> None:
        self._registry = registry
        self._capacity = capacity
        self._settler = settler
        self._recorder = recorder
        self._announcer = announcer
        self._freed = freed
        self._alive = alive
        self._max_crashes = max_crashes
        self._resources: Mapping[Any, Any] = {}
        self._calls = {
            name: _fold(registry.around_attempt, executor.run) for name, executor in executors.items()
        }
        self._loop = asyncio.get_running_loop()
        # The loop itself keeps only weak references to tasks.
        self._tasks: dict[Attempt, asyncio.Task[None]] = {}
        self._hooks: set[asyncio.Task[None]] = set()
        self._limited: set[Claim] = set()
        self.attempts: dict[UUID, Attempt] = {}
        self.given_back: list[Claim] = []

    def use(self, resources: Mapping[Any, Any]) -> None:
        """Set what injected parameters are filled with."""
        self._resources = resources

    def accept(self, job: ClaimedJob, *, limited: bool = False) -> None:
        """Take a claimed job; it starts when its executor has a free slot."""
        if self._registry.find(job.task) is None:
            snooze = Snooze(UNKNOWN_TASK_DELAY, f"no worker here knows task {job.task!r}")
            self._settler.add(Settlement(job.id, job.token, snooze, limited=limited), job.task)
            return
        if limited:
            self._limited.add(job.claim)
        lane = self._capacity.lanes[job.executor]
        if lane.running < lane.slots and not lane.waiting:
            self._start(job, lane)
        else:
            lane.waiting.append(job)

    def resume(self) -> None:
        """Start waiting jobs wherever slots are free; none starts while the claims are in doubt."""
        for lane in self._capacity.lanes.values():
            while lane.waiting and lane.running < lane.slots:
                self._start(lane.waiting.popleft(), lane)

    def drop_waiting(self, ids: frozenset[UUID]) -> list[ClaimedJob]:
        """Remove claimed jobs that have not started; returns those that were there."""
        dropped: list[ClaimedJob] = []
        for lane in self._capacity.lanes.values():
            found = [job for job in lane.waiting if job.id in ids]
            for job in found:
                lane.waiting.remove(job)
            dropped.extend(found)
        return dropped

    def cancel_waiting(self, ids: frozenset[UUID]) -> None:
        """End claimed jobs that have not started as cancelled."""
        for job in self.drop_waiting(ids):
            limited = self._held_slots(job)
            self._settler.add(
                Settlement(job.id, job.token, Cancelled("cancelled"), limited=limited), job.task
            )

    def _start(self, job: ClaimedJob, lane: Lane) -> None:
        task = self._registry.get(job.task)
        attempt = Attempt(
            job, task, journal=self._recorder, resources=self._resources, log_limit=self._registry.log_limit
        )
        before = self.attempts.get(job.id)
        if before is not None:
            # The worker's own lost job came back to it: only one of the two claims can be valid.
            before.stop("lost")
        self.attempts[job.id] = attempt
        lane.running += 1
        self._tasks[attempt] = self._loop.create_task(self._run(attempt, lane))

    async def _run(self, attempt: Attempt, lane: Lane) -> None:
        timer = self._arm(attempt)
        if self._announcer.wanted(AttemptStarted):
            self._announcer.announce(AttemptStarted(attempt.job))
        began = time.perf_counter()
        try:
            outcome = await self._call_of(attempt)(attempt)
        except asyncio.CancelledError as error:
            outcome = _interrupted(attempt, error)
        except BaseException as error:  # noqa: BLE001 - a broken middleware fails the attempt, not the worker
            outcome = Failed(fault_of(error))
        duration = time.perf_counter() - began
        attempt.finished = True
        if timer is not None:
            timer.cancel()
        self._finish(attempt, outcome, duration)
        self._release(lane, duration)
        del self._tasks[attempt]

    def _call_of(self, attempt: Attempt) -> Call:
        """Return what runs an attempt: its executor's `run` inside the middleware."""
        wanted = attempt.job.executor if attempt.job.executor == ISOLATED else attempt.task.executor
        return self._calls.get(wanted) or self._calls[attempt.job.executor]

    def _arm(self, attempt: Attempt) -> asyncio.TimerHandle | None:
        timeout = attempt.task.timeout
        return self._loop.call_later(timeout, attempt.stop, "timeout") if timeout is not None else None

    def _finish(self, attempt: Attempt, outcome: Outcome, duration: float) -> None:
        job = attempt.job
        if self.attempts.get(job.id) is attempt:
            del self.attempts[job.id]
        limited = self._held_slots(job)
        crashed = False
        if not isinstance(outcome, Succeeded):
            if attempt.stop_reason == "lost":
                self._announcer.announce(ClaimLost(job.id, job.task, late=False))
                return
            if attempt.stop_reason == "shutdown":
                self.given_back.append(job.claim)
                return
            crashed = self._max_crashes > 0 and _crash(outcome)
            outcome = self._decide(attempt, outcome)
        self._settler.add(
            Settlement(job.id, job.token, outcome, duration, limited=limited, crashed=crashed),
            job.task,
            self._hook(attempt, outcome),
            self._notices(attempt, outcome),
        )
        if self._announcer.wanted(AttemptEnded):
            self._announcer.announce(AttemptEnded(job, outcome, duration))

    def _held_slots(self, job: ClaimedJob) -> bool:
        """Tell, once, whether others may wait for a job: for its slots, or as the next of its schedule."""
        if job.options and "overlap" in job.options:
            self._limited.discard(job.claim)
            return True
        if not self._limited or job.claim not in self._limited:
            return False
        self._limited.discard(job.claim)
        return True

    def _decide(self, attempt: Attempt, outcome: Outcome) -> Outcome:
        job, task = attempt.job, attempt.task
        if attempt.stop_reason == "timeout":
            outcome = Failed(_timed_out(task.timeout or 0))
        elif attempt.stop_reason is not None and isinstance(outcome, Failed | Cancelled):
            return Cancelled(attempt.stop_reason)
        if not isinstance(outcome, Failed) or outcome.final:
            return outcome
        if outcome.fault.crash is not None and self._max_crashes:
            return decide_crash(
                outcome.fault,
                crashes_alone=job.crashes_alone,
                max_crashes=self._max_crashes,
                random=random.random(),  # noqa: S311 - jitter
            )
        return decide(
            task.retry,
            outcome.fault,
            attempt=job.attempt,
            crashes=job.crashes,
            max_attempts=job.max_attempts,
            random=random.random(),  # noqa: S311 - jitter
        )

    def _hook(self, attempt: Attempt, outcome: Outcome) -> Callable[[], None] | None:
        task = attempt.task
        hook = None
        if isinstance(outcome, Succeeded):
            hook = task.on_success
        elif isinstance(outcome, Failed):
            hook = task.on_failure
        if hook is None:
            return None
        return lambda: self._spawn(call_hook(hook, attempt, outcome, self._announcer))

    def _notices(self, attempt: Attempt, outcome: Outcome) -> Sequence[Submission]:
        if not isinstance(outcome, Failed):
            return ()
        return self._registry.notices.of_failure(attempt.job, attempt.task.name, outcome)

    def _spawn(self, work: Any) -> None:
        running = self._loop.create_task(work)
        self._hooks.add(running)
        running.add_done_callback(self._hooks.discard)

    def _release(self, lane: Lane, duration: float) -> None:
        lane.ended(duration)
        if lane.waiting and self._alive():
            self._start(lane.waiting.popleft(), lane)
        self._freed()

    def attempt_of(self, task: asyncio.Task[Any]) -> Attempt | None:
        """Return the attempt that an asyncio task runs, if it is one of those; from any thread."""
        return next((attempt for attempt, its in list(self._tasks.items()) if its is task), None)

    @property
    def busy(self) -> bool:
        """Whether an attempt or a hook runs."""
        return bool(self._tasks or self._hooks)

    async def idle(self) -> None:
        """Wait until every attempt and hook has ended."""
        while waits := [task for task in (*self._tasks.values(), *self._hooks) if not task.done()]:
            await asyncio.wait(waits)


def _fold(middleware: Iterable[AttemptMiddleware], innermost: Call) -> Call:
    call = innermost
    for layer in reversed(list(middleware)):
        call = _wrap(layer, call)
    return call


def _wrap(layer: AttemptMiddleware, inner: Call) -> Call:
    return lambda attempt: layer(attempt, inner)


def _timed_out(seconds: float) -> Fault:
    return Fault(
        kind="TimeoutError",
        message=f"ran longer than its timeout of {seconds:g} s",
        kinds=("builtins.TimeoutError", "builtins.OSError", "builtins.Exception"),
    )


def _crash(outcome: Outcome) -> bool:
    """Tell whether the attempt ended because its process died."""
    return isinstance(outcome, Failed) and outcome.fault.crash is not None


def _interrupted(attempt: Attempt, error: asyncio.CancelledError) -> Outcome:
    """Return the outcome for a cancellation: of this worker, or one that the task raised by itself."""
    here = asyncio.current_task()
    if here is not None and here.cancelling():
        attempt.stop_reason = attempt.stop_reason or "shutdown"
        return Cancelled(attempt.stop_reason)
    return Failed(fault_of(error))
