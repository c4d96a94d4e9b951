"""The rescuer takes nothing from owners that could not speak."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from rota.engine import rescuer
from rota.engine.announcer import Announcer
from rota.engine.rescuer import Rescuer
from rota.model.errors import StoreUnavailableError
from rota.ports.jobs import JobStore, RescuedJob
from rota.ports.limits import LimitStore
from rota.testing.clock import FakeClock


class Store:
    """Counts how often jobs are taken back."""

    def __init__(self) -> None:
        self.away = False
        self.rescues = 0

    async def rescue(self, limit: int, **_: Any) -> Sequence[RescuedJob]:
        assert limit
        await self.sweep()
        self.rescues += 1
        return []

    async def sweep(self) -> int:
        if self.away:
            raise StoreUnavailableError("gone")
        return 0


class Times:
    """The monotonic clock of this test."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


class Scene:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times, self.store = Times(), Store()
        monkeypatch.setattr(rescuer, "time", self.times)
        self.clock = FakeClock(datetime(2026, 3, 1, tzinfo=UTC))
        self.rescuer = Rescuer(
            cast("JobStore", self.store),
            cast("LimitStore", self.store),
            Announcer(),
            lease=30.0,
            beat_every=10.0,
            clock=self.clock,
        )

    async def turn(self, seconds: float = 4.0) -> int:
        """Let time pass, take a turn, and return how often it has looked for jobs to take back."""
        self.times.now += seconds
        self.clock.advance(timedelta(seconds=seconds))
        before = self.store.rescues
        await self.rescuer.turn()
        return self.store.rescues - before


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


async def test_it_looks_every_turn(scene: Scene) -> None:
    assert [await scene.turn() for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("hours", [1, -1])
async def test_after_the_clock_was_set_owners_come_first(scene: Scene, hours: int) -> None:
    await scene.turn()
    scene.clock.set(scene.clock.now() + timedelta(hours=hours))
    assert [await scene.turn() for _ in range(4)] == [0, 0, 0, 1]


async def test_after_this_process_slept_owners_come_first(scene: Scene) -> None:
    await scene.turn()
    assert await scene.turn(60.0) == 0


async def go_away(scene: Scene, turns: int) -> None:
    """Let the store be away for some turns."""
    scene.store.away = True
    for _ in range(turns):
        with pytest.raises(StoreUnavailableError):
            await scene.turn()
    scene.store.away = False


async def test_after_an_outage_owners_come_first(scene: Scene) -> None:
    await scene.turn()
    await go_away(scene, 5)
    assert [await scene.turn() for _ in range(4)] == [0, 0, 0, 1]


async def test_a_short_outage_delays_nothing(scene: Scene) -> None:
    """No lease can have passed that was extended before it; until owners could extend them again."""
    await scene.turn()
    await go_away(scene, 1)
    # Away for 8 s: the first lease may pass 18 s after it began; by 20 s all owners have spoken.
    assert [await scene.turn() for _ in range(4)] == [1, 1, 1, 1]
    await go_away(scene, 2)
    # Away for 12 s: from 18 to 24 s owners come first.
    assert [await scene.turn() for _ in range(4)] == [1, 1, 0, 1]
