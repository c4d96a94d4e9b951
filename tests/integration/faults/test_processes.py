"""A worker that is stopped for longer than its lease; a transaction that stays open."""

import signal
from pathlib import Path

import psycopg
import pytest

from rota.model.states import State
from tests.integration.faults.life import Feed, Process, make_app, until

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]

SHORT = {"lease": "2", "extend_every": "0.5"}


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_who_sleeps_beyond_the_lease_loses_the_job(
    store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/rota.db"
    if store == "postgres":
        url = request.getfixturevalue("postgres_url")
    app = make_app(tmp_path, url)
    feed = Feed(tmp_path, app)
    with Process(tmp_path, url, command="worker", settings=SHORT) as sleeper:
        job = app.job(feed.submit(2.5))
        until(lambda: feed.started()[1], sleeper.log)
        sleeper.signal(signal.SIGSTOP)
        with Process(tmp_path, url, command="worker", settings=SHORT) as other:
            until(lambda: feed.ended()[1], other.log)
            until(lambda: job.status() == State.SUCCEEDED, other.log)
            sleeper.signal(signal.SIGCONT)
            until(lambda: sleeper.said("lost its claim") + sleeper.said("finished too late"), sleeper.log)
            assert other.said("took back 1 jobs of silent owners") == 1
        assert job.status() == State.SUCCEEDED
        # It goes on by itself, under the same name.
        feed.submit()
        until(lambda: feed.ended()[2], sleeper.log)
    app.close()


def test_a_transaction_that_stays_open_holds_nothing_up(postgres_url: str, tmp_path: Path) -> None:
    """An old snapshot keeps dead rows from being cleaned away, and stops nobody."""
    app = make_app(tmp_path, postgres_url)
    feed = Feed(tmp_path, app)
    with Process(tmp_path, postgres_url) as process:
        feed.submit()
        with psycopg.connect(postgres_url) as pinned:
            pinned.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            pinned.execute("select count(*) from rota.jobs")
            with feed.running(every=0.005):
                feed.wait_for(100)
        feed.check()
        assert process.said("goes on trying") == 0, process.log()
    app.close()
