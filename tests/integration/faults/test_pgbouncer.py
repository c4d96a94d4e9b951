"""A worker behind PgBouncer in transaction mode, which is restarted under it."""

from pathlib import Path

import pytest

from tests.integration.faults.life import Feed, Process, make_app, until
from tests.servers.pgbouncer import PgBouncer
from tests.servers.proxy import Proxy

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]


def test_the_pooler_is_restarted(postgres_url: str, pgbouncer: type[PgBouncer], tmp_path: Path) -> None:
    with pgbouncer(postgres_url) as first, Proxy(first.port) as proxy:
        url = first.url.replace(str(first.port), str(proxy.port))
        app = make_app(tmp_path, url, store_timeout=2.0, listen=False)
        feed = Feed(tmp_path, app)
        with Process(tmp_path, url, settings={"listen": "false"}) as process:
            with feed.running():
                feed.wait_for(5)
                first.stop()
                until(lambda: process.said("the store is away"), process.log)
                first.start()
                proxy.heal(first.port)
                feed.wait_for(5)
            feed.check()
            assert process.lives
            assert "Traceback" not in process.log(), process.log()
        app.close()
