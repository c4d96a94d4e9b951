"""What many ask for at once, done in one statement: while one group is on its way, the next one gathers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from rota.model.errors import StoreUnavailableError

__all__ = ["Groups"]

T = TypeVar("T")
R = TypeVar("R")

LARGEST_GROUP = 500


class Groups(Generic[T, R]):
    """Does work for everybody who asks at the same time. Nobody waits for company: one alone goes at once.

    Args:
        work: does it for a group, all or none, and returns an answer for each, in order.
        lanes: how many groups may be on their way at once.
    """

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[Sequence[R]]], lanes: int = 1) -> None:
        self._work = work
        self._lanes = lanes
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._busy: set[asyncio.Task[None]] = set()

    async def ask(self, item: T) -> R:
        """Have one thing done; raises what its work raises."""
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        self._send()
        return await answer

    def _send(self) -> None:
        if not self._waiting or len(self._busy) >= self._lanes:
            return
        group, self._waiting = self._waiting[:LARGEST_GROUP], self._waiting[LARGEST_GROUP:]
        task = asyncio.create_task(self._do(group))
        self._busy.add(task)
        task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        self._send()

    async def _do(self, group: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        """Do a group's work and answer; if it is refused, one by one to find out whose fault it is."""
        try:
            done = await self._work([item for item, _ in group])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is handed to those who wait
            if len(group) > 1 and not isinstance(error, StoreUnavailableError):
                for one in group:
                    await self._do([one])
                return
            for _, answer in group:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), result in zip(group, done, strict=True):
            if not answer.done():
                answer.set_result(result)
