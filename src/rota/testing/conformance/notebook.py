"""What a running attempt saves: log lines and progress."""

from datetime import timedelta

from rota.model.events import LogEntry, LogRecord, Progress
from rota.model.ids import new_id
from rota.model.job import ClaimedJob
from rota.model.outcome import Retried
from rota.testing.conformance.scene import BOOM, FAILED, Scene

__all__ = ["TestLogs", "TestProgress"]


def line(scene: Scene, job: ClaimedJob, seq: int, message: str = "") -> LogEntry:
    return LogEntry(job.id, job.token, seq, scene.clock.now(), "INFO", message or f"line {seq}")


async def messages(scene: Scene, job: ClaimedJob) -> list[tuple[int, str]]:
    return [(record.attempt, record.message) for record in await scene.store.insight.logs(job.id)]


class TestLogs:
    async def test_a_line_is_kept_whole(self, scene: Scene) -> None:
        job = await scene.run()
        at = scene.clock.now() - timedelta(microseconds=3)
        entry = LogEntry(job.id, job.token, 1, at, "WARNING", "ø\nsecond line", {"rows": 3, "nested": [None]})
        await scene.store.checkpoints.record([entry], [])
        assert await scene.store.insight.logs(job.id) == [
            LogRecord(
                job=job.id,
                attempt=1,
                seq=1,
                at=at,
                level="WARNING",
                message="ø\nsecond line",
                fields={"rows": 3, "nested": [None]},
            )
        ]

    async def test_they_are_read_in_order_and_in_portions(self, scene: Scene) -> None:
        job = await scene.run()
        for first in (1, 4, 7):
            await scene.store.checkpoints.record(
                [line(scene, job, seq) for seq in range(first, first + 3)], []
            )
        logs = scene.store.insight.logs
        assert [record.seq for record in await logs(job.id)] == list(range(1, 10))
        assert [record.seq for record in await logs(job.id, limit=4)] == [1, 2, 3, 4]
        assert [record.seq for record in await logs(job.id, after=4, limit=3)] == [5, 6, 7]
        assert await logs(job.id, after=9) == []

    async def test_attempts_follow_each_other(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.store.checkpoints.record([line(scene, job, 1), line(scene, job, 2)], [])
        await scene.settle(job, Retried(timedelta(0), BOOM))
        again = await scene.claim_one()
        await scene.store.checkpoints.record([line(scene, again, 1)], [])
        assert await messages(scene, job) == [(1, "line 1"), (1, "line 2"), (2, "line 1")]

    async def test_they_outlive_the_job(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.store.checkpoints.record([line(scene, job, 1)], [])
        await scene.settle(job, FAILED)
        assert await messages(scene, job) == [(1, "line 1")]

    async def test_a_redriven_job_writes_new_ones(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.store.checkpoints.record([line(scene, job, 1, "first life")], [])
        await scene.settle(job, FAILED)
        await scene.redrive(job.id)
        again = await scene.claim_one()
        await scene.store.checkpoints.record([line(scene, again, 1, "second life")], [])
        assert (1, "second life") in await messages(scene, job)

    async def test_a_group_that_is_sent_twice_is_kept_once(self, scene: Scene) -> None:
        job = await scene.run()
        for _ in range(2):
            await scene.store.checkpoints.record([line(scene, job, 1), line(scene, job, 2)], [])
        assert await messages(scene, job) == [(1, "line 1"), (1, "line 2")]

    async def test_lines_of_many_jobs_in_one_call(self, scene: Scene) -> None:
        await scene.submit_many(3)
        jobs = await scene.claim()
        stale = jobs[1]
        await scene.store.jobs.give_back([stale.claim])
        await scene.store.checkpoints.record([line(scene, job, seq) for seq in (1, 2) for job in jobs], [])
        assert [len(await messages(scene, job)) for job in jobs] == [2, 0, 2]

    async def test_lines_of_an_unknown_job_are_dropped(self, scene: Scene) -> None:
        unknown = new_id()
        entry = LogEntry(unknown, 1, 1, scene.clock.now(), "INFO", "lost")
        await scene.store.checkpoints.record([entry], [Progress(unknown, 1, 1, None)])
        assert await scene.store.insight.logs(unknown) == []

    async def test_nothing_to_record(self, scene: Scene) -> None:
        await scene.store.checkpoints.record([], [])


class TestProgress:
    async def test_the_latest_is_kept(self, scene: Scene) -> None:
        job = await scene.run()
        for done, total in ((1, None), (5, 10), (10, 10)):
            await scene.store.checkpoints.record([], [Progress(job.id, job.token, done, total)])
            record = await scene.job(job.id)
            assert (record.progress_done, record.progress_total) == (done, total)

    async def test_it_outlives_the_job(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.store.checkpoints.record([], [Progress(job.id, job.token, 3, 10)])
        await scene.settle(job)
        record = await scene.job(job.id)
        assert (record.progress_done, record.progress_total) == (3, 10)

    async def test_a_job_that_tells_nothing_has_none(self, scene: Scene) -> None:
        record = await scene.job((await scene.run()).id)
        assert (record.progress_done, record.progress_total) == (None, None)

    async def test_of_many_jobs_in_one_call(self, scene: Scene) -> None:
        await scene.submit_many(3)
        jobs = await scene.claim()
        reports = [Progress(job.id, job.token, place, 9) for place, job in enumerate(jobs)]
        await scene.store.checkpoints.record([line(scene, job, 1) for job in jobs], reports)
        assert [(await scene.job(job.id)).progress_done for job in jobs] == [0, 1, 2]
