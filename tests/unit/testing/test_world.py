"""A world whose time passes from due moment to due moment."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from rota import Retry, Rota, cron, every
from rota.model.outcome import Retried, Succeeded
from rota.testing import World, world

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def app() -> Rota:
    return Rota("sqlite:////nowhere/rota.db")


def moments(time_: World) -> list[datetime]:
    return [due for ran in time_.ran if (due := ran.job.record().due) is not None]


def test_a_year_of_a_daily_schedule_passes_in_seconds(app: Rota) -> None:
    @app.schedule(cron("0 1 * * *", tz="Europe/Amsterdam"), id="nightly")
    async def nightly() -> None: ...

    began = time.perf_counter()
    with world(app, START) as year:
        year.advance(days=365)
        dues = moments(year)
        assert year.clock.now() == START + timedelta(days=365)
    assert len(dues) == 365
    # An hour earlier by UTC from the last Sunday of March on, later again in October.
    assert {due.hour for due in dues} == {0, 23}
    assert time.perf_counter() - began < 30


def test_every_moment_is_on_time_and_so_is_what_the_jobs_put_off(app: Rota) -> None:
    seen: list[datetime] = []

    with world(app, START) as day:

        @app.task(retry=Retry(1, delay=90, jitter=0))
        def flaky() -> None:
            seen.append(day.clock.now())
            if len(seen) == 1:
                raise ValueError

        @app.task
        async def later() -> None:
            seen.append(day.clock.now())

        flaky.enqueue()
        later.options(delay=timedelta(hours=1)).enqueue()
        ran = day.advance(hours=2, raise_errors=False)
    assert seen == [START, START + timedelta(seconds=90), START + timedelta(hours=1)]
    assert [type(one.outcome) for one in ran] == [Retried, Succeeded, Succeeded]


def test_a_stretch_without_moments_passes_at_once(app: Rota) -> None:
    with world(app, START) as age:
        assert age.advance(weeks=52) == []
        assert age.clock.now() == START + timedelta(weeks=52)


def test_stretches_join_without_a_gap(app: Rota) -> None:
    @app.schedule(every(minutes=7, anchor=START), id="ping")
    def ping() -> None: ...

    with world(app, START) as hours:
        for _ in range(6):
            hours.advance(minutes=20)
        assert moments(hours) == [START + timedelta(minutes=7 * number) for number in range(1, 18)]


def test_time_does_not_go_back(app: Rota) -> None:
    with world(app, START) as past, pytest.raises(ValueError, match="is past"):
        past.advance_to(START - timedelta(days=1))
