"""Writes outcomes in groups: while one group is on its way, the next one gathers."""

from collections.abc import Callable, Sequence
from uuid import UUID

from rota.engine.announcer import Announcer
from rota.engine.recorder import Recorder
from rota.engine.service import Loop
from rota.model.errors import StoreBusyError
from rota.model.events import ClaimLost, OutcomeBlocked
from rota.model.job import Submission
from rota.model.outcome import Settlement
from rota.ports.jobs import JobStore

__all__ = ["Settler"]

LARGEST_GROUP = 500
LOOK_AGAIN = 0.5


_Entry = tuple[Settlement, str, Callable[[], None] | None, Sequence[Submission]]


class Settler:
    """Keeps finished attempts until the store has taken them; an outage loses none.

    What somebody's open transaction keeps from being written goes to the end of the line, and is tried again.
    """

    name = "settler"

    def __init__(self, jobs: JobStore, recorder: Recorder, announcer: Announcer) -> None:
        self._jobs = jobs
        self._recorder = recorder
        self._announcer = announcer
        self._pending: list[_Entry] = []
        self._blocked: set[UUID] = set()
        self.loop = Loop(self, announcer)

    def add(
        self,
        settlement: Settlement,
        task: str,
        then: Callable[[], None] | None = None,
        first: Sequence[Submission] = (),
    ) -> None:
        """Take an outcome.

        Args:
            settlement: the outcome of a claim.
            task: for events.
            then: called once the store has accepted it (not if the claim was lost).
            first: jobs that are stored before it, so that a crash in between leaves them behind and not out.
        """
        self._pending.append((settlement, task, then, first))
        self.loop.poke()

    @property
    def pending(self) -> int:
        """How many outcomes the store has not taken yet."""
        return len(self._pending)

    async def turn(self) -> float | None:
        """Write one group."""
        if not self._pending:
            return None
        group = self._pending[:LARGEST_GROUP]
        # A job's log lines carry its claim, which the settle ends: they go first.
        await self._recorder.flush()
        if first := [job for one in group for job in one[3]]:
            await self._jobs.submit(first, resend=True)
        settled = await self._jobs.settle([one[0] for one in group])
        del self._pending[: len(group)]
        refused, busy = settled.refused, settled.busy
        for entry in group:
            settlement, task, then, _ = entry
            if busy and settlement.id in busy:
                self._put_back(entry)
            elif refused and settlement.id in refused:
                self._lost(settlement.id, task)
            elif then is not None:
                then()
        if self._blocked:
            self._blocked -= {one[0].id for one in group} - busy
        if len(self._pending) == len(self._blocked) > 0:
            return LOOK_AGAIN
        return 0 if self._pending else None

    async def flush(self) -> None:
        """Write all that is pending now.

        Raises:
            StoreBusyError: somebody's transaction keeps what is left from being written.
        """
        while self._pending:
            if await self.turn():
                raise StoreBusyError(f"somebody keeps the rows of {len(self._pending)} jobs locked")

    def _put_back(self, entry: "_Entry") -> None:
        settlement, task, *_ = entry
        self._pending.append(entry)
        if settlement.id not in self._blocked:
            self._blocked.add(settlement.id)
            self._announcer.announce(OutcomeBlocked(settlement.id, task))

    def _lost(self, job: UUID, task: str) -> None:
        self._announcer.announce(ClaimLost(job, task, late=True))
