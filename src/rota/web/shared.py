"""What many ask for at one moment is read once."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

from msgspec import Struct

__all__ = ["Shared"]

T = TypeVar("T")


class _Answer(Struct, eq=False):
    task: "asyncio.Future[Any]"
    until: float | None = None


class Shared:
    """Answers of this process, each kept for a moment.

    One that took long to make is kept for longer, so that askers, however many, take a bounded part of the
    store's time. Nothing is read while nobody asks.

    Args:
        seconds: how long an answer is kept at least.
        rest: it is kept for that many times the time that it took.
        most: how many answers are kept.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        seconds: float = 1.0,
        *,
        rest: float = 4.0,
        most: int = 256,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._rest = rest
        self._most = most
        self._clock = clock
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Return the answer of a key; makes it where there is no fresh one. Errors are not kept."""
        answer = self._answers.get(key)
        if answer is None or (answer.until is not None and answer.until <= self._clock()):
            answer = _Answer(asyncio.ensure_future(self._make(key, make)))
            self._answers[key] = answer
            self._answers.move_to_end(key)
            if len(self._answers) > self._most:
                self._answers.popitem(last=False)
        # One asker that goes away takes nothing from the others.
        made: T = await asyncio.shield(answer.task)
        return made

    def clear(self) -> None:
        """Forget everything, as after a change; who asks next has it read again."""
        self._answers.clear()

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        began = self._clock()
        answer = self._answers.get(key)
        try:
            made = await make()
        except BaseException:
            if answer is not None and self._answers.get(key) is answer:
                del self._answers[key]
            raise
        now = self._clock()
        if answer is not None:
            answer.until = now + max(self._seconds, self._rest * (now - began))
        return made
