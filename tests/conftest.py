"""What every test may use: real servers, and Hypothesis without a stopwatch."""

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.servers.pgbouncer import PgBouncer, PgBouncerMissingError, find_pgbouncer
from tests.servers.postgres import PostgresServer

# Started in the background of a script, this process may ignore Ctrl-C, and so would every process it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A loaded machine with two cores proves nothing about speed: benchmarks do that.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("default"), max_examples=5_000)
settings.load_profile("default")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL for tests of behaviour, without fsync; one for each process of pytest-xdist."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def pgbouncer() -> type[PgBouncer]:
    """PgBouncer; what needs it is left out where it is missing, and in CI that is a failure."""
    try:
        find_pgbouncer()
    except PgBouncerMissingError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    return PgBouncer


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of a fresh, empty database."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test named by an address: that differs by process, and pytest-xdist then runs nothing."""
    if nameless := [item.nodeid for item in items if " at 0x" in item.nodeid]:
        raise pytest.UsageError(
            "name these examples by `ids=` or `pytest.param(…, id=…)`: " + ", ".join(nameless)
        )
