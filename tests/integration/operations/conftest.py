"""A scene on each store: the operations read what the store wrote."""

from collections.abc import AsyncIterator

import pytest

from rota.model.clock import Clock
from rota.ports.store import Store
from rota.settings import Settings
from rota.testing.clock import FakeClock
from rota.testing.conformance.harness import Harness
from rota.testing.conformance.scene import START, Scene
from rota.wiring import make_store


class Stores(Harness):
    """Stores of one url."""

    def __init__(self, url: str) -> None:
        self.url = url

    def store(self, clock: Clock | None, namespace: str = "one") -> Store:
        return make_store(Settings(url=self.url, schema=namespace), clock)

    def slots_used(self, namespace: str = "one") -> None:
        """Nobody looks here."""


@pytest.fixture(params=["sqlite", "postgres"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Stores that are not opened yet."""
    if request.param == "sqlite":
        return Stores(f"sqlite:///{request.getfixturevalue('tmp_path')}/rota.db")
    return Stores(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def scene(stores: Stores) -> AsyncIterator[Scene]:
    clock = FakeClock(START)
    store = stores.store(clock)
    await store.open()
    yield Scene(stores, store, clock)
    await store.close()
