"""Boot, loop and stop of a service."""

import asyncio

from rota.engine.announcer import Announcer
from rota.engine.service import Loop


class Stuck:
    """A service whose turn never ends."""

    name = "stuck"

    async def turn(self) -> float | None:
        await asyncio.Event().wait()
        return None


async def test_a_second_signal_ends_the_turn_and_disturbs_nobody_who_stops() -> None:
    loop = Loop(Stuck(), Announcer())
    loop.start()
    stopping = asyncio.create_task(loop.stop())
    await asyncio.sleep(0)

    await loop.abort()

    async with asyncio.timeout(5):
        await stopping
