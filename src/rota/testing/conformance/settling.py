"""Settle: every outcome, written once."""

import asyncio
from datetime import timedelta

import pytest

from rota.model.ids import new_id
from rota.model.job import ISOLATED, ClaimedJob
from rota.model.outcome import (
    Cancelled,
    Crash,
    Failed,
    Fault,
    Handed,
    Outcome,
    Retried,
    Settlement,
    Snooze,
    Succeeded,
    Suspended,
)
from rota.model.states import State
from rota.ports.insight import StoredResult
from rota.testing.conformance.scene import BOOM, DONE, FAILED, HOUR, LEASE, MINUTE, SECOND, START, Scene

__all__ = ["TestResults", "TestSettle", "TestSettleMany"]

NO_DELAY = timedelta(0)


class TestSettle:
    @pytest.mark.parametrize(
        ("outcome", "state"),
        [(DONE, State.SUCCEEDED), (FAILED, State.FAILED), (Cancelled("asked"), State.CANCELLED)],
        ids=["succeeded", "failed", "cancelled"],
    )
    async def test_an_end(self, scene: Scene, outcome: Outcome, state: State) -> None:
        claimed = await scene.run(rank=4, tags={"a": "b"}, key="ada")
        before = await scene.job(claimed.id)
        scene.clock.advance(10)
        assert await scene.settle(claimed, outcome, duration=2.5)
        job = await scene.job(claimed.id)
        assert job.state is state
        assert job.finished_at == scene.clock.now()
        assert job.started_at == scene.clock.now() - timedelta(seconds=2.5)
        assert (job.owner, job.lease_until) == (None, None)
        kept = [
            "rank",
            "share",
            "tags",
            "key",
            "payload",
            "attempt",
            "submitted_at",
            "ready_at",
            "claimed_at",
        ]
        assert {name: getattr(job, name) for name in kept} == {name: getattr(before, name) for name in kept}
        assert await scene.claim() == []

    async def test_a_failure_is_kept(self, scene: Scene) -> None:
        fault = Fault("E", "ø" * 500, "Traceback\n  line", ("pkg.E", "builtins.Exception"), retry_after=1.5)
        job = await scene.finish(Failed(fault))
        assert (await scene.job(job)).fault == fault

    async def test_a_success_clears_the_last_failure(self, scene: Scene) -> None:
        job = await scene.finish(Retried(NO_DELAY, BOOM))
        assert (await scene.job(job)).fault == BOOM
        await scene.settle(await scene.claim_one())
        assert (await scene.job(job)).fault is None

    async def test_retried_is_scheduled(self, scene: Scene) -> None:
        job = await scene.job(await scene.finish(Retried(MINUTE, BOOM)))
        assert (job.state, job.run_at) == (State.SCHEDULED, scene.clock.now() + MINUTE)
        assert (job.attempt, job.fault) == (1, BOOM)
        self._is_nobodys(job)
        assert await scene.events(job.id) == ["retry"]

    async def test_a_crash_counts_apart_and_the_job_runs_alone_from_then_on(self, scene: Scene) -> None:
        crash = Crash(4711, None, "SIGSEGV", memory_peak=2**33, log=("info ø",), stderr="Fatal\n")
        fault = Fault("WorkerCrashedError", "died", crash=crash)
        job = await scene.run()
        assert await scene.settle(job, Retried(NO_DELAY, fault), crashed=True)
        record = await scene.job(job.id)
        assert (record.state, record.executor, record.fault) == (State.READY, ISOLATED, fault)
        assert (record.attempt, record.crashes, record.crashes_alone) == (1, 1, 1)
        assert await scene.events(job.id) == ["crash"]
        assert await scene.claim() == []
        (again,) = await scene.claim(limits={ISOLATED: 1})
        assert (again.attempt, again.crashes, again.crashes_alone) == (2, 1, 1)
        assert await scene.settle(again, Failed(fault), crashed=True)
        assert (await scene.job(job.id)).crashes_alone == 2
        assert (await scene.store.insight.results([job.id]))[job.id].crash == crash

    async def test_a_crash_of_a_claim_that_was_lost_counts_nothing(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.store.jobs.give_back([job.claim])
        assert not await scene.settle(job, Retried(NO_DELAY, BOOM), crashed=True)
        record = await scene.job(job.id)
        assert (record.executor, record.crashes) == ("async", 0)

    async def test_snoozed_is_scheduled_and_not_counted(self, scene: Scene) -> None:
        job = await scene.job(await scene.finish(Snooze(MINUTE, "too early")))
        assert (job.state, job.run_at) == (State.SCHEDULED, scene.clock.now() + MINUTE)
        assert (job.attempt, job.fault) == (0, None)
        self._is_nobodys(job)
        assert await scene.events(job.id) == ["snooze"]

    @staticmethod
    def _is_nobodys(job: object) -> None:
        names = ("owner", "token", "lease_until", "finished_at")
        assert [getattr(job, name) for name in names] == [None] * len(names)

    @pytest.mark.parametrize("outcome", [Retried(NO_DELAY, BOOM), Snooze(NO_DELAY)], ids=["retry", "snooze"])
    async def test_without_a_delay_it_is_ready_at_once(self, scene: Scene, outcome: Outcome) -> None:
        job = await scene.finish(outcome)
        assert await scene.state(job) is State.READY
        assert (await scene.claim_one()).id == job

    async def test_a_delay_passes_by_the_stores_clock(self, scene: Scene) -> None:
        job = await scene.finish(Retried(MINUTE, BOOM))
        scene.clock.advance(59)
        assert (await scene.store.jobs.promote(10)).ready == 0
        scene.clock.advance(1)
        assert (await scene.store.jobs.promote(10)).ready == 1
        claimed = await scene.claim_one()
        assert (claimed.id, claimed.attempt) == (job, 2)

    async def test_suspended_waits(self, scene: Scene) -> None:
        wake_at = scene.clock.now() + HOUR
        job = await scene.job(await scene.finish(Suspended(wake_key="door", wake_at=wake_at)))
        assert (job.state, job.wake_key, job.wake_at) == (State.WAITING, "door", wake_at)
        assert job.attempt == 1
        self._is_nobodys(job)
        assert await scene.events(job.id) == ["suspend"]

    async def test_handed_waits_for_its_deadline(self, scene: Scene) -> None:
        deadline = scene.clock.now() + HOUR
        claimed = await scene.run()
        assert await scene.settle(claimed, Handed("external-1", deadline))
        job = await scene.job(claimed.id)
        assert (job.state, job.external_id, job.lease_until) == (State.HANDED, "external-1", deadline)
        assert job.attempt == 1
        assert job.token not in {None, claimed.token}

    @pytest.mark.parametrize(
        ("outcome", "state"),
        [
            (DONE, State.SUCCEEDED),
            (FAILED, State.FAILED),
            (Cancelled(), State.CANCELLED),
            (Retried(MINUTE, BOOM), State.SCHEDULED),
            (Snooze(MINUTE), State.SCHEDULED),
            (Suspended(wake_key="door"), State.WAITING),
            (Handed("external-2", START + HOUR), State.HANDED),
        ],
        ids=lambda value: value.name if isinstance(value, State) else type(value).__name__,
    )
    async def test_a_handed_job_is_settled_by_the_token_that_its_row_shows(
        self, scene: Scene, outcome: Outcome, state: State
    ) -> None:
        handed = await scene.job(await scene.finish(Handed("external-1", scene.clock.now() + HOUR)))
        assert handed.token is not None
        settled = await scene.store.jobs.settle([Settlement(handed.id, handed.token, outcome)])
        assert settled.refused == frozenset()
        assert await scene.state(handed.id) is state

    async def test_an_outcome_is_taken_after_the_lease_as_long_as_nobody_rescued(self, scene: Scene) -> None:
        claimed = await scene.run()
        scene.clock.advance(LEASE + HOUR)
        assert await scene.settle(claimed)
        assert await scene.state(claimed.id) is State.SUCCEEDED


class TestResults:
    async def result(self, scene: Scene, outcome: Outcome) -> StoredResult:
        job = await scene.finish(outcome)
        return (await scene.store.insight.results([job]))[job]

    async def test_a_result_is_kept(self, scene: Scene) -> None:
        result = await self.result(scene, Succeeded(b'{"a": 1}', HOUR))
        assert result == StoredResult(State.SUCCEEDED, b'{"a": 1}', kept=True)

    async def test_without_a_time_to_live_it_is_kept_too(self, scene: Scene) -> None:
        result = await self.result(scene, Succeeded(b"1"))
        assert (result.value, result.kept) == (b"1", True)

    async def test_it_lasts_for_its_time_to_live(self, scene: Scene) -> None:
        job = await scene.finish(Succeeded(b"1", HOUR))
        scene.clock.advance(HOUR - SECOND)
        assert (await scene.store.insight.results([job]))[job].value == b"1"
        scene.clock.advance(SECOND)
        assert (await scene.store.insight.results([job]))[job] == StoredResult(
            State.SUCCEEDED, None, kept=False
        )

    @pytest.mark.parametrize(
        ("outcome", "kept"),
        [(Succeeded(b"1", HOUR), True), (Succeeded(b"1", NO_DELAY), False), (Succeeded(), None)],
        ids=["kept", "dropped", "nothing"],
    )
    async def test_the_row_says_whether_a_result_was_kept(
        self, scene: Scene, outcome: Outcome, *, kept: bool | None
    ) -> None:
        assert (await scene.job(await scene.finish(outcome))).result_kept is kept

    async def test_a_task_that_returned_nothing_has_nothing(self, scene: Scene) -> None:
        result = await self.result(scene, Succeeded())
        assert (result.state, result.value) == (State.SUCCEEDED, None)

    async def test_a_failure_tells_its_fault(self, scene: Scene) -> None:
        result = await self.result(scene, FAILED)
        assert (result.state, result.value, result.kept) == (State.FAILED, None, False)
        assert (result.fault_kind, result.fault_message, result.traceback) == (
            BOOM.kind,
            BOOM.message,
            BOOM.traceback,
        )

    async def test_a_job_that_has_not_finished_tells_its_state(self, scene: Scene) -> None:
        job = await scene.submit()
        assert (await scene.store.insight.results([job]))[job].state is State.READY

    async def test_unknown_jobs_are_left_out(self, scene: Scene) -> None:
        assert await scene.store.insight.results([new_id()]) == {}


class TestSettleMany:
    async def test_every_outcome_in_one_call(self, scene: Scene) -> None:
        outcomes: list[tuple[Outcome, State]] = [
            (Succeeded(b"1"), State.SUCCEEDED),
            (FAILED, State.FAILED),
            (Retried(MINUTE, BOOM), State.SCHEDULED),
            (Retried(NO_DELAY, BOOM), State.READY),
            (Snooze(MINUTE), State.SCHEDULED),
            (Suspended(wake_key="door"), State.WAITING),
            (Handed("x", scene.clock.now() + HOUR), State.HANDED),
            (Cancelled(), State.CANCELLED),
        ]
        await scene.submit_many(len(outcomes))
        claimed = await scene.claim()
        settled = await scene.store.jobs.settle(
            [
                Settlement(job.id, job.token, outcome)
                for job, (outcome, _) in zip(claimed, outcomes, strict=True)
            ]
        )
        assert settled.refused == frozenset()
        assert await scene.states([job.id for job in claimed]) == [state for _, state in outcomes]

    async def test_good_and_lost_claims_in_one_call(self, scene: Scene) -> None:
        await scene.submit_many(6)
        claimed = await scene.claim()
        await scene.store.jobs.give_back([job.claim for job in claimed[::2]])
        settled = await scene.store.jobs.settle([Settlement(job.id, job.token, DONE) for job in claimed])
        assert settled.refused == {job.id for job in claimed[::2]}
        assert await scene.states([job.id for job in claimed]) == [State.READY, State.SUCCEEDED] * 3

    async def test_nothing_to_settle_is_no_error(self, scene: Scene) -> None:
        assert (await scene.store.jobs.settle([])).refused == frozenset()

    async def test_five_hundred_in_one_call(self, scene: Scene) -> None:
        number = min(500, scene.store.capabilities.group)
        jobs = await scene.submit_many(number)
        claimed = await scene.claim(limit=number)
        settlements = [Settlement(job.id, job.token, Succeeded(b"%d" % n)) for n, job in enumerate(claimed)]
        assert (await scene.store.jobs.settle(settlements)).refused == frozenset()
        results = await scene.store.insight.results(jobs)
        assert [results[job].value for job in jobs] == [b"%d" % n for n in range(number)]

    async def test_many_processes_settle_at_once(self, scene: Scene, crowd: list[Scene]) -> None:
        await scene.submit_many(120)
        groups: list[list[ClaimedJob]] = [await scene.claim(limit=10) for _ in range(12)]

        async def settle(one: Scene, group: list[ClaimedJob]) -> None:
            settlements = [Settlement(job.id, job.token, DONE) for job in group]
            assert not (await one.store.jobs.settle(settlements)).refused

        await asyncio.gather(*(settle(one, group) for one, group in zip(crowd * 3, groups, strict=True)))
        assert await scene.count(State.SUCCEEDED) == 120
