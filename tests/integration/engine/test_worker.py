"""A worker's own rules, on a real store: order, ends of attempts, limits, stopping, lost claims."""

import asyncio
import threading
from datetime import timedelta
from typing import Any, cast

import pytest
from msgspec import structs

from rota import Failed, Retry, State, current
from rota.model.errors import StoreUnavailableError
from rota.model.events import ClaimLost, ServiceFailed, ServiceRecovered, WorkerStopped
from rota.model.ids import new_id
from rota.model.job import ClaimRequest
from rota.model.outcome import Fault
from rota.model.worker import Beat, Orders
from rota.ports.store import Store
from rota.ports.workers import WorkerStore
from rota.settings import change_settings
from tests.integration.engine.conftest import Stage


async def seen_in(values: list[Any]) -> list[Any]:
    """Look at what a listener has gathered."""
    return values


async def test_coroutines_and_plain_functions_run_and_return(stage: Stage) -> None:
    @stage.app.task
    async def double(n: int) -> int:
        return 2 * n

    @stage.app.task
    def thread_name() -> str:
        return threading.current_thread().name

    async with stage.worker():
        first, second = await double.enqueue_async(21), await thread_name.enqueue_async()

        assert await first.result_async(timeout=10) == 42
        assert await second.result_async(timeout=10) != threading.current_thread().name


async def test_lower_ranks_run_first_and_ties_in_submit_order(stage: Stage) -> None:
    ran: list[str] = []

    @stage.app.task
    async def note(name: str) -> None:
        ran.append(name)

    jobs = [
        await note.options(rank=rank).enqueue_async(name)
        for name, rank in (("c", 5), ("a", -7), ("d", 5), ("b", 0))
    ]
    async with stage.worker():
        await jobs[2].result_async(timeout=10)

    assert ran == ["a", "b", "c", "d"]


async def test_a_failure_is_retried_by_its_rule_and_then_dead(stage: Stage) -> None:
    @stage.app.task(retry=Retry(2, delay=0))
    async def broken() -> None:
        raise ValueError("no luck")

    async with stage.worker():
        record = await stage.finished(await broken.enqueue_async())

    assert record.state is State.FAILED
    assert record.attempt == 3
    assert record.fault is not None
    assert (record.fault.kind, record.fault.message) == ("ValueError", "no luck")
    assert 'raise ValueError("no luck")' in record.fault.traceback


async def test_a_failure_that_a_task_returns_itself_is_final(stage: Stage) -> None:
    @stage.app.task(retry=Retry(5, delay=0))
    async def refused() -> Failed:
        return Failed(Fault("Refused", "never again"))

    async with stage.worker():
        record = await stage.finished(await refused.enqueue_async())

    assert (record.state, record.attempt) == (State.FAILED, 1)
    assert record.fault is not None
    assert record.fault.kind == "Refused"


async def test_an_attempt_that_takes_too_long_is_ended_and_fails(stage: Stage) -> None:
    ended = asyncio.Event()

    @stage.app.task(timeout=0.05)
    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with stage.worker():
        record = await stage.finished(await endless.enqueue_async())

    assert ended.is_set()
    assert record.state is State.FAILED
    assert record.fault is not None
    assert record.fault.kind == "TimeoutError"
    assert "0.05 s" in record.fault.message


async def test_a_running_job_is_cancelled_at_once(stage: Stage) -> None:
    started = asyncio.Event()

    @stage.app.task
    async def endless() -> None:
        started.set()
        await asyncio.Event().wait()

    async with stage.worker():
        job = await endless.enqueue_async()
        await started.wait()
        assert await job.cancel_async()
        record = await stage.finished(job)

    assert record.state is State.CANCELLED


async def test_a_job_of_an_unknown_task_comes_back_after_five_seconds_uncounted(timeless: Stage) -> None:
    @timeless.app.task
    async def known() -> None: ...

    job = await known.enqueue_async()
    del timeless.app.registry.tasks["known"]
    async with timeless.worker():
        record = await timeless.until(
            lambda: timeless.record(job), lambda seen: seen.state is State.SCHEDULED
        )

    assert timeless.clock is not None
    assert record.attempt == 0
    assert record.run_at == timeless.clock.now() + timedelta(seconds=5)
    events = await timeless.store.insight.events(job.id)
    assert [event.kind for event in events] == ["snooze"]
    assert "known" in str(events[0].data)


async def test_a_stopping_worker_finishes_what_runs_and_gives_back_what_waits(stage: Stage) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    @stage.app.task
    async def slow() -> None:
        started.set()
        await go_on.wait()

    @stage.app.task
    async def unfinished() -> None:
        await asyncio.Event().wait()

    async with stage.worker() as worker:
        first, second = await slow.enqueue_async(), await unfinished.enqueue_async()
        await started.wait()
        await stage.until(lambda: stage.record(second), lambda seen: seen.state is State.RUNNING)
        asyncio.get_running_loop().call_later(0.1, go_on.set)
        del worker

    assert (await stage.record(first)).state is State.SUCCEEDED
    record = await stage.record(second)
    assert (record.state, record.attempt, record.owner) == (State.READY, 0, None)
    assert await stage.store.insight.workers() == []


async def test_a_limit_holds_and_every_job_gets_its_turn(stage: Stage) -> None:
    running = 0
    most = 0

    @stage.app.task(limit=3)
    async def limited() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.005)  # the work: long enough to overlap
        running -= 1

    jobs = await limited.enqueue_many_async([()] * 60)
    async with stage.worker():
        for job in jobs:
            await job.result_async(timeout=20)

    assert most == 3


async def test_key_limits_are_per_key(stage: Stage) -> None:
    running: dict[str | None, int] = {}
    most: dict[str | None, int] = {}

    @stage.app.task(key_limit=1)
    async def limited() -> None:
        key = current().job.key
        running[key] = running.get(key, 0) + 1
        most[key] = max(most.get(key, 0), running[key])
        await asyncio.sleep(0.005)  # the work: long enough to overlap
        running[key] -= 1

    jobs = [await limited.options(key=f"k{n % 3}").enqueue_async() for n in range(30)]
    async with stage.worker():
        for job in jobs:
            await job.result_async(timeout=20)

    assert most == {"k0": 1, "k1": 1, "k2": 1}


class Silenced:
    """A store whose heartbeats wait until it is `speaking`, as those of a process that sleeps."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.workers = SilencedWorkers(store.workers)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class SilencedWorkers:
    """The worker port of such a store."""

    def __init__(self, workers: WorkerStore) -> None:
        self._workers = workers
        self.speaking = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._workers, name)

    async def beat(self, beat: Beat) -> Orders:
        await self.speaking.wait()
        return await self._workers.beat(beat)


async def test_a_lost_claim_stops_the_task_and_its_late_finish_is_refused(timeless: Stage) -> None:
    seen: list[str | None] = []
    lost: list[ClaimLost] = []
    started = asyncio.Event()

    @timeless.app.task
    async def stubborn() -> str:
        attempt = current()
        started.set()
        while not attempt.cancelled and len(seen) < 2:
            try:
                await asyncio.sleep(0.01)  # a task that ignores the cancellation it gets
            except asyncio.CancelledError:
                seen.append(attempt.stop_reason)
        return "too late"

    timeless.announcer.subscribe(ClaimLost, lost.append)
    # Its only slot is taken, so that this worker does not claim the job itself once it is free.
    timeless.app.settings = structs.replace(timeless.app.settings, async_slots=1)
    job = await stubborn.enqueue_async()
    silenced = Silenced(timeless.store)
    async with timeless.worker(cast("Store", silenced)):
        await started.wait()
        assert timeless.clock is not None
        timeless.clock.advance(60)
        # Another owner finds the lease over and takes the job.
        assert [rescued.id for rescued in await timeless.store.jobs.rescue(10)] == [job.id]
        claimed = await timeless.store.jobs.claim(
            ClaimRequest(owner=new_id(), queues=("default",), limits={"async": 1}, lease=timedelta(hours=1))
        )
        silenced.workers.speaking.set()
        await timeless.until(lambda: seen_in(lost), bool)

    assert seen == ["lost"]
    assert [event.late for event in lost] == [True]
    assert [other.id for other in claimed] == [job.id]
    record = await timeless.record(job)
    assert (record.state, record.token, record.crashes) == (State.RUNNING, claimed[0].token, 1)
    assert "late" in [event.kind for event in await timeless.store.insight.events(job.id)]


async def test_a_worker_that_claims_its_own_lost_job_again_ends_the_first_attempt(timeless: Stage) -> None:
    reasons: list[str | None] = []
    started = asyncio.Event()

    @timeless.app.task
    async def patient() -> int:
        attempt = current()
        if attempt.attempt > 1:
            return attempt.attempt
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            reasons.append(attempt.stop_reason)
        return 0

    job = await patient.enqueue_async()
    async with timeless.worker(cast("Store", Silenced(timeless.store))):
        await started.wait()
        assert timeless.clock is not None
        timeless.clock.advance(60)
        assert [rescued.id for rescued in await timeless.store.jobs.rescue(10)] == [job.id]
        record = await timeless.finished(job)
        assert await job.result_async() == 2

    assert reasons == ["lost"]
    assert (record.attempt, record.crashes) == (2, 1)


class Unreliable:
    """A store whose settles fail for a while."""

    def __init__(self, store: Store, failures: int) -> None:
        self._store = store
        self._failures = failures
        self.jobs = self

    def __getattr__(self, name: str) -> Any:
        return (
            getattr(self._store.jobs, name) if hasattr(self._store.jobs, name) else getattr(self._store, name)
        )

    async def settle(self, settlements: Any) -> Any:
        if self._failures > 0:
            self._failures -= 1
            raise StoreUnavailableError("away for a moment")
        return await self._store.jobs.settle(settlements)


async def test_outcomes_survive_a_store_that_is_away_for_a_while(stage: Stage) -> None:
    troubles: list[object] = []

    @stage.app.task
    async def fine() -> int:
        return 1

    stage.announcer.subscribe(ServiceFailed, troubles.append)
    stage.announcer.subscribe(ServiceRecovered, troubles.append)
    jobs = await fine.enqueue_many_async([()] * 5)
    async with stage.worker(cast("Store", Unreliable(stage.store, 2))):
        assert [await job.result_async(timeout=10) for job in jobs] == [1] * 5

    assert [type(trouble) for trouble in troubles] == [ServiceFailed, ServiceFailed, ServiceRecovered]
    assert len(stage.ended) == 5


async def test_logs_and_progress_are_there_while_the_task_runs(stage: Stage) -> None:
    go_on = asyncio.Event()

    @stage.app.task
    async def chatty() -> None:
        current().log.info("half of %d", 10, tenant="seven")
        current().progress(5, 10)
        await go_on.wait()
        current().log.info("done")

    async with stage.worker():
        job = await chatty.enqueue_async()
        record = await stage.until(lambda: stage.record(job), lambda seen: seen.progress_done is not None)
        lines = await stage.until(lambda: stage.store.insight.logs(job.id), bool)
        go_on.set()
        await stage.finished(job)

    assert (record.progress_done, record.progress_total) == (5, 10)
    assert [(line.level, line.message, line.fields) for line in lines] == [
        ("info", "half of 10", {"tenant": "seven"})
    ]
    assert [line.message for line in await stage.store.insight.logs(job.id)] == ["half of 10", "done"]


@pytest.mark.parametrize("count", [500])
async def test_many_short_jobs_all_run_once(stage: Stage, count: int) -> None:
    ran: list[int] = []

    @stage.app.task(result_ttl=0)
    async def short(n: int) -> None:
        ran.append(n)

    jobs = await short.enqueue_many_async([(n,) for n in range(count)])
    async with stage.worker():
        await stage.finished(jobs[-1])
        await stage.until(lambda: seen_in(ran), lambda seen: len(seen) >= count)

    assert sorted(ran) == list(range(count))


async def test_a_second_signal_cuts_the_grace_short_and_the_job_is_given_back_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rota.engine.worker.LAST_WORD", 0.2)
    started, released = threading.Event(), threading.Event()

    @stage.app.task
    def deaf() -> None:
        started.set()
        released.wait(30)

    stage.app.settings = change_settings(stage.app.settings, {"grace": 600})
    stopped: list[WorkerStopped] = []
    stage.announcer.subscribe(WorkerStopped, stopped.append)
    async with stage.worker() as worker:
        job = await deaf.enqueue_async()
        await asyncio.to_thread(started.wait, 10)

        stopping = asyncio.create_task(worker.stop())
        await asyncio.sleep(0)
        await worker.hurry()
        async with asyncio.timeout(30):
            await stopping
        released.set()

        assert stopped[0].given_back == 1
        # No beat has told the store that it had begun: the worker says so itself.
        assert [event.kind for event in await stage.store.insight.events(job.id)] == ["give_back"]
        assert (await stage.record(job)).state is State.READY
