"""A whole store, out of it and into an empty one: nothing is lost, and life goes on there."""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from rota.model.access import NewAudit, NewToken, Role
from rota.model.errors import ExportFileError, StoreNotEmptyError
from rota.model.events import LogEntry
from rota.model.ids import new_id
from rota.model.job import JobFilter
from rota.model.outcome import Handed, Retried, Snooze, Succeeded, Suspended
from rota.model.schedule import ScheduleChange
from rota.model.states import State
from rota.model.transfer import KINDS, Header
from rota.operations.transfer import dump, restore
from rota.ports.retention import Retention
from rota.ports.store import Store
from rota.ports.transfer import Page
from rota.testing.conformance.scene import (
    BOOM,
    FAILED,
    HOUR,
    MANY,
    MINUTE,
    SECOND,
    START,
    Scene,
    a_job,
    a_worker,
    must,
)
from rota.testing.conformance.scheduling import a_schedule, a_tick

__all__ = ["TestTransfer", "exported", "furnish", "moved"]

DAY = timedelta(days=1)


def _silent(done: int, total: int) -> None:
    assert done <= total


async def exported(store: Store) -> list[bytes]:
    """Return the lines of a store's export; the first is its title."""
    parts: list[bytes] = []
    await dump(store, parts.append, _silent)
    return b"".join(parts).splitlines(keepends=True)


async def moved(source: Scene, target: Scene) -> list[bytes]:
    """Move all of a store into another, and hold what came in against what went out; returns the lines."""
    lines = await exported(source.store)
    await restore(target.store, lines, _silent)
    assert (await exported(target.store))[1:] == lines[1:]
    return lines


async def furnish(scene: Scene) -> dict[str, UUID]:
    """Put something of every kind into a store, by its verbs; returns some of the jobs by name."""
    store, jobs = scene.store, dict[str, UUID]()
    await store.workers.register(a_worker())
    first = a_schedule(trigger={"z": 1, "a": [1.5, None, "ø"]}, grace=HOUR)
    await store.schedules.put([ScheduleChange(new=first)])
    await store.schedules.put([ScheduleChange(new=a_schedule(trigger={"every": 60}, version=2), seen=first)])
    await store.schedules.put([ScheduleChange(new=a_schedule("stopped", next_at=None))])
    await store.schedules.pause("stopped", "ada", "why not")
    tick = a_tick(version=2, submission=a_job(queue="ticks", schedule="nightly", due=START))
    assert await store.schedules.fire([tick]) == {"nightly"}
    await store.limits.pause_queue("closed", "ada")
    pause = NewAudit(actor="ada", action="pause", subject="queue closed", data={"b": 1, "a": "ø"})
    await store.access.audit([pause, NewAudit(actor="bob", action="look", subject="")])
    for name, keys in {"ci": (), "limited": ("ada", "bob")}.items():
        digest = hashlib.sha256(name.encode()).digest()
        await store.access.add_token(
            NewToken(id=new_id(), kind="token", name=name, role=Role.OPERATOR, digest=digest, keys=keys)
        )
    session = NewToken(id=new_id(), kind="session", name="eve", role=Role.ADMIN, digest=b"eve")
    await store.access.add_token(session)
    jobs["closed"] = await scene.submit(queue="closed")
    jobs["succeeded"] = await scene.finish(Succeeded(b'"\xc3\xb8"'))
    jobs["brief"] = await scene.finish(Succeeded(b"1", ttl=DAY))
    jobs["failed"] = await scene.finish(FAILED, unique_key="free again")
    scene.clock.advance(HOUR)
    jobs["cancelled"] = await scene.submit(queue="cancelled")
    await scene.cancel(jobs["cancelled"])
    jobs["retried"] = await scene.finish(Retried(HOUR, BOOM))
    jobs["snoozed"] = await scene.finish(Snooze(HOUR))
    jobs["waiting"] = await scene.finish(Suspended(wake_key="door", wake_at=scene.clock.now() + HOUR))
    handed = await scene.run(queue="handed", headers={"b": "1", "a": "2"}, tags={"ø": "%"}, trust="low")
    assert await scene.acquire([handed], 2, "key:work:ada", "task:work")
    line = LogEntry(handed.id, handed.token, 1, scene.clock.now(), "info", "so\nfar", {"n": [1, None]})
    await store.checkpoints.record([line, msgspec.structs.replace(line, seq=2, fields=None)], [])
    assert await scene.settle(handed, Handed("their id", scene.clock.now() + DAY))
    jobs["handed"] = handed.id
    jobs["window"] = await scene.finish(unique_key="ada", unique_for=DAY)
    return jobs | await _in_line(scene)


async def _in_line(scene: Scene) -> dict[str, UUID]:
    """Leave some jobs running, and some behind them."""
    one, other = await scene.submit_many(2, queue="line")
    await scene.submit_many(3, queue="line", expires_in=DAY)
    held = await scene.submit(queue="line", rank=5)
    last = await scene.submit(
        queue="line", rank=-(2**63), key="k", options={"x": [1, {"b": 2, "a": None}]}, unique_key="taken",
        payload=bytes(range(256)), parent=one, root=one, batch=other, ordinal=2**62, run_at=scene.clock.now(),
        max_attempts=3,
    )  # fmt: skip
    running = await scene.claim("line")
    assert [job.id for job in running[1:]][-1] == held
    await scene.acquire(running[-1:], 0, "queue:line")
    await scene.store.jobs.give_back([job.claim for job in running if job.id not in {one, other}])
    await scene.acquire([job for job in running if job.id == one], 1, "queue:line")
    await scene.cancel(other)
    return {"running": one, "asked": other, "held": held, "last": last}


class TestTransfer:
    async def test_an_empty_store(self, scene: Scene, neighbour: Scene) -> None:
        lines = await moved(scene, neighbour)
        assert len(lines) == 1
        title = msgspec.json.decode(lines[0])
        assert (title["rota"], title["counts"]) == ("export", {})
        assert title["store_id"] == (await scene.store.schema()).store_id
        assert (await neighbour.store.schema()).store_id != title["store_id"]

    async def test_all_of_it_arrives(self, scene: Scene, neighbour: Scene) -> None:
        await furnish(scene)
        lines = await moved(scene, neighbour)
        kinds = {name for line in lines[1:] for name in msgspec.json.decode(line)}
        assert kinds == KINDS.keys()
        for states in ({State.FAILED}, {State.SUCCEEDED, State.CANCELLED}, {State.WAITING, State.SCHEDULED}):
            which = JobFilter(states=frozenset(states))
            there = await neighbour.store.insight.jobs(which, limit=MANY)
            assert there == await scene.store.insight.jobs(which, limit=MANY) != []
        assert await neighbour.store.schedules.list() == await scene.store.schedules.list()
        access = neighbour.store.access
        tokens = [one for one in await scene.store.access.tokens() if one.kind == "token"]
        assert await access.tokens() == tokens
        assert must(await access.token(hashlib.sha256(b"ci").digest(), ["token"])).role is Role.OPERATOR
        entries = [(one.actor, one.data) for one in await access.audited(limit=10)]
        assert entries == [("bob", {}), ("ada", {"a": "ø", "b": 1})]
        assert await neighbour.store.insight.tasks() == await scene.store.insight.tasks()
        await _check_slots(neighbour)

    async def test_what_belongs_to_a_job_is_read_as_before(self, scene: Scene, neighbour: Scene) -> None:
        jobs = await furnish(scene)
        await moved(scene, neighbour)
        here, there = scene.store.insight, neighbour.store.insight
        for job in jobs.values():
            assert await there.events(job) == await here.events(job)
            assert await there.logs(job) == await here.logs(job)
        assert len(await there.logs(jobs["handed"])) == 2
        results = await neighbour.store.insight.results([jobs["succeeded"], jobs["brief"], jobs["failed"]])
        assert results[jobs["succeeded"]].value == b'"\xc3\xb8"'
        assert results == await scene.store.insight.results(list(results))
        neighbour.clock.advance(2 * DAY)
        assert (await neighbour.store.insight.results([jobs["brief"]]))[jobs["brief"]].value is None

    async def test_jobs_keep_their_places(self, scene: Scene, neighbour: Scene) -> None:
        jobs = [await scene.submit(rank=rank) for rank in (3, 1, 3, -5, 1, 3)]
        await moved(scene, neighbour)
        jobs.append(await neighbour.submit(rank=1))
        claimed = [job.id for job in await neighbour.claim()]
        assert claimed == [jobs[place] for place in (3, 1, 4, 6, 0, 2, 5)]

    async def test_unique_keys_stay_taken(self, scene: Scene, neighbour: Scene) -> None:
        jobs = await furnish(scene)
        await moved(scene, neighbour)
        sent = [
            a_job(unique_key="ada", unique_for=DAY),
            a_job(unique_key="taken"),
            a_job(unique_key="free again"),
        ]
        submitted = await neighbour.store.jobs.submit(sent)
        assert [one.created for one in submitted] == [False, False, True]
        assert [one.id for one in submitted[:2]] == [jobs["window"], jobs["last"]]
        (again,) = await neighbour.store.jobs.submit([a_job(id=jobs["succeeded"])], resend=True)
        assert not again.created

    async def test_a_running_job_is_given_back(self, scene: Scene, neighbour: Scene) -> None:
        claimed = await scene.run()
        await moved(scene, neighbour)
        job = await neighbour.job(claimed.id)
        assert (job.state, job.attempt, job.crashes, job.owner) == (State.READY, 0, 0, None)
        assert not await neighbour.settle(claimed)
        assert (await neighbour.claim_one()).attempt == 1
        assert await scene.settle(claimed), "an export changes nothing"

    async def test_a_running_job_that_was_asked_to_stop_is_cancelled(
        self, scene: Scene, neighbour: Scene
    ) -> None:
        parent = await scene.run()
        child = await scene.run(parent=parent.id)
        assert await scene.settle(parent, Suspended(children=1))
        await scene.cancel(child.id)
        await moved(scene, neighbour)
        assert await neighbour.claim() == []
        neighbour.clock.advance(SECOND)
        await neighbour.store.jobs.rescue(MANY)
        assert await neighbour.states([child.id, parent.id]) == [State.CANCELLED, State.READY]

    async def test_what_was_handed_over_can_still_be_settled(self, scene: Scene, neighbour: Scene) -> None:
        jobs = await furnish(scene)
        await moved(scene, neighbour)
        assert (await _check_slots(neighbour))["key:work:ada"] == 1
        record = await neighbour.job(jobs["handed"])
        assert (record.state, record.external_id) == (State.HANDED, "their id")
        claim = msgspec.structs.replace(
            await neighbour.run(queue="new"), id=record.id, token=must(record.token)
        )
        assert await neighbour.settle(claim, Succeeded(b"2"), limited=True)
        assert (await _check_slots(neighbour))["key:work:ada"] == 0

    async def test_a_held_job_is_let_in_by_the_next_sweep(self, scene: Scene, neighbour: Scene) -> None:
        first, second = await scene.submit_many(2)
        jobs = await scene.claim()
        await scene.acquire(jobs, 1)
        await moved(scene, neighbour)
        assert [job.id for job in await neighbour.claim()] == [first]
        await neighbour.store.limits.sweep()
        assert [job.id for job in await neighbour.claim()] == [second]

    async def test_life_goes_on(self, scene: Scene, neighbour: Scene) -> None:
        jobs = await furnish(scene)
        await moved(scene, neighbour)
        assert await neighbour.redrive(jobs["failed"], jobs["cancelled"]) != []
        assert await neighbour.store.jobs.resume([], "door") == 1
        assert await neighbour.claim("closed") == []
        await neighbour.store.limits.resume_queue("closed")
        assert [job.id for job in await neighbour.claim("closed")] == [jobs["closed"]]
        neighbour.clock.advance(2 * HOUR)
        await neighbour.store.jobs.promote(MANY)
        assert await neighbour.states([jobs["retried"], jobs["snoozed"]]) == [State.READY] * 2

    async def test_schedules_go_on_and_repeat_nothing(self, scene: Scene, neighbour: Scene) -> None:
        await furnish(scene)
        await moved(scene, neighbour)
        due = await neighbour.store.schedules.due(10)
        assert [(one.id, one.next_at) for one in due.schedules] == [("nightly", START + MINUTE)]
        again = a_tick(version=2, submission=a_job(queue="again"))
        assert await neighbour.store.schedules.fire([again]) == frozenset()
        scene.clock.set(max(scene.clock.now(), START + MINUTE))
        tick = a_tick(version=2, due=START + MINUTE, at=START + MINUTE, next_at=START + HOUR)
        assert await neighbour.store.schedules.fire([tick]) == {"nightly"}

    async def test_what_has_finished_is_forgotten_in_its_time(self, scene: Scene, neighbour: Scene) -> None:
        for _ in range(3):
            await scene.finish()
            await scene.finish(FAILED)
            scene.clock.advance(DAY)
        await moved(scene, neighbour)
        keep = Retention(history=DAY, dead=2 * DAY, ticks=DAY)
        while (await neighbour.store.retention.prune(keep, 100)).more:
            pass
        assert await neighbour.count(State.SUCCEEDED) <= 1
        assert await neighbour.count(State.FAILED) == 1

    async def test_it_is_one_moment_while_others_go_on(self, scene: Scene, neighbour: Scene) -> None:
        await furnish(scene)
        before = await exported(scene.store)
        async with aclosing(scene.store.transfer.export()) as stream:
            header = await anext(stream)
            assert isinstance(header, Header)
            await scene.submit_many(5)
            await scene.cancel(*[job.id for job in await scene.store.insight.jobs(JobFilter(), limit=MANY)])
            await scene.store.schedules.remove("nightly")
            pages = [page async for page in stream if not isinstance(page, Header)]

        await neighbour.store.transfer.load(header, _each(pages))
        assert (await exported(neighbour.store))[1:] == before[1:]

    async def test_an_export_that_breaks_off_leaves_no_trace(self, scene: Scene, neighbour: Scene) -> None:
        await furnish(scene)

        def write(lines: bytes) -> None:
            if b'"job"' in lines:
                raise OSError(28, "No space left on device")

        with pytest.raises(OSError, match="No space"):
            await dump(scene.store, write, _silent)
        await scene.submit()
        await moved(scene, neighbour)

    async def test_a_store_that_holds_something_is_refused(self, scene: Scene, neighbour: Scene) -> None:
        await furnish(scene)
        job = await neighbour.submit()
        before = await exported(neighbour.store)
        with pytest.raises(StoreNotEmptyError, match="kind job") as caught:
            await moved(scene, neighbour)
        assert caught.value.found == ("job",)
        assert await exported(neighbour.store) == before or len(before) == 2
        assert [one.id for one in await neighbour.claim()] == [job]

    @pytest.mark.parametrize("fault", ["cut", "twice", "damaged", "missing"])
    async def test_a_fault_leaves_nothing_behind(self, scene: Scene, neighbour: Scene, fault: str) -> None:
        await furnish(scene)
        await scene.submit_many(1500)
        lines = await exported(scene.store)
        number, faulty = _spoilt(lines, fault)
        with pytest.raises(ExportFileError) as caught:
            await restore(neighbour.store, faulty, _silent)
        assert caught.value.line >= number
        assert str(caught.value).startswith(f"line {caught.value.line}: ")
        assert len(await exported(neighbour.store)) == 1
        await restore(neighbour.store, lines, _silent)
        assert len(await neighbour.claim(limit=MANY)) == 1500

    async def test_workers_stay_behind(self, scene: Scene, neighbour: Scene) -> None:
        await furnish(scene)
        await moved(scene, neighbour)
        assert await neighbour.store.insight.workers() == []


async def _each(pages: list[Page]) -> AsyncIterator[Page]:
    for page in pages:
        yield page


async def _check_slots(neighbour: Scene) -> Counter[str]:
    """Hold what the second store counts as used against its jobs; returns the latter."""
    holders, used = await neighbour.holders(), neighbour.harness.slots_used("two")
    assert used is None or {scope: number for scope, number in used.items() if number} == dict(holders)
    return holders


def _spoilt(lines: list[bytes], fault: str) -> tuple[int, Iterator[bytes]]:
    """Return where a fault is, and the lines with it."""
    job = next(place for place, line in enumerate(lines) if line.startswith(b'{"job"'))
    if fault == "cut":
        return len(lines), iter([*lines[:-1], lines[-1][:20]])
    if fault == "missing":
        return job, iter(lines[: job + 1200])
    if fault == "twice":
        return job, iter([*lines[:job], lines[job], *lines[job:-1]])
    return job + 1300, iter([*lines[: job + 1299], b'{"job": {"id": 7}}\n', *lines[job + 1300 :]])
