"""The verbs for the life of a job, each one operation of the writer."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from rota.model.errors import SubmitUncertainError
from rota.model.job import Claim, ClaimedJob, ClaimRequest, JobEdit, JobFilter, Submission, Submitted
from rota.model.outcome import Settlement
from rota.ports.jobs import Cancelled, Promoted, RescuedJob, Settled
from rota.stores.plans import drive
from rota.stores.sqlite import ending, returning, waiting
from rota.stores.sqlite.claim import claim, claimed_jobs
from rota.stores.sqlite.connection import UncertainCommitError
from rota.stores.sqlite.settle import Outcomes, settle
from rota.stores.sqlite.submit import submit_plan
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.writer import Writer

__all__ = ["SqliteJobs"]


class SqliteJobs:
    """`JobStore` on SQLite."""

    def __init__(self, writer: Writer, sql: Mapping[str, str]) -> None:
        self._writer = writer
        self._sql = sql

    async def submit(self, submissions: Sequence[Submission], *, resend: bool = False) -> list[Submitted]:
        """Store jobs; see the port.

        Raises:
            SubmitUncertainError: the commit failed and does not say whether it took place.
        """

        def operation(transaction: Transaction) -> list[Submitted]:
            plan = submit_plan(self._sql, submissions, transaction.now, transaction.notices, resend=resend)
            return drive(plan, transaction.run)

        try:
            return await self._writer.run(operation)
        except UncertainCommitError as error:
            raise SubmitUncertainError(submissions, error) from error

    async def claim(self, request: ClaimRequest) -> list[ClaimedJob]:
        """Claim the first free jobs; see the port."""
        rows = await self._writer.run(lambda transaction: claim(transaction, request))
        return claimed_jobs(rows)

    async def settle(self, settlements: Sequence[Settlement]) -> Settled:
        """Write outcomes; see the port."""
        outcomes = Outcomes(settlements)
        return await self._writer.run(lambda transaction: settle(transaction, outcomes))

    async def give_back(self, claims: Sequence[Claim], *, begun: bool = False) -> int:
        """Return claimed jobs to their place; see the port."""
        return await self._writer.run(
            lambda transaction: returning.give_back(transaction, claims, begun=begun)
        )

    async def rescue(self, limit: int, *, isolate: bool = False) -> list[RescuedJob]:
        """Take back jobs whose lease or deadline has passed; see the port."""
        return await self._writer.run(
            lambda transaction: returning.rescue(transaction, limit, isolate=isolate)
        )

    async def promote(self, limit: int) -> Promoted:
        """Make due jobs ready, expire those that are too late; see the port."""
        return await self._writer.run(lambda transaction: waiting.promote(transaction, limit))

    async def cancel(self, which: JobFilter) -> Cancelled:
        """Cancel live jobs; see the port."""
        return await self._writer.run(lambda transaction: ending.cancel(transaction, which))

    async def redrive(self, which: JobFilter) -> list[UUID]:
        """Make ended jobs ready again; see the port."""
        return await self._writer.run(lambda transaction: ending.redrive(transaction, which))

    async def edit(self, job: UUID, edit: JobEdit) -> bool:
        """Change a scheduled job in place; see the port."""
        return await self._writer.run(lambda transaction: waiting.edit(transaction, job, edit))

    async def resume(self, which: Sequence[UUID], wake_key: str | None = None) -> int:
        """Make waiting jobs ready; see the port."""
        return await self._writer.run(lambda transaction: waiting.resume(transaction, which, wake_key))
