"""The Redis of the benchmark's peers."""

import shutil

import pytest

from tests.servers.postgres import is_alive
from tests.servers.redis import RedisMissingError, RedisServer, find_redis


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="only `make bench` installs Redis")
def test_a_fresh_database_is_empty_and_nothing_is_left_behind() -> None:
    with RedisServer() as server:
        pid, folder = server.pid, server.folder
        server.ask("SET key value")
        assert server.ask("DBSIZE") == ":1"

        assert server.fresh() == f"redis://127.0.0.1:{server.port}/0"

        assert server.ask("DBSIZE") == ":0"

    assert not is_alive(pid)
    assert not folder.exists()


def test_a_missing_binary_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(RedisMissingError, match="scripts/servers bench"):
        find_redis()
