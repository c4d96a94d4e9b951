"""The server that other tests stand on."""

import os
import select
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.servers import postgres
from tests.servers.postgres import (
    PostgresMissingError,
    PostgresServer,
    PostgresStartError,
    find_binaries,
    is_alive,
)

REPOSITORY = Path(__file__).parents[2]


def query(url: str, statement: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return str(row[0])


def test_a_database_is_fresh_and_empty(postgres_url: str) -> None:
    assert (
        query(postgres_url, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        == "0"
    )


def test_two_databases_do_not_see_one_another(postgres_server: PostgresServer) -> None:
    first, second = postgres_server.create_database(), postgres_server.create_database()

    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE only_here (n int)")

    assert query(second, "SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'") == "0"
    postgres_server.drop_database(first)
    postgres_server.drop_database(second)


def test_a_template_is_copied(postgres_server: PostgresServer) -> None:
    template = postgres_server.create_database("the_template")
    with psycopg.connect(template) as connection:
        connection.execute("CREATE TABLE copied AS SELECT 7 AS n")

    url = postgres_server.create_database(template="the_template")

    assert query(url, "SELECT n FROM copied") == "7"
    postgres_server.drop_database(url)
    postgres_server.drop_database(template)


def test_a_database_in_use_is_dropped(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database()
    with psycopg.connect(url) as connection:
        postgres_server.drop_database(url)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_durability_is_off_for_behaviour(postgres_url: str) -> None:
    assert query(postgres_url, "SHOW fsync") == "off"


def test_a_durable_server_keeps_its_data_and_its_port_over_a_crash() -> None:
    with PostgresServer(durable=True) as server:
        url = server.create_database()
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")

        server.restart("immediate")
        after_crash = query(url, "SELECT n FROM kept")
        server.restart("fast")

        assert after_crash == query(url, "SELECT n FROM kept") == "7"
        assert [
            query(url, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")
        ] == [
            "on",
            "on",
            "on",
        ]


def test_nothing_is_left_behind() -> None:
    with PostgresServer(options={"max_connections": "12"}) as server:
        pid, folder = server.pid, server.socket_folder.parent
        assert query(server.url(), "SHOW max_connections") == "12"

    assert not is_alive(pid)
    assert not folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_killed_test_run_leaves_no_server() -> None:
    script = (
        "from tests.servers.postgres import PostgresServer\n"
        "server = PostgresServer()\n"
        "server.start()\n"
        "print(server.pid, server.socket_folder.parent, flush=True)\n"
        "input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        pid, folder = run.stdout.readline().split()
        descriptor = os.pidfd_open(int(pid))
        run.kill()

    try:
        assert select.select([descriptor], [], [], 20)[0], "the server outlived its parent"
    finally:
        os.close(descriptor)
    with PostgresServer():
        assert not Path(folder).exists(), "the next run does not clean up"


def test_a_wrong_setting_shows_the_servers_own_words() -> None:
    with pytest.raises(PostgresStartError, match="no_such_setting"):
        PostgresServer(options={"no_such_setting": "1"}).start()


def test_missing_binaries_name_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))

    with pytest.raises(PostgresMissingError, match="scripts/servers"):
        find_binaries()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has binaries that others cannot reach")
def test_binaries_that_only_root_reaches_are_copied(tmp_path: Path) -> None:
    binaries = tmp_path / "site" / "package" / "install" / "bin"
    binaries.mkdir(parents=True)
    libraries = tmp_path / "site" / "package.libs"
    libraries.mkdir()
    (binaries / "initdb").write_text("#!/bin/sh\n")
    (binaries / "initdb").chmod(0o755)
    (tmp_path / "site").chmod(0o700)
    target = tmp_path / "target"
    target.mkdir()

    copied = postgres._for_everyone(binaries, target)

    assert (copied / "initdb").exists()
    assert copied.is_relative_to(target)
    assert (target / "package.libs").is_dir()
