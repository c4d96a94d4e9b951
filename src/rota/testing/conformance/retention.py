"""Prune: what has been kept long enough goes, and nothing else."""

import asyncio
from datetime import timedelta

from rota.model.events import LogEntry
from rota.model.outcome import Retried, Succeeded
from rota.ports.retention import Retention
from rota.testing.conformance.scene import BOOM, FAILED, HOUR, MINUTE, START, Scene, a_job
from rota.testing.conformance.scheduling import a_schedule, a_tick, put

__all__ = ["TestPrune"]

DAY = timedelta(days=1)
RETENTION = Retention(history=7 * DAY, dead=30 * DAY, ticks=14 * DAY)


async def prune(scene: Scene, limit: int = 1_000) -> None:
    """Prune until nothing is left to prune."""
    while (await scene.store.retention.prune(RETENTION, limit)).more:
        pass


class TestPrune:
    async def test_history_and_dead_have_their_own_time(self, scene: Scene) -> None:
        done, dead = await scene.finish(), await scene.finish(FAILED)
        cancelled = await scene.submit()
        await scene.cancel(cancelled)
        scene.clock.advance(6 * DAY)
        await prune(scene)
        assert None not in [await scene.store.insight.job(job) for job in (done, dead, cancelled)]
        scene.clock.advance(3 * DAY)
        await prune(scene)
        assert [await scene.store.insight.job(job) for job in (done, cancelled)] == [None, None]
        assert await scene.store.insight.job(dead) is not None
        scene.clock.advance(22 * DAY)
        await prune(scene)
        assert await scene.store.insight.job(dead) is None

    async def test_what_is_younger_stays(self, scene: Scene) -> None:
        jobs = []
        for _ in range(20):
            jobs.append(await scene.finish())
            scene.clock.advance(DAY)
            await prune(scene)
        # A store that drops whole days may keep the oldest a day longer.
        kept = [job for job in jobs if await scene.store.insight.job(job)]
        assert kept == jobs[-len(kept) :]
        assert 6 <= len(kept) <= 8

    async def test_live_jobs_are_never_pruned(self, scene: Scene) -> None:
        running = await scene.run()
        retried = await scene.finish(Retried(400 * DAY, BOOM), queue="other")
        jobs = [running.id, retried, await scene.submit(), await scene.submit(delay=400 * DAY)]
        scene.clock.advance(365 * DAY)
        await prune(scene)
        assert None not in [await scene.store.insight.job(job) for job in jobs]

    async def test_all_that_belongs_to_a_job_goes_with_it(self, scene: Scene) -> None:
        job = await scene.run()
        entry = LogEntry(job.id, job.token, 1, START, "INFO", "hello")
        await scene.store.checkpoints.record([entry], [])
        await scene.settle(job, Retried(timedelta(0), BOOM))
        await scene.settle(await scene.claim_one(), Succeeded(b"1"))
        scene.clock.advance(6 * DAY)
        await prune(scene)
        assert len(await scene.store.insight.logs(job.id)) == 1
        assert await scene.events(job.id) == ["retry"]
        scene.clock.advance(3 * DAY)
        await prune(scene)
        assert await scene.store.insight.logs(job.id) == []
        assert await scene.events(job.id) == []
        assert await scene.store.insight.results([job.id]) == {}

    async def test_results_go_when_their_time_is_over(self, scene: Scene) -> None:
        short, long = await scene.finish(Succeeded(b"1", HOUR)), await scene.finish(Succeeded(b"2", 2 * HOUR))
        scene.clock.advance(HOUR)
        assert (await scene.store.retention.prune(RETENTION, 100)).rows == 1
        results = await scene.store.insight.results([short, long])
        assert [results[job].value for job in (short, long)] == [None, b"2"]
        assert (await scene.job(short)).result_kept is True

    async def test_windows_of_unique_keys_go_when_they_are_over(self, scene: Scene) -> None:
        await scene.store.jobs.submit([a_job(unique_key="ada", unique_for=HOUR)])
        await scene.store.jobs.submit([a_job(unique_key="bob", unique_for=2 * HOUR)])
        scene.clock.advance(HOUR)
        assert (await scene.store.retention.prune(RETENTION, 100)).rows == 1

    async def test_ticks_have_their_own_time(self, scene: Scene) -> None:
        schedules = scene.store.schedules
        await put(scene, a_schedule("nightly"))
        assert await schedules.fire([a_tick("nightly")]) == {"nightly"}
        scene.clock.advance(14 * DAY - MINUTE)
        await prune(scene)
        assert len(await schedules.ticks("nightly", limit=10)) == 1
        scene.clock.advance(2 * DAY)
        await prune(scene)
        assert await schedules.ticks("nightly", limit=10) == []
        assert await schedules.get("nightly") is not None

    async def test_in_small_portions(self, scene: Scene) -> None:
        for _ in range(5):
            await scene.finish(FAILED)
        scene.clock.advance(40 * DAY)
        pruned = [await scene.store.retention.prune(RETENTION, 2) for _ in range(3)]
        assert [one.more for one in pruned] == [True, True, False]
        assert await scene.store.insight.counts() == []

    async def test_nothing_to_prune(self, scene: Scene) -> None:
        pruned = await scene.store.retention.prune(RETENTION, 100)
        assert (pruned.rows, pruned.more) == (0, False)

    async def test_two_pruners_at_once(self, scene: Scene, crowd: list[Scene]) -> None:
        for _ in range(20):
            await scene.finish(FAILED)
            await scene.finish()
        scene.clock.advance(40 * DAY)
        await asyncio.gather(*(prune(one, 3) for one in crowd))
        assert await scene.store.insight.counts() == []

    async def test_jobs_finish_on_every_day(self, scene: Scene) -> None:
        for _ in range(60):
            job = await scene.finish()
            assert (await scene.job(job)).finished_at == scene.clock.now()
            scene.clock.advance(DAY)
