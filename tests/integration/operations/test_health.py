"""Health and checks, on both stores."""

from datetime import timedelta

import pytest

from rota.definitions.registry import Registry
from rota.definitions.task import Task
from rota.model.errors import StoreUnavailableError
from rota.model.job import JobFilter
from rota.model.schedule import ScheduleChange
from rota.operations import checks
from rota.operations.health import Check, health, reachable
from rota.ports.store import SchemaState, Store
from rota.testing.clock import FakeClock
from rota.testing.conformance.scene import LEASE, START, Scene, a_worker
from tests.integration.operations.conftest import Stores
from tests.integration.operations.test_others import a_schedule


def levels(found: list[Check]) -> dict[str, str]:
    return {check.name: check.level for check in found}


async def ask(store: Store, *, host: str = "here", **demands: bool) -> list[Check]:
    """Ask for the health of a store that is not open, as a command does."""
    try:
        return await health(store, host=host, **demands)
    finally:
        await store.close()


def a_registry(*tasks: str) -> Registry:
    registry = Registry()
    for name in tasks:
        registry.add(Task(registry, lambda: None, name=name, aliases=[f"old_{name}"]))
    return registry


class TestHealth:
    async def test_looking_makes_no_store(self, stores: Stores) -> None:
        for _ in range(2):
            found = await ask(stores.store(None))
            assert levels(found) == {"store": "ok", "schema": "fault"}

    async def test_no_worker_is_a_fault_only_where_one_is_demanded(
        self, scene: Scene, stores: Stores
    ) -> None:
        found = await ask(stores.store(scene.clock))
        assert levels(found) == {"store": "ok", "schema": "ok", "workers": "warning", "schedules": "ok"}

        found = await ask(stores.store(scene.clock), worker=True)
        assert levels(found)["workers"] == "fault"

    async def test_a_worker_of_this_machine_that_fell_silent(self, scene: Scene, stores: Stores) -> None:
        await scene.store.workers.register(a_worker())
        found = await ask(stores.store(scene.clock), worker=True)
        assert levels(found)["workers"] == "ok"

        scene.clock.advance(LEASE + timedelta(minutes=1))
        assert levels(await ask(stores.store(scene.clock)))["workers"] == "fault"
        assert levels(await ask(stores.store(scene.clock), host="elsewhere"))["workers"] == "warning"

    async def test_schedules_that_nobody_fires(self, scene: Scene, stores: Stores) -> None:
        await scene.store.schedules.put([ScheduleChange(new=a_schedule(next_at=START))])
        assert levels(await ask(stores.store(scene.clock)))["schedules"] == "ok"

        scene.clock.advance(timedelta(minutes=2))
        assert levels(await ask(stores.store(scene.clock)))["schedules"] == "warning"
        found = await ask(stores.store(scene.clock), scheduler=True)
        assert levels(found)["schedules"] == "fault"

    async def test_a_store_that_is_away_is_a_fault_in_words(self) -> None:
        class Away:
            name = "away"

            async def schema(self) -> SchemaState:
                raise StoreUnavailableError("nobody answers")

        away: Store = Away()  # type: ignore[assignment]  # all that is asked of it
        assert [(one.level, one.text) for one in await reachable(away)] == [("fault", "nobody answers")]


class TestChecks:
    async def test_jobs_and_schedules_of_unknown_tasks(self, scene: Scene) -> None:
        await scene.submit(task="send")
        await scene.submit(task="old_send")
        await scene.submit_many(2, task="sned")
        await scene.store.schedules.put([ScheduleChange(new=a_schedule(task="gone"))])
        await scene.finish(task="long_gone", queue="b")

        found = await checks.undeliverable(scene.store, a_registry("send"))

        assert [one.level for one in found] == ["fault", "fault"]
        assert "2 jobs of task 'sned', which no app here knows" in found[0].text
        assert "schedule 'ping' runs task 'gone'" in found[1].text

    async def test_a_task_that_only_a_worker_knows_is_known(self, scene: Scene) -> None:
        await scene.submit(task="work")
        await scene.store.workers.register(a_worker())

        assert levels(await checks.undeliverable(scene.store, a_registry())) == {"jobs": "ok"}

    async def test_without_an_app_or_a_worker_nothing_is_known_to_be_wrong(self, scene: Scene) -> None:
        await scene.submit(task="send")

        assert levels(await checks.undeliverable(scene.store, None)) == {"jobs": "ok"}

    async def test_a_queue_that_no_worker_serves_is_worth_a_look(self, scene: Scene) -> None:
        await scene.submit(queue="lost")
        await scene.store.workers.register(a_worker())

        found = await checks.undeliverable(scene.store, None)

        assert [(one.level, "'lost'" in one.text) for one in found] == [("warning", True)]

    async def test_a_round_trip_leaves_nothing_live(self, scene: Scene) -> None:
        assert (await checks.round_trip(scene.store)).level == "ok"

        left = await scene.store.insight.jobs(JobFilter(), limit=10)
        assert [(one.task, one.finished_at is not None) for one in left] == [(checks.TRIAL_TASK, True)]

    async def test_workers(self, scene: Scene) -> None:
        assert (await checks.live_workers(scene.store)).level == "fault"

        await scene.store.workers.register(a_worker("mail", "bulk"))
        assert (await checks.live_workers(scene.store)).text == "1 worker running, serving: bulk, mail"

    @pytest.mark.parametrize(
        ("away", "level"),
        [(timedelta(0), "ok"), (timedelta(seconds=0.9), "ok"), (timedelta(seconds=90), "fault")],
    )
    @pytest.mark.parametrize("ahead", [True, False])
    async def test_clocks(self, scene: Scene, away: timedelta, level: str, ahead: bool) -> None:
        ours = FakeClock(START + away if ahead else START - away)

        assert (await checks.clock_skew(scene.store, ours)).level == level
