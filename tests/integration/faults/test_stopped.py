"""A worker is stopped for longer than its lease, as by a paused machine, and goes on later."""

import signal
from pathlib import Path
from uuid import UUID

import pytest

from rota import Rota
from rota.model.events import JobEvent
from rota.ports.store import Store
from tests.integration.faults.life import Feed, Process, make_app, until

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]

# The process that was started is the worker itself, and not its parent.
ALONE = {"lease": "3", "extend_every": "0.5", "supervise": "false"}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/rota.db"
    return str(request.getfixturevalue("postgres_url"))


def test_a_worker_that_is_stopped_beyond_its_lease(url: str, tmp_path: Path) -> None:
    """Another one runs its jobs; what it ends late is refused, and its tasks see that they are cancelled."""
    app = make_app(tmp_path, url)
    feed = Feed(tmp_path, app)
    with Process(tmp_path, url, command="worker", settings=ALONE) as stopped:
        ids = [feed.submit(2.0), feed.submit(task="watch")]
        until(lambda: feed.started() == {1: 1, 2: 1}, stopped.log)
        stopped.signal(signal.SIGSTOP)
        with Process(tmp_path, url, command="worker", settings=ALONE) as other:
            until(lambda: feed.started() == {1: 2, 2: 2}, other.log)
            until(lambda: feed.ended() == {1: 1}, other.log)
            stopped.signal(signal.SIGCONT)
            until(lambda: stopped.said("finished too late"), stopped.log)
            until(lambda: stopped.said("lost its claim"), stopped.log)
            assert feed.ended() == {1: 2}
            assert feed.cancelled() == {2: 1}
            (tmp_path / "go").touch()
            until(lambda: all(app.job(one).status() == "succeeded" for one in ids), other.log)
        # Both lived; the one that slept serves on, and what slept with it had not crashed.
        last = feed.submit()
        until(lambda: app.job(last).status() == "succeeded", stopped.log)
        assert "Traceback" not in stopped.log() + other.log()
    assert feed.cancelled() == {2: 1}
    assert [app.job(one).record().crashes_alone for one in ids] == [0, 0]
    assert [[event.kind for event in events(app, one)] for one in ids] == [["rescue", "late"], ["rescue"]]
    app.close()


def events(app: Rota, job: UUID) -> list[JobEvent]:
    async def read(store: Store) -> list[JobEvent]:
        return await store.insight.events(job)

    return app.connection.run("events", read)
