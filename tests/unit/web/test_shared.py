"""Answers for all who ask at one moment."""

import asyncio

import pytest

from rota.web.shared import Shared


class Hands:
    """A clock that a test moves, and a reading that counts."""

    def __init__(self) -> None:
        self.now = 0.0
        self.readings = 0
        self.lasts = 0.0
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self) -> int:
        self.readings += 1
        number = self.readings
        await self.gate.wait()
        self.now += self.lasts
        return number


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def shared(hands: Hands) -> Shared:
    return Shared(1.0, rest=10.0, most=2, clock=lambda: hands.now)


async def test_those_who_ask_while_it_is_read_get_one_answer(shared: Shared, hands: Hands) -> None:
    hands.gate.clear()
    asking = [asyncio.create_task(shared.get("a", hands.read)) for _ in range(50)]
    await asyncio.sleep(0)
    hands.gate.set()
    assert await asyncio.gather(*asking) == [1] * 50


async def test_an_answer_is_kept_for_a_moment(shared: Shared, hands: Hands) -> None:
    assert await shared.get("a", hands.read) == 1
    hands.now = 0.9
    assert await shared.get("a", hands.read) == 1
    hands.now = 1.0
    assert await shared.get("a", hands.read) == 2


async def test_what_took_long_is_kept_ten_times_as_long(shared: Shared, hands: Hands) -> None:
    hands.lasts = 2.0
    await shared.get("a", hands.read)
    hands.now = 21.9
    assert await shared.get("a", hands.read) == 1
    hands.now = 22.0
    assert await shared.get("a", hands.read) == 2


async def test_after_a_change_nothing_old_is_told(shared: Shared, hands: Hands) -> None:
    hands.gate.clear()
    early = asyncio.create_task(shared.get("a", hands.read))
    await asyncio.sleep(0)
    shared.clear()
    late = asyncio.create_task(shared.get("a", hands.read))
    await asyncio.sleep(0)
    hands.gate.set()
    assert (await early, await late) == (1, 2)
    assert await shared.get("a", hands.read) == 2


async def test_a_failure_is_told_and_not_kept(shared: Shared, hands: Hands) -> None:
    async def fail() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await shared.get("a", fail)
    assert await shared.get("a", hands.read) == 1


async def test_one_who_goes_away_takes_nothing_from_the_others(shared: Shared, hands: Hands) -> None:
    hands.gate.clear()
    gone = asyncio.create_task(shared.get("a", hands.read))
    stays = asyncio.create_task(shared.get("a", hands.read))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    hands.gate.set()
    assert await stays == 1


async def test_the_oldest_answers_make_room(shared: Shared, hands: Hands) -> None:
    for key in ("a", "b", "c"):
        await shared.get(key, hands.read)
    assert await shared.get("c", hands.read) == 3
    assert await shared.get("a", hands.read) == 4
