"""The fixtures of the suite; all stand on `harness`, which the store's author gives."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from rota.ports.store import Store
from rota.testing.clock import FakeClock
from rota.testing.conformance.harness import Harness
from rota.testing.conformance.scene import START, Scene

__all__ = ["clock", "crowd", "scene", "store"]

_CROWD = 3


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until the test moves it."""
    return FakeClock(START)


@pytest_asyncio.fixture
async def store(harness: Harness, clock: FakeClock) -> AsyncIterator[Store]:
    """An open, empty store."""
    one = harness.store(clock)
    await one.open()
    yield one
    await one.close()


@pytest.fixture
def scene(harness: Harness, store: Store, clock: FakeClock) -> Scene:
    """The store, its clock, and words to speak to them."""
    return Scene(harness, store, clock)


@pytest_asyncio.fixture
async def crowd(harness: Harness, scene: Scene) -> AsyncIterator[list[Scene]]:
    """Several processes, as it were, that share the jobs of `scene`; the first is `scene` itself."""
    async with AsyncExitStack() as stack:
        others = []
        for _ in range(_CROWD):
            other = harness.store(scene.clock)
            await other.open()
            stack.push_async_callback(other.close)
            others.append(Scene(harness, other, scene.clock))
        yield [scene, *others]
