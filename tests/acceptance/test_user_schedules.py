"""Schedules in a user's hands, and which verbs belong into which thread, on both stores."""

import asyncio
from collections.abc import Callable

import pytest

from rota import (
    Rota,
    State,
    SubmitUncertainError,
    every,
)
from rota.app.task import AppTask
from rota.model.errors import NotFoundError, WrongThreadError
from rota.testing import FakeClock, drain, enqueued_async

Send = AppTask[[str, str], str]


@pytest.fixture
def send(app: Rota) -> Send:
    @app.task(queue="mail")
    async def send(to: str, subject: str) -> str:
        return f"{subject} to {to}"

    return send


class TestSchedules:
    def test_adding_is_idempotent_by_id(self, app: Rota, send: Send) -> None:
        def add(minutes: int, subject: str = "ping") -> str:
            return app.schedules.add(send, every(minutes=minutes), id="ping", args=("ops", subject))

        assert [add(5), add(5), add(10)] == ["created", "unchanged", "changed: trigger"]
        assert add(10, "pong") == "changed: payload"
        (schedule,) = app.schedules.list()
        assert (schedule.id, schedule.task, schedule.queue) == ("ping", "send", "mail")

    def test_it_ticks_is_forced_and_goes(self, app: Rota, clock: FakeClock, send: Send) -> None:
        app.schedules.add(send, every(minutes=5), id="ping", args=("ops", "ping"))

        clock.advance(minutes=5)
        assert [ran.job.record().schedule for ran in drain(app)] == ["ping"]
        forced = app.schedules.force("ping")
        drain(app)
        assert forced.result() == "ping to ops"
        assert app.schedules.force("send") != forced
        assert app.schedules.remove("ping")
        assert not app.schedules.remove("ping")
        clock.advance(minutes=5)
        assert {ran.job.record().due for ran in drain(app)} == {None}

    async def test_each_verb_has_a_twin(self, app: Rota, send: Send) -> None:
        added = await app.schedules.add_async(send, every(minutes=5), id="ping", args=("ops", "ping"))

        assert added == "created"
        assert [schedule.id for schedule in await app.schedules.list_async()] == ["ping"]
        assert (await (await app.schedules.force_async("ping")).record_async()).task == "send"
        assert await app.schedules.remove_async("ping")

    def test_an_unknown_one_is_refused_with_the_ids_there_are(self, app: Rota, send: Send) -> None:
        for id in ("ping", "pong"):
            app.schedules.add(send, every(minutes=5), id=id, args=("ops", id))

        with pytest.raises(NotFoundError, match=r"no schedule 'pingg'.*Did you mean 'ping'"):
            app.schedules.force("pingg")
        with pytest.raises(NotFoundError, match="Task 'send' has several: ping, pong"):
            app.schedules.force("send")


class TestThreads:
    async def test_a_sync_verb_in_a_running_loop_names_its_twin(self, app: Rota, send: Send) -> None:
        job = await send.enqueue_async("ada", "Hi")
        verbs: dict[str, Callable[[], object]] = {
            "enqueue": lambda: send.enqueue("ada", "Hi"),
            "status": job.status,
            "result": job.result,
            "record": job.record,
            "logs": job.logs,
            "cancel": job.cancel,
            "retry": job.retry,
            "add": lambda: app.schedules.add(send, every(minutes=5), id="ping", args=("ops", "ping")),
            "list": app.schedules.list,
            "force": lambda: app.schedules.force("ping"),
            "remove": lambda: app.schedules.remove("ping"),
            "enqueue_many": lambda: send.enqueue_many([("ada", "Hi")]),
            "resend": lambda: app.resend(SubmitUncertainError([], "lost")),
        }

        for name, verb in verbs.items():
            with pytest.raises(WrongThreadError, match=f"await {name}_async"):
                verb()
        assert len(await enqueued_async(app)) == 1

    async def test_a_thread_of_ones_own_may(self, send: Send) -> None:
        job = await asyncio.to_thread(send.enqueue, "ada", "Hi")

        assert await asyncio.to_thread(job.status) is State.READY

    async def test_async_verbs_work_in_any_loop(self, send: Send) -> None:
        job = await send.enqueue_async("ada", "Hi")

        def elsewhere() -> State:
            return asyncio.run(job.status_async())

        assert await asyncio.to_thread(elsewhere) is State.READY
