"""A store in an empty database."""

from collections.abc import AsyncIterator

import pytest_asyncio

from rota.stores.postgres import PostgresStore


@pytest_asyncio.fixture
async def store(postgres_url: str) -> AsyncIterator[PostgresStore]:
    """An open store."""
    one = PostgresStore(postgres_url)
    await one.open()
    yield one
    await one.close()
