"""One `rota run` lives through every outage of PostgreSQL and of the way to it, and is never restarted.

Jobs are submitted all the time. In the end all have run, once each; ticks went on; the log had one
line when the store went away and one when it was back.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from rota.operations.health import Check, health
from tests.integration.faults.life import Feed, Process, make_app, until
from tests.servers.postgres import PostgresServer
from tests.servers.proxy import Proxy

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]

AWAY, BACK = "the store is away, goes on trying", "the store is back"
END_ALL = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"


class Scene:
    """A server, a proxy before it, a process that works through the proxy, and jobs fed through it."""

    def __init__(
        self, server: PostgresServer, proxy: Proxy, process: Process, feed: Feed, direct: str
    ) -> None:
        self.server, self.proxy, self.process, self.feed = server, proxy, process, feed
        self.direct = direct

    @contextmanager
    def goes_on(self, *, away: int | None = 1) -> Iterator[None]:
        """Feed before, during and after the fault of this block, and check what has to be true then.

        Args:
            away: how often the log has to say that the store is away; None: any number of times.
        """
        before = self.process.said(AWAY), self.process.said(BACK)
        with self.feed.running():
            self.feed.wait_for(3)
            yield
            ticks = self.feed.ticks()
            self.feed.wait_for(3)
            until(lambda: self.feed.ticks() > ticks, self.process.log)
        until(
            lambda: self.process.said(BACK) - before[1] == self.process.said(AWAY) - before[0],
            self.process.log,
        )
        assert self.process.lives
        if away is not None:
            assert self.process.said(AWAY) - before[0] == away, self.process.log()
        assert "Traceback" not in self.process.log(), self.process.log()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("outages")
    with PostgresServer(options={"max_connections": "25"}) as server, Proxy(server.port) as proxy:
        direct = server.create_database("faults")
        url = direct.replace(str(server.port), str(proxy.port))
        app = make_app(folder, url, store_timeout=2.0)
        with Process(folder, url) as process:
            yield Scene(server, proxy, process, Feed(folder, app), direct)
        app.close()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_the_server_is_restarted(scene: Scene, mode: str) -> None:
    with scene.goes_on():
        scene.server.stop("fast" if mode == "fast" else "immediate")
        until(lambda: scene.process.said(AWAY) > scene.process.said(BACK), scene.process.log)
        scene.server.start()


def test_the_server_is_killed(scene: Scene) -> None:
    with scene.goes_on():
        os.kill(scene.server.pid, signal.SIGKILL)
        until(lambda: scene.process.said(AWAY) > scene.process.said(BACK), scene.process.log)
        scene.server.stop()
        scene.server.start()


def test_every_backend_is_ended_again_and_again(scene: Scene) -> None:
    with scene.goes_on(away=None):
        for _ in range(10):
            with psycopg.connect(scene.direct, autocommit=True) as connection:
                connection.execute(END_ALL + " and backend_type = 'client backend'")
            scene.feed.wait_for(1)


def test_connections_are_cut(scene: Scene) -> None:
    with scene.goes_on(away=None):
        for _ in range(10):
            scene.proxy.cut()
            scene.feed.wait_for(1)


def test_connections_are_refused(scene: Scene) -> None:
    with scene.goes_on():
        scene.proxy.refuse()
        until(lambda: scene.process.said(AWAY) > scene.process.said(BACK), scene.process.log)
        (check,) = asyncio.run(unhealthy(scene))
        assert check.level == "fault"
        scene.proxy.heal()


async def unhealthy(scene: Scene) -> list[Check]:
    store = scene.feed.app.make_store()
    try:
        return await health(store, host="here")
    finally:
        await store.close()


def test_everything_is_slow(scene: Scene) -> None:
    with scene.goes_on(away=None):
        # A connection takes a dozen such delays to make, and has to be there within the 2 s of this app.
        scene.proxy.delay(0.06)
        scene.feed.wait_for(3)
        scene.proxy.heal()


def test_connections_die_without_a_word(scene: Scene) -> None:
    with scene.goes_on(away=None):
        scene.proxy.freeze()


def test_a_black_hole(scene: Scene) -> None:
    with scene.goes_on():
        scene.proxy.hold()
        until(lambda: scene.process.said(AWAY) > scene.process.said(BACK), scene.process.log)
        scene.proxy.heal()


def test_the_server_is_frozen(scene: Scene) -> None:
    """It takes connections, since the system does, and never answers."""
    with scene.goes_on(away=None):
        pids = [scene.server.pid, *children(scene.server.pid)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        until(lambda: scene.process.said(AWAY) > scene.process.said(BACK), scene.process.log)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_every_connection_of_the_server_is_taken(scene: Scene) -> None:
    with scene.goes_on(away=None):
        taken: list[psycopg.Connection[tuple[object, ...]]] = []
        with psycopg.connect(scene.direct, autocommit=True) as connection:
            connection.execute(END_ALL + " and backend_type = 'client backend'")
            try:
                while True:
                    taken.append(psycopg.connect(scene.direct))
            except psycopg.OperationalError:
                pass
        until(lambda: scene.process.said(AWAY) > scene.process.said(BACK), scene.process.log)
        for one in taken:
            one.close()


def test_at_last_every_job_has_run_once(scene: Scene) -> None:
    scene.feed.check()
