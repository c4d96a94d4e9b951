"""Unique keys: over live jobs, and within a window of time."""

import asyncio
from datetime import timedelta

import pytest

from rota.model.outcome import Cancelled, Handed, Outcome, Retried, Snooze, Suspended
from rota.testing.conformance.scene import BOOM, DONE, FAILED, HOUR, SECOND, START, Scene, a_job

__all__ = ["TestUnique", "TestUniqueWindow"]


async def is_taken(scene: Scene, key: str = "ada", **fields: timedelta) -> bool:
    """Try to submit a job with this key; a job that was made by that is cancelled again."""
    (submitted,) = await scene.store.jobs.submit([a_job(unique_key=key, **fields)])
    if submitted.created:
        await scene.cancel(submitted.id)
    return not submitted.created


class TestUnique:
    async def test_a_second_job_is_not_made_and_the_first_is_named(self, scene: Scene) -> None:
        job = await scene.submit(unique_key="ada")
        before = await scene.job(job)
        (second,) = await scene.store.jobs.submit([a_job(unique_key="ada", rank=5)])
        assert (second.id, second.created) == (job, False)
        assert await scene.job(job) == before
        assert len(await scene.claim()) == 1

    async def test_other_keys_and_none_are_free(self, scene: Scene) -> None:
        await scene.submit(unique_key="ada")
        await scene.submit(unique_key="bob")
        await scene.submit(unique_key="Ada")
        await scene.submit_many(2)

    async def test_twice_in_one_call_is_one_job(self, scene: Scene) -> None:
        first, second = await scene.store.jobs.submit([a_job(unique_key="ada"), a_job(unique_key="ada")])
        assert (first.created, second.created) == (True, False)
        assert first.id == second.id

    async def test_a_scheduled_job_takes_its_key(self, scene: Scene) -> None:
        await scene.submit(unique_key="ada", delay=HOUR)
        assert await is_taken(scene)

    async def test_a_running_job_takes_its_key(self, scene: Scene) -> None:
        await scene.run(unique_key="ada")
        assert await is_taken(scene)

    @pytest.mark.parametrize(
        "outcome",
        [
            Retried(HOUR, BOOM),
            Retried(timedelta(0), BOOM),
            Snooze(HOUR),
            Suspended(wake_key="door"),
            Handed("external", START + HOUR),
        ],
        ids=lambda outcome: type(outcome).__name__,
    )
    async def test_an_attempt_that_is_not_the_last_keeps_it(self, scene: Scene, outcome: Outcome) -> None:
        await scene.finish(outcome, unique_key="ada")
        assert await is_taken(scene)

    @pytest.mark.parametrize("outcome", [DONE, FAILED, Cancelled()], ids=lambda one: type(one).__name__)
    async def test_a_finished_job_frees_it(self, scene: Scene, outcome: Outcome) -> None:
        await scene.finish(outcome, unique_key="ada")
        assert not await is_taken(scene)

    async def test_a_cancelled_job_frees_it(self, scene: Scene) -> None:
        await scene.cancel(await scene.submit(unique_key="ada"))
        assert not await is_taken(scene)

    async def test_an_expired_job_frees_it(self, scene: Scene) -> None:
        await scene.submit(unique_key="ada", expires_in=SECOND)
        scene.clock.advance(2)
        await scene.store.jobs.promote(100)
        assert not await is_taken(scene)

    async def test_many_submit_at_once_and_one_job_is_made(self, scene: Scene, crowd: list[Scene]) -> None:
        for key in "abcde":
            submissions = [(one, a_job(unique_key=key)) for one in crowd for _ in range(5)]
            answers = await asyncio.gather(*(one.store.jobs.submit([job]) for one, job in submissions))
            (made,) = [answer.id for (answer,) in answers if answer.created]
            assert {answer.id for (answer,) in answers} == {made}
        assert len(await scene.claim()) == 5

    async def test_groups_with_keys_in_other_orders_do_not_block_each_other(self, crowd: list[Scene]) -> None:
        keys = [str(key) for key in range(20)]

        async def submit(one: Scene, order: list[str]) -> int:
            submitted = await one.store.jobs.submit([a_job(unique_key=key, unique_for=HOUR) for key in order])
            return sum(answer.created for answer in submitted)

        made = await asyncio.gather(
            *(submit(one, keys if place % 2 else keys[::-1]) for place, one in enumerate(crowd * 3))
        )
        assert sum(made) == len(keys)


class TestUniqueWindow:
    async def test_the_key_stays_taken_after_the_job_finished(self, scene: Scene) -> None:
        job = await scene.finish(unique_key="ada", unique_for=HOUR)
        scene.clock.advance(HOUR - SECOND)
        (second,) = await scene.store.jobs.submit([a_job(unique_key="ada", unique_for=HOUR)])
        assert (second.id, second.created) == (job, False)

    async def test_the_window_counts_from_the_submit_and_ends(self, scene: Scene) -> None:
        await scene.finish(unique_key="ada", unique_for=HOUR)
        scene.clock.advance(HOUR)
        assert not await is_taken(scene, unique_for=HOUR)

    async def test_a_refused_submit_does_not_make_the_window_longer(self, scene: Scene) -> None:
        await scene.finish(unique_key="ada", unique_for=HOUR)
        scene.clock.advance(HOUR / 2)
        assert await is_taken(scene, unique_for=HOUR)
        scene.clock.advance(HOUR / 2)
        assert not await is_taken(scene, unique_for=HOUR)

    async def test_a_new_job_opens_a_new_window(self, scene: Scene) -> None:
        await scene.finish(unique_key="ada", unique_for=HOUR)
        scene.clock.advance(HOUR)
        second = await scene.finish(unique_key="ada", unique_for=HOUR)
        scene.clock.advance(HOUR - SECOND)
        (third,) = await scene.store.jobs.submit([a_job(unique_key="ada", unique_for=HOUR)])
        assert (third.id, third.created) == (second, False)

    async def test_a_live_job_takes_its_key_longer_than_the_window(self, scene: Scene) -> None:
        job = await scene.submit(unique_key="ada", unique_for=SECOND)
        scene.clock.advance(HOUR)
        (second,) = await scene.store.jobs.submit([a_job(unique_key="ada", unique_for=SECOND)])
        assert (second.id, second.created) == (job, False)

    async def test_a_live_job_without_a_window_is_seen_too(self, scene: Scene) -> None:
        await scene.submit(unique_key="ada")
        assert await is_taken(scene, unique_for=HOUR)

    async def test_a_submit_refused_by_a_live_job_opens_no_window(self, scene: Scene) -> None:
        job = await scene.submit(unique_key="ada")
        assert await is_taken(scene, unique_for=HOUR)
        await scene.cancel(job)
        assert not await is_taken(scene, unique_for=HOUR)

    async def test_twice_in_one_call_is_one_job(self, scene: Scene) -> None:
        pair = [a_job(unique_key="ada", unique_for=HOUR) for _ in range(2)]
        first, second = await scene.store.jobs.submit(pair)
        assert (first.created, second.created) == (True, False)
        assert first.id == second.id

    async def test_many_submit_at_once_and_one_job_is_made(self, scene: Scene, crowd: list[Scene]) -> None:
        await scene.finish(unique_key="ada", unique_for=HOUR)
        scene.clock.advance(HOUR)
        answers = await asyncio.gather(
            *(one.store.jobs.submit([a_job(unique_key="ada", unique_for=HOUR)]) for one in crowd * 4)
        )
        (made,) = [answer.id for (answer,) in answers if answer.created]
        assert {answer.id for (answer,) in answers} == {made}
        assert len(await scene.claim()) == 1
