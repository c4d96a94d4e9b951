"""An app on a private store, with a clock that stands still."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rota.app.rota import Rota
from rota.testing import FakeClock, drain, enqueued, isolated
from rota.testing.isolation import START
from rota.triggers.interval import every


@pytest.fixture
def app(tmp_path: Path) -> Rota:
    return Rota(f"sqlite:///{tmp_path}/rota.db")


def test_what_happens_inside_stays_inside(app: Rota, tmp_path: Path) -> None:
    @app.task
    def work() -> None: ...

    with isolated(app):
        work.enqueue()
        drain(app)

    assert list(tmp_path.iterdir()) == []


def test_each_begins_empty(app: Rota) -> None:
    @app.task
    def work() -> None: ...

    for _ in range(2):
        with isolated(app):
            assert enqueued(app) == []
            work.enqueue()


def test_one_may_stand_inside_another(app: Rota) -> None:
    @app.task
    def work() -> None: ...

    with isolated(app) as outer:
        work.enqueue()
        with isolated(app) as inner:
            assert enqueued(app) == []
            inner.advance(hours=1)
        assert len(enqueued(app)) == 1
        assert outer.now() == START


def test_a_clock_may_be_given(app: Rota) -> None:
    clock = FakeClock(datetime(2000, 1, 1, tzinfo=UTC))

    @app.task
    def work() -> None: ...

    with isolated(app, clock=clock) as given:
        assert given is clock
        assert work.enqueue().record().submitted_at == clock.now()


def test_a_store_may_be_given_and_keeps_what_is_in_it(app: Rota, tmp_path: Path) -> None:
    @app.task
    def work() -> None: ...

    url = f"sqlite:///{tmp_path}/other.db"
    for count in (1, 2):
        with isolated(app, url=url):
            work.enqueue()
            assert len(enqueued(app)) == count


def test_schedules_of_the_code_are_there_from_the_beginning(app: Rota) -> None:
    @app.schedule(every(hours=1), id="hourly")
    def hourly() -> None: ...

    with isolated(app):
        assert [schedule.id for schedule in app.schedules.list()] == ["hourly"]


def test_a_handle_outlives_its_store_only_as_a_name(app: Rota) -> None:
    @app.task
    def work() -> None: ...

    with isolated(app):
        job = work.enqueue()

    assert str(job.id) in repr(job)


async def test_it_may_begin_inside_a_running_loop(app: Rota) -> None:
    @app.task
    async def work() -> None: ...

    with isolated(app):
        job = await work.enqueue_async()
        assert await job.status_async() == "ready"
