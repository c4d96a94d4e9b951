"""Runs an attempt somewhere."""

from typing import TYPE_CHECKING, Protocol

from rota.model.outcome import Outcome

if TYPE_CHECKING:
    from rota.definitions.attempt import Attempt

__all__ = ["Executor"]


class Executor(Protocol):
    """One place where attempts run. `run` never raises for what the task did: it returns an outcome."""

    name: str
    slots: int

    async def start(self) -> None:
        """Make ready."""
        ...

    async def run(self, attempt: "Attempt") -> Outcome:
        """Run one attempt to its outcome.

        An exception of the task is `Failed`. When the attempt is cancelled or times out
        (`attempt.stop(...)`), the executor ends it as hard as its place allows and says how it ended.
        """
        ...

    async def stop(self) -> None:
        """Release everything; attempts that still run are ended."""
        ...
