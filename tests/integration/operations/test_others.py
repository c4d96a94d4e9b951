"""Operations on queues, workers and schedules, on both stores."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rota.model.errors import NotFoundError
from rota.model.ids import new_id
from rota.model.schedule import ScheduleRecord
from rota.model.states import State
from rota.operations import queues, schedules, views, workers
from rota.testing.conformance.scene import MINUTE, START, Scene, a_worker
from rota.triggers.cron import cron
from rota.triggers.interval import every


def a_schedule(**fields: Any) -> ScheduleRecord:
    """Return a schedule that runs task "work" every five minutes."""
    plain: dict[str, Any] = {
        "id": "ping",
        "task": "work",
        "queue": "default",
        "executor": "async",
        "trigger": every(minutes=5).to_json(),
        "payload": b'{"to":"ada"}',
        "options": {},
        "source": "code",
    }
    return ScheduleRecord(**plain | fields)


class TestQueues:
    async def test_a_queue_that_only_a_worker_serves_is_listed(self, scene: Scene) -> None:
        await scene.submit(queue="mail")
        await scene.store.workers.register(a_worker("idle"))

        assert [(one.name, one.ready) for one in await queues.list_queues(scene.store)] == [
            ("idle", 0),
            ("mail", 1),
        ]

    async def test_pause_and_resume_say_whether_they_changed_it(self, scene: Scene) -> None:
        await scene.submit(queue="mail")

        assert [await queues.pause(scene.store, "mail", "ada") for _ in range(2)] == [True, False]
        assert [await queues.resume(scene.store, "mail") for _ in range(2)] == [True, False]

    async def test_a_mistyped_name_is_refused_with_a_hint(self, scene: Scene) -> None:
        await scene.submit(queue="mail")

        with pytest.raises(NotFoundError, match=r"no queue 'mial'\. Did you mean 'mail'\?"):
            await queues.pause(scene.store, "mial", "ada")
        assert await queues.pause(scene.store, "new", "ada", known=["new"])


class TestWorkers:
    async def test_drain(self, scene: Scene) -> None:
        worker = a_worker()
        await scene.store.workers.register(worker)

        await workers.drain(scene.store, worker.id)

        assert [one.draining for one in await workers.list_workers(scene.store)] == [True]
        with pytest.raises(NotFoundError, match="no worker"):
            await workers.drain(scene.store, new_id())


class TestSchedules:
    async def test_declare_is_idempotent_and_says_what_changed(self, scene: Scene) -> None:
        changed = a_schedule(queue="bulk", trigger=every(minutes=7).to_json())

        answers = [await schedules.declare(scene.store, one) for one in (a_schedule(), a_schedule(), changed)]

        assert answers == ["created", "unchanged", "changed: queue, trigger"]
        assert (await schedules.get(scene.store, "ping")).version == 2

    async def test_by_id_by_task_and_not_when_the_task_has_two(self, scene: Scene) -> None:
        await schedules.declare(scene.store, a_schedule())
        assert (await schedules.get(scene.store, "work")).id == "ping"

        await schedules.declare(scene.store, a_schedule(id="pong"))
        with pytest.raises(NotFoundError, match="Task 'work' has several: ping, pong"):
            await schedules.get(scene.store, "work")
        with pytest.raises(NotFoundError, match="Did you mean 'pong'"):
            await schedules.get(scene.store, "pnog")

    async def test_force_runs_it_and_leaves_its_ticks_alone(self, scene: Scene) -> None:
        await schedules.declare(scene.store, a_schedule(options={"rank": 3, "key": "ada"}))
        before = await schedules.get(scene.store, "ping")

        submitted = await schedules.force(scene.store, "work")

        job = await scene.job(submitted.id)
        assert (job.state, job.schedule, job.due, job.rank, job.key) == (State.READY, "ping", None, 3, "ada")
        assert await schedules.get(scene.store, "ping") == before

    async def test_a_schedule_of_the_code_can_be_forced_before_a_scheduler_stored_it(
        self, scene: Scene
    ) -> None:
        submitted = await schedules.force(scene.store, "ping", [a_schedule()])

        assert (await scene.job(submitted.id)).schedule == "ping"
        assert await scene.store.schedules.list() == []

    async def test_pause_and_resume_keep_the_phase(self, scene: Scene) -> None:
        await schedules.declare(scene.store, a_schedule(trigger=cron("*/5 * * * *").to_json()))

        assert await schedules.pause(scene.store, "ping", by="ada", why="broken")
        assert not await schedules.pause(scene.store, "ping", by="bob")
        paused = await schedules.get(scene.store, "ping")
        assert (paused.paused_by, paused.paused_why) == ("ada", "broken")

        scene.clock.advance(timedelta(minutes=12))
        assert await schedules.resume(scene.store, "ping")
        assert (await schedules.get(scene.store, "ping")).next_at == START + timedelta(minutes=15)

    async def test_the_next_due_comes_first(self, scene: Scene) -> None:
        await schedules.declare(scene.store, a_schedule(id="late", trigger=every(hours=5).to_json()))
        await schedules.declare(scene.store, a_schedule(id="soon"))

        assert [one.id for one in await schedules.list_schedules(scene.store)] == ["soon", "late"]

    async def test_a_removed_one_is_gone(self, scene: Scene) -> None:
        await schedules.declare(scene.store, a_schedule())

        assert [await schedules.remove(scene.store, "ping") for _ in range(2)] == [True, False]


def test_preview_computes_moments_in_the_zone_of_the_trigger() -> None:
    nightly = a_schedule(trigger=cron("0 1 * * *", tz="Europe/Amsterdam").to_json())

    # The clocks of Amsterdam turn in the night to March 29th.
    assert schedules.preview(nightly, datetime(2026, 3, 27, 12, tzinfo=UTC), 3) == [
        datetime(2026, 3, 28, 0, tzinfo=UTC),
        datetime(2026, 3, 29, 0, tzinfo=UTC),
        datetime(2026, 3, 29, 23, tzinfo=UTC),
    ]


def test_a_schedule_is_shown_with_its_trigger_in_words_and_its_arguments() -> None:
    view = views.schedule(a_schedule(next_at=START + MINUTE))

    assert view["arguments"] == {"to": "ada"}
    assert view["trigger"]["kind"] == "every"
    assert view["trigger_text"] == str(every(minutes=5))
    assert "payload" not in view
