"""Edit a scheduled job in place, and resume jobs that wait."""

import asyncio

import pytest

from rota.model.ids import new_id
from rota.model.job import ClaimedJob, JobEdit
from rota.model.outcome import Cancelled, Handed, Outcome, Retried, Settlement, Snooze, Suspended
from rota.model.states import State
from rota.testing.conformance.scene import BOOM, DONE, FAILED, HOUR, LEASE, MINUTE, SECOND, START, Scene

__all__ = ["TestChildren", "TestEdit", "TestResume"]


class TestEdit:
    async def test_what_is_given_changes_and_nothing_else(self, scene: Scene) -> None:
        job = await scene.submit(delay=HOUR, rank=1, queue="a", payload=b"[1]", expires_in=2 * HOUR)
        before = await scene.job(job)
        assert await scene.store.jobs.edit(job, JobEdit(rank=-5))
        after = await scene.job(job)
        assert after.rank == -5
        names = set(before.__struct_fields__) - {"rank"}
        assert {name: getattr(after, name) for name in names} == {
            name: getattr(before, name) for name in names
        }
        assert await scene.events(job) == ["edit"]

    async def test_every_field(self, scene: Scene) -> None:
        job = await scene.submit(delay=HOUR, expires_in=2 * HOUR)
        run_at, expires_at = START + 3 * HOUR, START + 4 * HOUR
        edit = JobEdit(run_at=run_at, rank=7, queue="mail", payload=b"[2]", expires_at=expires_at)
        assert await scene.store.jobs.edit(job, edit)
        record = await scene.job(job)
        assert (record.state, record.run_at, record.expires_at) == (State.SCHEDULED, run_at, expires_at)
        assert (record.rank, record.queue, record.payload) == (7, "mail", b"[2]")

    async def test_a_deadline_can_be_taken_away(self, scene: Scene) -> None:
        job = await scene.submit(delay=HOUR, expires_in=MINUTE)
        assert await scene.store.jobs.edit(job, JobEdit(expires_at=None))
        scene.clock.advance(MINUTE)
        assert (await scene.store.jobs.promote(10)).expired == 0

    async def test_the_new_moment_counts(self, scene: Scene) -> None:
        job = await scene.submit(delay=HOUR)
        await scene.store.jobs.edit(job, JobEdit(run_at=START + MINUTE))
        scene.clock.advance(MINUTE)
        assert (await scene.store.jobs.promote(10)).ready == 1

    async def test_a_moment_that_has_come_runs_it_now(self, scene: Scene) -> None:
        job = await scene.submit(delay=HOUR)
        assert await scene.store.jobs.edit(job, JobEdit(run_at=START))
        await scene.store.jobs.promote(10)
        assert (await scene.claim_one()).id == job

    async def test_nothing_but_a_scheduled_job_is_edited(self, scene: Scene) -> None:
        running = await scene.run()
        waiting = await scene.finish(Suspended(wake_key="door"))
        dead = await scene.finish(FAILED)
        jobs = [running.id, waiting, dead, await scene.submit(), await scene.finish(queue="done")]
        for job in jobs:
            before = await scene.job(job)
            assert not await scene.store.jobs.edit(job, JobEdit(rank=9, queue="x", payload=b"x"))
            assert await scene.job(job) == before
        assert not await scene.store.jobs.edit(new_id(), JobEdit(rank=9))


class TestResume:
    async def test_by_id(self, scene: Scene) -> None:
        job = await scene.finish(Suspended(wake_key="door", wake_at=START + HOUR))
        other = await scene.finish(Suspended(wake_key="door"))
        scene.clock.advance(1)
        assert await scene.store.jobs.resume([job]) == 1
        record = await scene.job(job)
        assert (record.state, record.ready_at) == (State.READY, scene.clock.now())
        assert (record.wake_key, record.wake_at, record.children) == (None, None, 0)
        assert await scene.state(other) is State.WAITING
        assert (await scene.claim_one()).attempt == 2

    async def test_by_key(self, scene: Scene) -> None:
        jobs = [await scene.finish(Suspended(wake_key="door")) for _ in range(3)]
        other = await scene.finish(Suspended(wake_key="window"))
        assert await scene.store.jobs.resume([], "door") == 3
        assert await scene.states([*jobs, other]) == [State.READY] * 3 + [State.WAITING]
        assert await scene.store.jobs.resume([], "door") == 0

    async def test_by_id_and_key(self, scene: Scene) -> None:
        one = await scene.finish(Suspended(wake_key="door"))
        other = await scene.finish(Suspended(wake_key="window"))
        assert await scene.store.jobs.resume([other], "door") == 2
        assert await scene.states([one, other]) == [State.READY] * 2

    async def test_only_what_waits(self, scene: Scene) -> None:
        running = await scene.run()
        dead = await scene.finish(FAILED)
        jobs = [running.id, dead, await scene.submit(delay=HOUR), await scene.submit()]
        before = [await scene.job(job) for job in jobs]
        assert await scene.store.jobs.resume([*jobs, new_id()], "door") == 0
        assert [await scene.job(job) for job in jobs] == before


class TestChildren:
    async def family(self, scene: Scene, children: int) -> tuple[ClaimedJob, list[ClaimedJob]]:
        """Return a running parent and its running children."""
        parent = await scene.run()
        await scene.submit_many(children, queue="children", parent=parent.id, root=parent.id)
        return parent, await scene.claim("children")

    async def test_the_last_child_wakes_its_parent(self, scene: Scene) -> None:
        parent, children = await self.family(scene, 3)
        await scene.settle(parent, Suspended(children=3))
        for left, child in zip((2, 1), children[:2], strict=True):
            await scene.settle(child)
            record = await scene.job(parent.id)
            assert (record.state, record.children) == (State.WAITING, left)
        scene.clock.advance(1)
        await scene.settle(children[2])
        record = await scene.job(parent.id)
        assert (record.state, record.children, record.ready_at) == (State.READY, 0, scene.clock.now())
        assert (await scene.claim_one()).id == parent.id

    async def test_children_that_finished_before_are_not_awaited(self, scene: Scene) -> None:
        parent, (first, second) = await self.family(scene, 2)
        await scene.settle(first)
        await scene.settle(parent, Suspended(children=2))
        assert (await scene.job(parent.id)).children == 1
        await scene.settle(second)
        assert await scene.state(parent.id) is State.READY

    async def test_a_parent_whose_children_are_all_finished_is_ready_at_once(self, scene: Scene) -> None:
        parent, children = await self.family(scene, 2)
        for child in children:
            await scene.settle(child)
        await scene.settle(parent, Suspended(children=2))
        assert await scene.state(parent.id) is State.READY

    async def test_children_finish_in_one_call(self, scene: Scene) -> None:
        parent, children = await self.family(scene, 5)
        await scene.settle(parent, Suspended(children=5))
        await scene.store.jobs.settle([Settlement(child.id, child.token, DONE) for child in children])
        assert await scene.state(parent.id) is State.READY

    async def test_parent_and_child_in_one_call(self, scene: Scene) -> None:
        parent, (child,) = await self.family(scene, 1)
        await scene.store.jobs.settle(
            [
                Settlement(parent.id, parent.token, Suspended(children=1)),
                Settlement(child.id, child.token, DONE),
            ]
        )
        assert await scene.state(parent.id) is State.READY

    @pytest.mark.parametrize("outcome", [DONE, FAILED, Cancelled()], ids=lambda one: type(one).__name__)
    @pytest.mark.parametrize("parent_first", [True, False], ids=["parent first", "child first"])
    async def test_a_child_that_ends_in_the_call_that_suspends_its_parent_counts_once(
        self, scene: Scene, outcome: Outcome, *, parent_first: bool
    ) -> None:
        parent, (child, other) = await self.family(scene, 2)
        both = [
            Settlement(parent.id, parent.token, Suspended(children=2)),
            Settlement(child.id, child.token, outcome),
        ]
        await scene.store.jobs.settle(both if parent_first else both[::-1])
        record = await scene.job(parent.id)
        assert (record.state, record.children) == (State.WAITING, 1)
        await scene.settle(other)
        assert await scene.state(parent.id) is State.READY

    @pytest.mark.parametrize("outcome", [DONE, FAILED, Cancelled()], ids=lambda one: type(one).__name__)
    async def test_every_end_counts(self, scene: Scene, outcome: Outcome) -> None:
        parent, (child,) = await self.family(scene, 1)
        await scene.settle(parent, Suspended(children=1))
        await scene.settle(child, outcome)
        assert await scene.state(parent.id) is State.READY

    @pytest.mark.parametrize(
        "outcome",
        [Retried(MINUTE, BOOM), Snooze(MINUTE), Suspended(wake_key="door"), Handed("x", START + HOUR)],
        ids=lambda one: type(one).__name__,
    )
    async def test_a_child_that_goes_on_is_awaited(self, scene: Scene, outcome: Outcome) -> None:
        parent, (child,) = await self.family(scene, 1)
        await scene.settle(parent, Suspended(children=1))
        await scene.settle(child, outcome)
        assert (await scene.job(parent.id)).children == 1

    async def test_a_child_cancelled_in_its_queue_counts(self, scene: Scene) -> None:
        parent = await scene.run()
        child = await scene.submit(queue="children", parent=parent.id)
        await scene.settle(parent, Suspended(children=1))
        await scene.cancel(child)
        assert await scene.state(parent.id) is State.READY

    async def test_a_child_that_expired_counts(self, scene: Scene) -> None:
        parent = await scene.run()
        await scene.submit(queue="children", parent=parent.id, expires_in=SECOND)
        await scene.settle(parent, Suspended(children=1))
        scene.clock.advance(1)
        await scene.store.jobs.promote(10)
        assert await scene.state(parent.id) is State.READY

    async def test_a_child_cancelled_by_its_rescue_counts(self, scene: Scene) -> None:
        parent, (child,) = await self.family(scene, 1)
        await scene.settle(parent, Suspended(children=1))
        await scene.cancel(child.id)
        scene.clock.advance(LEASE)
        await scene.store.jobs.rescue(10)
        assert await scene.state(parent.id) is State.READY

    async def test_a_redriven_child_is_awaited_again(self, scene: Scene) -> None:
        parent, (first, second) = await self.family(scene, 2)
        await scene.settle(parent, Suspended(children=2))
        await scene.settle(first, FAILED)
        await scene.redrive(first.id)
        assert (await scene.job(parent.id)).children == 2
        await scene.settle(await scene.claim_one("children"))
        await scene.settle(second)
        assert await scene.state(parent.id) is State.READY

    async def test_a_child_redriven_after_its_parent_went_on_is_not(self, scene: Scene) -> None:
        parent, (child,) = await self.family(scene, 1)
        await scene.settle(parent, Suspended(children=1))
        await scene.settle(child, FAILED)
        await scene.redrive(child.id)
        assert await scene.state(parent.id) is State.READY

    async def test_a_child_that_is_sent_twice_counts_once(self, scene: Scene) -> None:
        parent, (first, _second) = await self.family(scene, 2)
        await scene.settle(parent, Suspended(children=2))
        for _ in range(2):
            assert await scene.settle(first)
        assert (await scene.job(parent.id)).children == 1

    async def test_children_and_parent_at_the_same_moment(self, crowd: list[Scene]) -> None:
        one, *others = crowd
        for _ in range(5):
            parent, children = await self.family(one, 3)
            await asyncio.gather(
                one.settle(parent, Suspended(children=3)),
                *(other.settle(child) for other, child in zip(others, children, strict=True)),
            )
            assert (await one.claim_one()).id == parent.id
