"""What tests of child processes share."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from rota.executors.processes import ProcessExecutor
from tests.integration.executors.apps import HERE

MakeExecutor = Callable[..., ProcessExecutor]


@pytest.fixture
async def make_executor() -> AsyncIterator[MakeExecutor]:
    """Make executors that are stopped after the test."""
    made: list[ProcessExecutor] = []

    def make(
        slots: int = 1, *, argument: str = "app", grace: float = 10.0, **options: Any
    ) -> ProcessExecutor:
        made.append(ProcessExecutor(slots, loader=f"{HERE}:load", argument=argument, grace=grace, **options))
        return made[-1]

    yield make
    for executor in made:
        await executor.stop()
