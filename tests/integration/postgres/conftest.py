"""A store in an empty database."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from rota.stores.postgres import PostgresStore
from tests.servers.postgres import PostgresServer


@pytest.fixture(scope="session")
def template(postgres_server: PostgresServer) -> str:
    """A database with the tables: a copy is made quicker than they are."""
    store = PostgresStore(postgres_server.create_database("migrated"))
    store.submit_now([], resend=False)
    store._blocking.close()
    return "migrated"


@pytest.fixture
def migrated_url(postgres_server: PostgresServer, template: str) -> Iterator[str]:
    """The address of a database whose tables are empty."""
    url = postgres_server.create_database(template=template)
    yield url
    postgres_server.drop_database(url)


@pytest_asyncio.fixture
async def store(migrated_url: str) -> AsyncIterator[PostgresStore]:
    """An open store."""
    one = PostgresStore(migrated_url)
    await one.open()
    yield one
    await one.close()
