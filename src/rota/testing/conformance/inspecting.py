"""What `rota verify` reads of a store."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from rota.model.inspection import JobRow, SlotRow, TickRow
from rota.model.outcome import Retried, Suspended
from rota.model.schedule import Tick
from rota.model.states import State
from rota.operations.verify import verify
from rota.testing.conformance.insight import gallery
from rota.testing.conformance.scene import BOOM, FAILED, HOUR, MINUTE, SECOND, START, Scene, a_job
from rota.testing.conformance.scheduling import a_schedule, put

__all__ = ["TestInspection"]

FIRST = UUID(int=0)
DAWN = datetime(1, 1, 2, tzinfo=UTC)


async def all_rows(scene: Scene) -> dict[UUID, JobRow]:
    return {row.id: row for row in await scene.store.inspection.jobs(after=FIRST, limit=100)}


class TestInspection:
    async def test_every_state_stands_where_it_belongs(self, scene: Scene) -> None:
        jobs = await gallery(scene)
        rows = await all_rows(scene)
        places = {State.FAILED: "dead"} | dict.fromkeys(
            (State.SUCCEEDED, State.CANCELLED, State.EXPIRED), "history"
        )
        assert {row.id: (row.state, row.place) for row in rows.values()} == {
            job: (state, places.get(state, "live")) for state, job in jobs.items()
        }
        verdict = await verify(scene.store, keep=HOUR)
        assert verdict.findings == ()
        assert sum(verdict.looked[place] for place in ("live", "dead", "history")) == len(jobs)

    async def test_a_running_job_whole(self, scene: Scene) -> None:
        job = await scene.run(task="send", queue="mail")
        await scene.acquire([job], 3, "task:send")
        (row,) = (await all_rows(scene)).values()
        assert (row.task, row.queue, row.attempt, row.crashes) == ("send", "mail", 1, 0)
        assert (row.token, row.owner, row.slots) == (job.token, scene.owner, ("task:send",))
        assert (row.submitted_at, row.claimed_at) == (START, START)
        assert (row.lease_until, row.finished_at) == (START + timedelta(seconds=30), None)
        assert await scene.store.inspection.slots() == [SlotRow("task:send", 1, 3, 1)]

    async def test_pages_by_id(self, scene: Scene) -> None:
        jobs = [await scene.submit() for _ in range(2)]
        jobs += [await scene.finish(queue="done"), await scene.finish(FAILED, queue="done")]
        found, after = [], FIRST
        while page := await scene.store.inspection.jobs(after=after, limit=1):
            found += [row.id for row in page]
            after = page[-1].id
        assert found == sorted(jobs)

    async def test_events_in_order(self, scene: Scene) -> None:
        job = await scene.finish(Retried(MINUTE, BOOM))
        scene.clock.advance(MINUTE)
        await scene.store.jobs.promote(10)
        await scene.settle(await scene.claim_one(), FAILED)
        scene.clock.advance(SECOND)
        await scene.redrive(job)
        row = (await all_rows(scene))[job]
        assert row.events == ("retry", "redrive")
        assert row.events_at == (START, START + MINUTE + SECOND)

    async def test_children_that_live(self, scene: Scene) -> None:
        parent = await scene.run()
        for _ in range(2):
            await scene.submit(parent=parent.id)
        await scene.settle(parent, Suspended(children=2))
        row = (await all_rows(scene))[parent.id]
        assert (row.children, row.children_live) == (2, 2)

    async def test_ticks_and_their_jobs(self, scene: Scene) -> None:
        await put(scene, a_schedule(next_at=START))
        job = a_job(schedule="nightly", due=START)
        tick = Tick(
            schedule="nightly", version=1, due=START, at=START, next_at=None, state="fired", submission=job
        )
        assert await scene.store.schedules.fire([tick]) == {"nightly"}
        assert (await all_rows(scene))[job.id].ticked
        ticks = await scene.store.inspection.ticks(after=("", DAWN), limit=10)
        assert ticks == [
            TickRow(
                schedule="nightly",
                due=START,
                state="fired",
                job=job.id,
                fired_at=START,
                job_found=True,
                job_schedule="nightly",
                job_due=START,
            )
        ]
        assert await scene.store.inspection.ticks(after=("nightly", START), limit=10) == []

    async def test_an_empty_store(self, scene: Scene) -> None:
        verdict = await verify(scene.store, keep=HOUR)
        assert (verdict.ok, verdict.findings, verdict.warnings) == (True, (), ())
        assert set(verdict.looked.values()) == {0}
        assert await scene.store.inspection.twins() == []
