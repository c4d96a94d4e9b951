"""Submit inside the transaction of a user's own connection."""

import asyncio
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

import pytest

from rota.model.errors import CapabilityError, WrongConnectionError
from rota.model.states import State
from rota.testing.conformance.scene import HOUR, Scene, a_job, needs

__all__ = ["TestSubmitOn", "TestSubmitOnAsync"]


def connection_of(scene: Scene) -> AbstractContextManager[Any]:
    """Return a user's own connection, or skip the test where there is none."""
    needs(scene.store, "transactional_enqueue")
    connection = scene.harness.connect()
    if connection is None:
        pytest.skip("the harness gives no connection")
    return connection


def async_connection_of(scene: Scene) -> AbstractAsyncContextManager[Any]:
    """Return a user's own asynchronous connection, or skip the test where there is none."""
    needs(scene.store, "transactional_enqueue")
    connection = scene.harness.connect_async()
    if connection is None:
        pytest.skip("the harness gives no asynchronous connection")
    return connection


class TestSubmitOn:
    async def test_the_job_is_there_with_the_commit(self, scene: Scene) -> None:
        submission = a_job(delay=HOUR, tags={"a": "b"})
        with connection_of(scene) as connection:
            (submitted,) = scene.store.submit_on(connection, [submission])
            assert (submitted.id, submitted.created) == (submission.id, True)
            assert await scene.store.insight.job(submission.id) is None
            connection.commit()
        record = await scene.job(submission.id)
        assert (record.state, record.run_at) == (State.SCHEDULED, scene.clock.now() + HOUR)

    async def test_a_rollback_takes_it_back(self, scene: Scene) -> None:
        submissions = [a_job(unique_key="ada", unique_for=HOUR), a_job()]
        with connection_of(scene) as connection:
            scene.store.submit_on(connection, submissions)
            connection.rollback()
        assert await scene.store.insight.counts() == []
        await scene.submit(unique_key="ada", unique_for=HOUR)

    async def test_several_submits_in_one_transaction(self, scene: Scene) -> None:
        with connection_of(scene) as connection:
            for _ in range(3):
                assert all(one.created for one in scene.store.submit_on(connection, [a_job(), a_job()]))
            connection.commit()
        assert len(await scene.claim()) == 6

    async def test_it_sees_unique_keys(self, scene: Scene) -> None:
        job = await scene.submit(unique_key="ada")
        with connection_of(scene) as connection:
            (submitted,) = scene.store.submit_on(connection, [a_job(unique_key="ada")])
            connection.commit()
        assert (submitted.id, submitted.created) == (job, False)

    @pytest.mark.parametrize(
        "connection", [None, object(), "postgresql://", 5], ids=lambda one: type(one).__name__
    )
    async def test_what_is_no_connection_is_refused(self, scene: Scene, connection: object) -> None:
        wrong = WrongConnectionError if scene.store.capabilities.transactional_enqueue else CapabilityError
        with pytest.raises(wrong):
            scene.store.submit_on(connection, [a_job()])
        with pytest.raises(wrong):
            await scene.store.submit_on_async(connection, [a_job()])
        assert await scene.store.insight.counts() == []

    async def test_an_asynchronous_connection_is_refused(self, scene: Scene) -> None:
        async with async_connection_of(scene) as connection:
            with pytest.raises(WrongConnectionError):
                scene.store.submit_on(connection, [a_job()])

    async def test_from_another_thread(self, scene: Scene) -> None:
        def submit() -> None:
            with connection_of(scene) as connection:
                scene.store.submit_on(connection, [a_job()])
                connection.commit()

        await asyncio.to_thread(submit)
        assert len(await scene.claim()) == 1


class TestSubmitOnAsync:
    async def test_the_job_is_there_with_the_commit(self, scene: Scene) -> None:
        submission = a_job()
        async with async_connection_of(scene) as connection:
            (submitted,) = await scene.store.submit_on_async(connection, [submission])
            assert (submitted.id, submitted.created) == (submission.id, True)
            assert await scene.store.insight.job(submission.id) is None
            await connection.commit()
        assert await scene.state(submission.id) is State.READY

    async def test_a_rollback_takes_it_back(self, scene: Scene) -> None:
        async with async_connection_of(scene) as connection:
            await scene.store.submit_on_async(connection, [a_job(), a_job()])
            await connection.rollback()
        assert await scene.store.insight.counts() == []
