"""The clock of the machine that works is set, by an hour, forth or back: the store's time decides.

The clock is that of the worker's and scheduler's process; a server's own stays. On SQLite it is the store's.
"""

import time
from pathlib import Path

import pytest

from tests.integration.faults.life import Feed, Process, make_app, until

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/rota.db"
    return str(request.getfixturevalue("postgres_url"))


def set_clock(folder: Path, seconds: int) -> None:
    fresh = folder / "clock.new"
    fresh.write_text(str(seconds))
    fresh.replace(folder / "clock")


def test_the_clock_of_worker_and_scheduler_is_set(url: str, tmp_path: Path) -> None:
    """Nothing stops or runs twice: no lease is taken away. On a server ticks go on as before."""
    set_clock(tmp_path, 0)
    app = make_app(tmp_path, url)
    feed = Feed(tmp_path, app)
    with Process(tmp_path, url) as process:
        running = app.job(feed.submit(task="watch"))
        until(lambda: feed.started()[1] and feed.ticks(), process.log)
        for hours in (1, -1):
            set_clock(tmp_path, 3600 * hours)
            began, before = time.monotonic(), feed.ticks()
            with feed.running(every=0.1):
                time.sleep(4.5)  # the rescuer looks every 4 s
                feed.wait_for(1)
            ticks, elapsed = feed.ticks() - before, time.monotonic() - began
            if url.startswith("postgresql"):
                assert 1 <= ticks <= elapsed + 2
            assert (feed.started()[1], running.status()) == (1, "running"), process.log()
        (tmp_path / "go").touch()
        until(lambda: running.status() == "succeeded", process.log)
        until(lambda: feed.ended().keys() == feed.stored.keys(), process.log)
        assert set(feed.started().values()) == set(feed.ended().values()) == {1}
        assert "Traceback" not in process.log()
    app.close()
