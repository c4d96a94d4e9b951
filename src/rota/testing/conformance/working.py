"""Owners of claims: present, extended, told what they must know."""

from rota.model.ids import new_id
from rota.model.job import Claim, ClaimedJob
from rota.model.outcome import Handed
from rota.model.states import State
from rota.model.worker import Beat, Orders, TaskEntry
from rota.testing.conformance.scene import HOUR, LEASE, MINUTE, SECOND, START, Scene, a_worker

__all__ = ["TestBeat", "TestWorkers"]


def beat(scene: Scene, *started: ClaimedJob, held: tuple[ClaimedJob, ...] = (), memory: int = 0) -> Beat:
    return Beat(
        owner=scene.owner,
        lease=LEASE,
        started=tuple(job.claim for job in started),
        held=tuple(job.claim for job in held),
        memory=memory,
    )


class TestBeat:
    async def test_all_claims_are_extended(self, scene: Scene) -> None:
        await scene.store.workers.register(a_worker(id=scene.owner))
        await scene.submit_many(3)
        started, held, other = await scene.claim()
        scene.clock.advance(10)
        assert await scene.store.workers.beat(beat(scene, started, held=(held,))) == Orders()
        leases = [(await scene.job(job.id)).lease_until for job in (started, held, other)]
        assert leases == [scene.clock.now() + LEASE] * 2 + [START + LEASE]

    async def test_a_claim_that_someone_else_has_is_lost(self, scene: Scene) -> None:
        await scene.store.workers.register(a_worker(id=scene.owner))
        job = await scene.run()
        kept = await scene.run()
        scene.clock.advance(LEASE - SECOND)
        await scene.store.workers.beat(beat(scene, kept))
        scene.clock.advance(SECOND)
        await scene.store.jobs.rescue(10)
        await scene.claim_one(owner=new_id())
        assert await scene.store.workers.beat(beat(scene, job, kept)) == Orders(lost=frozenset({job.id}))

    async def test_finished_and_unknown_jobs_are_lost(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.settle(job)
        unknown = Claim(new_id(), 1)
        message = Beat(owner=scene.owner, lease=LEASE, started=(job.claim,), held=(unknown,))
        assert (await scene.store.workers.beat(message)).lost == {job.id, unknown.id}

    async def test_a_lease_that_passed_but_was_not_rescued_is_extended(self, scene: Scene) -> None:
        job = await scene.run()
        scene.clock.advance(HOUR)
        assert not (await scene.store.workers.beat(beat(scene, job))).lost
        assert await scene.store.jobs.rescue(10) == []

    async def test_a_handed_job_keeps_its_deadline(self, scene: Scene) -> None:
        job = await scene.run()
        await scene.settle(job, Handed("external", START + HOUR))
        await scene.store.workers.beat(beat(scene, job))
        assert (await scene.job(job.id)).lease_until == START + HOUR

    async def test_a_beat_without_claims(self, scene: Scene) -> None:
        await scene.store.workers.register(a_worker(id=scene.owner))
        assert await scene.store.workers.beat(beat(scene)) == Orders()

    async def test_a_worker_that_is_not_there_is_told_so(self, scene: Scene) -> None:
        assert (await scene.store.workers.beat(beat(scene))).known is False
        await scene.store.workers.register(a_worker(id=scene.owner))
        assert (await scene.store.workers.beat(beat(scene))).known is True
        await scene.store.workers.leave(scene.owner)
        assert (await scene.store.workers.beat(beat(scene))).known is False

    async def test_a_worker_that_was_presumed_dead_registers_again(self, scene: Scene) -> None:
        await scene.store.workers.register(a_worker(id=scene.owner))
        await scene.store.workers.beat(beat(scene))
        scene.clock.advance(LEASE)
        await scene.store.jobs.rescue(10)
        assert (await scene.store.workers.beat(beat(scene))).known is False
        await scene.store.workers.register(a_worker(id=scene.owner))
        assert (await scene.store.workers.beat(beat(scene))).known is True

    async def test_a_drain_is_told(self, scene: Scene) -> None:
        await scene.store.workers.register(a_worker(id=scene.owner))
        assert (await scene.store.workers.beat(beat(scene))).drain is False
        assert await scene.store.workers.drain(scene.owner) is True
        assert (await scene.store.workers.beat(beat(scene))).drain is True

    async def test_many_claims_in_one_beat(self, scene: Scene) -> None:
        await scene.submit_many(200)
        jobs = await scene.claim(limit=200)
        await scene.store.jobs.give_back([job.claim for job in jobs[::2]])
        scene.clock.advance(10)
        orders = await scene.store.workers.beat(beat(scene, *jobs[:100], held=tuple(jobs[100:])))
        assert orders.lost == {job.id for job in jobs[::2]}
        assert {(await scene.job(job.id)).lease_until for job in jobs[1:30:2]} == {scene.clock.now() + LEASE}


class TestWorkers:
    async def test_who_registers_is_shown(self, scene: Scene) -> None:
        worker = a_worker(
            "mail",
            "bulk",
            host="h1",
            pid=7,
            version="2",
            slots={"async": 3, "thread": 1},
            sandboxes=("wasm",),
        )
        await scene.store.workers.register(worker)
        (record,) = await scene.store.insight.workers()
        names = ["id", "host", "pid", "version", "queues", "slots", "sandboxes"]
        assert {name: getattr(record, name) for name in names} == {
            name: getattr(worker, name) for name in names
        }
        assert record.tasks == ("work",)
        assert (record.idle, record.draining, record.running) == (False, False, 0)
        assert (record.started_at, record.beat_at) == (START, START)
        assert record.lease_until > START

    async def test_a_beat_is_shown(self, scene: Scene) -> None:
        await scene.store.workers.register(a_worker(id=scene.owner))
        await scene.submit_many(3)
        first, second, third = await scene.claim()
        scene.clock.advance(10)
        await scene.store.workers.beat(beat(scene, first, second, held=(third,), memory=1_000_000))
        (record,) = await scene.store.insight.workers()
        assert (record.started_at, record.beat_at) == (START, scene.clock.now())
        assert record.lease_until == scene.clock.now() + LEASE
        assert (record.running, record.memory) == (2, 1_000_000)

    async def test_idleness_is_shown(self, scene: Scene) -> None:
        worker = a_worker()
        await scene.store.workers.register(worker)
        for idle in (True, True, False):
            await scene.store.workers.idle(worker.id, idle=idle)
            assert [one.idle for one in await scene.store.insight.workers()] == [idle]

    async def test_idleness_of_nobody_is_no_error(self, scene: Scene) -> None:
        await scene.store.workers.idle(new_id(), idle=True)
        assert await scene.store.insight.workers() == []

    async def test_a_drain_is_shown(self, scene: Scene) -> None:
        worker = a_worker()
        await scene.store.workers.register(worker)
        assert await scene.store.workers.drain(worker.id) is True
        assert [one.draining for one in await scene.store.insight.workers()] == [True]

    async def test_nobody_cannot_be_drained(self, scene: Scene) -> None:
        assert await scene.store.workers.drain(new_id()) is False

    async def test_who_leaves_is_gone_and_its_jobs_stay(self, scene: Scene) -> None:
        await scene.store.workers.register(a_worker(id=scene.owner))
        job = await scene.run()
        await scene.store.workers.leave(scene.owner)
        assert await scene.store.insight.workers() == []
        assert await scene.state(job.id) is State.RUNNING
        await scene.store.workers.leave(scene.owner)

    async def test_who_registers_again_is_one_worker(self, scene: Scene) -> None:
        worker = a_worker("a")
        await scene.store.workers.register(worker)
        scene.clock.advance(MINUTE)
        await scene.store.workers.register(a_worker("b", id=worker.id))
        (record,) = await scene.store.insight.workers()
        assert record.queues == ("b",)

    async def test_tasks_are_catalogued(self, scene: Scene) -> None:
        def entry(name: str, **fields: object) -> TaskEntry:
            plain = {"kind": "function", "executor": "async", "queue": "mail", "schema": {"type": "object"}}
            return TaskEntry(name=name, **plain | fields)  # type: ignore[arg-type]

        await scene.store.workers.register(a_worker(tasks=(entry("send"), entry("sort"))))
        changed = entry("sort", executor="thread", schema={"a": [1]})
        await scene.store.workers.register(a_worker(tasks=(changed,)))
        tasks = await scene.store.insight.tasks()
        assert sorted(tasks, key=lambda one: one.name) == [entry("send"), changed]

    async def test_the_catalogue_outlives_its_workers(self, scene: Scene) -> None:
        worker = a_worker()
        await scene.store.workers.register(worker)
        await scene.store.workers.leave(worker.id)
        assert [task.name for task in await scene.store.insight.tasks()] == ["work"]
