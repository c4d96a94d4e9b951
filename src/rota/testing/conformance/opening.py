"""Opening a store, and what it says of itself."""

import asyncio
from datetime import timedelta

from rota.model.clock import SystemClock
from rota.model.ids import new_id
from rota.model.states import State
from rota.ports.store import Store
from rota.testing.clock import FakeClock
from rota.testing.conformance.harness import Harness
from rota.testing.conformance.scene import DONE, SECOND, START, Scene

__all__ = ["TestCapabilities", "TestOpen", "TestOwnClock"]


class TestOpen:
    async def test_a_new_store_has_the_schema_that_the_code_wants(self, store: Store) -> None:
        state = await store.schema()
        assert state.version == state.wanted >= state.oldest >= 1
        assert state.pending == ()
        assert state.store_id

    async def test_an_upgrade_with_nothing_to_do(self, store: Store) -> None:
        before = await store.schema()
        assert await store.upgrade() == ()
        assert await store.upgrade(post=True) == ()
        assert await store.schema() == before

    async def test_everything_is_there_after_closing_and_opening(
        self, harness: Harness, clock: FakeClock
    ) -> None:
        first = harness.store(clock)
        await first.open()
        scene = Scene(harness, first, clock)
        job, running = await scene.submit(rank=9), await scene.run()
        ids = (await first.schema()).store_id
        await first.close()
        second = harness.store(clock)
        await second.open()
        scene = Scene(harness, second, clock)
        assert await scene.settle(running)
        assert await scene.states([job, running.id]) == [State.READY, State.SUCCEEDED]
        assert (await second.schema()).store_id == ids
        await second.close()

    async def test_several_processes_open_a_new_store_at_once(
        self, harness: Harness, clock: FakeClock
    ) -> None:
        stores = [harness.store(clock, "fresh") for _ in range(4)]
        await asyncio.gather(*(store.open() for store in stores))
        states = [await store.schema() for store in stores]
        assert all(state == states[0] for state in states)
        await asyncio.gather(*(Scene(harness, store, clock).submit() for store in stores))
        assert len(await Scene(harness, stores[0], clock).claim()) == 4
        for store in stores:
            await store.close()

    async def test_several_upgrades_at_once(self, crowd: list[Scene]) -> None:
        assert await asyncio.gather(*(one.store.upgrade() for one in crowd)) == [()] * len(crowd)

    async def test_closing_twice_is_no_error(self, harness: Harness, clock: FakeClock) -> None:
        store = harness.store(clock)
        await store.open()
        await store.close()
        await store.close()


class TestOwnClock:
    async def test_without_a_given_clock_the_stores_own_decides(self, harness: Harness) -> None:
        store = harness.store(None)
        await store.open()
        assert abs(await store.insight.now() - SystemClock().now()) < timedelta(seconds=30)
        scene = Scene(harness, store, FakeClock(START))
        later = await scene.submit(delay=timedelta(hours=1))
        await scene.submit()
        claimed = await scene.claim_one()
        assert await scene.settle(claimed, DONE, duration=0.5)
        record = await scene.job(claimed.id)
        assert record.finished_at is not None
        assert record.submitted_at <= record.finished_at
        assert record.started_at == record.finished_at - SECOND / 2
        promoted = await store.jobs.promote(10)
        assert promoted.ready == 0
        assert promoted.wait is not None
        assert timedelta(minutes=50) < promoted.wait <= timedelta(hours=1)
        assert await scene.state(later) is State.SCHEDULED
        await store.close()

    async def test_all_moments_of_one_call_are_one(self, harness: Harness) -> None:
        store = harness.store(None)
        await store.open()
        scene = Scene(harness, store, FakeClock(START))
        jobs = await scene.submit_many(20)
        assert len({(await scene.job(job)).submitted_at for job in jobs}) == 1
        await scene.claim()
        assert len({(await scene.job(job)).claimed_at for job in jobs}) == 1
        await store.close()


class TestCapabilities:
    async def test_what_it_declares_is_whole(self, store: Store) -> None:
        assert store.capabilities.group >= 1
        assert store.name

    async def test_unknown_things_are_no_error(self, store: Store) -> None:
        unknown = new_id()
        assert await store.insight.job(unknown) is None
        assert await store.jobs.resume([unknown]) == 0
        assert await store.insight.results([]) == {}
