"""Operations on jobs, on both stores."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from rota.model.errors import JobNotFoundError
from rota.model.events import LogEntry
from rota.model.ids import new_id
from rota.model.job import JobFilter
from rota.model.outcome import Retried, Snooze, Succeeded
from rota.model.states import State
from rota.operations import jobs, views
from rota.testing.conformance.scene import BOOM, FAILED, LEASE, MINUTE, Scene, a_worker


async def reasons(scene: Scene, job: UUID) -> list[str]:
    """Return the codes of why a job is where it is."""
    return [reason.code for reason in (await jobs.why(scene.store, job)).reasons]


async def test_pages_lead_from_one_to_the_next(scene: Scene) -> None:
    stored = await scene.submit_many(5)
    pages, cursor = [], None
    while True:
        page = await jobs.page(scene.store, JobFilter(), limit=2, before=cursor)
        pages.append([job.id for job in page.jobs])
        cursor = page.next
        if cursor is None:
            break

    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(job for page in pages for job in page) == sorted(stored)


async def test_details_hold_the_result_and_the_history(scene: Scene) -> None:
    job = await scene.run()
    await scene.settle(job, Retried(timedelta(0), BOOM))
    await scene.settle(await scene.claim_one(), Succeeded(b'{"sent":true}'))

    details = await jobs.details(scene.store, job.id)

    assert [event.kind for event in details.events] == ["retry"]
    assert details.result is not None
    assert details.result.value == b'{"sent":true}'


async def test_an_unknown_job_is_named(scene: Scene) -> None:
    job = new_id()

    for ask in (jobs.details, jobs.why, jobs.logs):
        with pytest.raises(JobNotFoundError, match=str(job)):
            await ask(scene.store, job)


async def test_no_view_shows_the_token(scene: Scene) -> None:
    claimed = await scene.run(payload=b'{"to":"ada"}')

    view = views.job(await scene.job(claimed.id))

    assert str(claimed.token) not in str(view)
    assert view["arguments"] == {"to": "ada"}
    assert view["state"] == "running"


async def test_arguments_that_are_no_json_are_shown_as_base64(scene: Scene) -> None:
    job = await scene.submit(payload=b"\xff\x00", codec="raw")

    assert views.job(await scene.job(job))["arguments"] == "/wA="


class TestWhy:
    async def test_from_no_worker_to_running(self, scene: Scene) -> None:
        job = await scene.submit()
        assert await reasons(scene, job) == ["no_worker"]

        await scene.store.workers.register(a_worker("other"))
        assert await reasons(scene, job) == ["queue_unserved"]

        await scene.store.workers.register(a_worker(id=scene.owner))
        assert await reasons(scene, job) == ["next"]

        await scene.store.limits.pause_queue("default", "ada")
        assert await reasons(scene, job) == ["queue_paused"]

        await scene.store.limits.resume_queue("default")
        await scene.claim_one()
        assert await reasons(scene, job) == ["claimed"]

        scene.clock.advance(LEASE + timedelta(seconds=1))
        assert await reasons(scene, job) == ["lease_passed"]

    async def test_a_full_limit_names_its_holder(self, scene: Scene) -> None:
        await scene.store.workers.register(a_worker(id=scene.owner))
        first = await scene.run()
        assert await scene.acquire([first], 1) == [first.id]
        second = await scene.run()
        assert await scene.acquire([second], 1) == []

        explanation = await jobs.why(scene.store, second.id)

        assert [reason.code for reason in explanation.reasons] == ["limit"]
        assert explanation.reasons[0].data["holders"] == [first.id]

    async def test_a_retry_and_a_snooze_say_why(self, scene: Scene) -> None:
        await scene.store.workers.register(a_worker())
        job = await scene.finish(Retried(MINUTE, BOOM))
        assert await reasons(scene, job) == ["retry"]

        scene.clock.advance(MINUTE)
        await scene.store.jobs.promote(10)
        await scene.store.workers.register(a_worker())
        await scene.settle(await scene.claim_one(), Snooze(MINUTE, "too early"))
        explanation = await jobs.why(scene.store, job)
        assert explanation.reasons[0].code == "snoozed"
        assert "(too early)" in explanation.reasons[0].text

    async def test_it_waits_behind_lower_ranks_and_earlier_jobs(self, scene: Scene) -> None:
        await scene.store.workers.register(a_worker())
        await scene.submit(rank=5)
        job = await scene.submit(rank=5)
        await scene.submit(rank=1)
        await scene.submit(rank=9)

        explanation = await jobs.why(scene.store, job)

        assert explanation.reasons[0].data["ahead"] == 2
        assert explanation.reasons[0].data["lower_rank"] == 1


class TestCancelAndRetry:
    async def test_cancel_tells_what_became_of_each(self, scene: Scene) -> None:
        running = (await scene.run()).id
        waiting, done, unknown = await scene.submit(), await scene.finish(queue="b"), new_id()

        outcomes = await jobs.cancel(scene.store, [done, waiting, unknown, running])

        assert [(one.job, one.done) for one in outcomes] == [
            (done, ""),
            (waiting, "cancelled"),
            (unknown, ""),
            (running, "requested"),
        ]
        assert "cannot cancel a job that is succeeded" in outcomes[0].refused
        assert "no job" in outcomes[2].refused

    async def test_retry_tells_what_became_of_each(self, scene: Scene) -> None:
        failed = await scene.finish(FAILED)
        waiting = await scene.submit(queue="b")

        outcomes = await jobs.retry(scene.store, [failed, waiting])

        assert [one.done for one in outcomes] == ["retried", ""]
        assert "cannot redrive a job that is ready" in outcomes[1].refused
        assert await scene.state(failed) is State.READY

    async def test_a_taken_unique_key_is_named(self, scene: Scene) -> None:
        failed = await scene.finish(FAILED, unique_key="work:ada")
        await scene.submit(unique_key="work:ada")

        outcomes = await jobs.retry(scene.store, [failed])

        assert outcomes[0].refused == "another live job has its unique key 'work:ada'"


class TestLogs:
    async def test_follow_ends_with_the_job(self, scene: Scene) -> None:
        job = await scene.run()
        entries = [
            LogEntry(job.id, job.token, place, scene.clock.now(), "info", f"line {place}")
            for place in range(3)
        ]
        await scene.store.checkpoints.record(entries[:1], [])
        seen: list[str] = []

        async def read() -> None:
            async for line in jobs.follow(scene.store, job.id):
                seen.append(line.message)
                first.set()

        first = asyncio.Event()
        async with asyncio.timeout(20):
            reading = asyncio.create_task(read())
            await first.wait()
            await scene.store.checkpoints.record(entries[1:], [])
            await scene.settle(job)
            await reading

        assert seen == ["line 0", "line 1", "line 2"]
        assert [line.message for line in await jobs.logs(scene.store, job.id)] == seen


async def test_stats_count_and_group(scene: Scene) -> None:
    await scene.finish(FAILED)
    await scene.submit()

    stats = await jobs.stats(scene.store)

    assert {(one.state, one.count) for one in stats.counts} == {(State.FAILED, 1), (State.READY, 1)}
    assert [(one.kind, one.count) for one in stats.faults] == [("ValueError", 1)]
