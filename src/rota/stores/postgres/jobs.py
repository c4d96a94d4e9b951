"""The life of jobs (`ports.jobs`)."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from msgspec import UNSET, structs

from rota.model.errors import StoreBusyError, StoreUnavailableError, SubmitUncertainError
from rota.model.ids import new_token
from rota.model.job import Claim, ClaimedJob, ClaimRequest, JobEdit, JobFilter, Submission, Submitted
from rota.model.outcome import Settlement
from rota.model.states import State
from rota.ports.jobs import Cancelled, Promoted, RescuedJob, Settled
from rota.stores.plans import drive_async
from rota.stores.postgres.database import LONG, Database, Link, Run, fetch_statement
from rota.stores.postgres.endings import Ending, Told, finish, free_slots, tell, wake_parents
from rota.stores.postgres.faults import is_uncertain
from rota.stores.postgres.rows import claimed_job, dump, filter_params
from rota.stores.postgres.settling import settle
from rota.stores.postgres.submitting import is_plain, submit_plan

__all__ = ["PostgresJobs"]

_NONE = timedelta(0)
_ORDER = itemgetter("rank", "share", "seq")
_EDITABLE = ("run_at", "rank", "queue", "payload", "expires_at")


class PostgresJobs:
    """Live jobs, and where they go."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Whether somebody kept jobs locked when outcomes were last written.
        self._wary = False

    async def submit(self, submissions: Sequence[Submission], *, resend: bool = False) -> list[Submitted]:
        """See `JobStore.submit`.

        Raises:
            SubmitUncertainError: the connection was lost while the jobs were on their way.
        """

        async def work(link: Link) -> list[Submitted]:
            plan = submit_plan(self._database.sql, submissions, self._database.now(), resend=resend)
            try:
                if is_plain(submissions, resend=resend):
                    return await drive_async(plan, lambda statement: fetch_statement(link, statement))
                async with link.transaction():
                    return await drive_async(plan, lambda statement: fetch_statement(link, statement))
            except Exception as error:
                if is_uncertain(error):
                    raise SubmitUncertainError(submissions, error) from error
                raise

        ends = time.monotonic() + self._database.patience
        while True:
            try:
                return await self._database.run(work)
            except StoreBusyError:
                # Somebody's open transaction holds a job of the same unique key: see what becomes of it.
                if time.monotonic() > ends:
                    raise

    async def claim(self, request: ClaimRequest) -> list[ClaimedJob]:
        """See `JobStore.claim`."""
        wanted = {name: room for name, room in request.limits.items() if room > 0}
        if not wanted or not request.queues:
            return []
        rows = await self._database.fetch(
            "claim",
            self._database.now(),
            new_token(),
            request.owner,
            request.lease,
            request.queues,
            list(wanted),
            list(wanted.values()),
        )
        rows.sort(key=_ORDER)
        if len(request.queues) > 1:
            place = {queue: place for place, queue in enumerate(request.queues)}
            rows.sort(key=lambda row: place[row["queue"]])
        return [claimed_job(row) for row in rows]

    async def settle(self, settlements: Sequence[Settlement]) -> Settled:
        """See `JobStore.settle`. After a wait in vain it looks first, and goes round what is locked."""
        if not self._wary:
            try:
                return await settle(self._database, settlements)
            except StoreUnavailableError as error:
                # Behind a pooler nothing bounds a wait for a lock but the patience with every statement.
                waited = isinstance(error, StoreBusyError) or self._database.pooled
                if not waited or not await self._locked_elsewhere(settlements):
                    raise
        busy = await self._locked_elsewhere(settlements)
        self._wary = bool(busy)
        settled = await settle(self._database, [one for one in settlements if one.id not in busy])
        return structs.replace(settled, busy=busy)

    async def _locked_elsewhere(self, settlements: Sequence[Settlement]) -> frozenset[UUID]:
        rows = await self._database.fetch("locked_elsewhere", [one.id for one in settlements])
        return frozenset(row[0] for row in rows)

    async def give_back(self, claims: Sequence[Claim], *, begun: bool = False) -> int:
        """See `JobStore.give_back`."""
        if not claims:
            return 0

        async def work(run: Run) -> int:
            ids, tokens = [claim.id for claim in claims], [claim.token for claim in claims]
            rows = await run("give_back_lock", self._database.now(), ids, tokens)
            if not rows:
                return 0
            now = rows[0]["now"]
            await run("give_back", await _end_cancelled(run, now, rows))
            await free_slots(run, [scope for row in rows for scope in row["slots"]])
            started = [row for row in rows if begun or row["started_at"] is not None]
            await tell(run, now, [Told(row["id"], "give_back", row["attempt"], {}) for row in started])
            return len(rows)

        return await self._database.transact(work)

    async def rescue(self, limit: int, *, isolate: bool = False) -> list[RescuedJob]:
        """See `JobStore.rescue`."""

        async def work(run: Run) -> list[RescuedJob]:
            await run("bury_workers", self._database.now())
            rows = await run("rescue_lock", self._database.now(), limit)
            if not rows:
                return []
            now = rows[0]["now"]
            await run("rescue", now, await _end_cancelled(run, now, rows), isolate)
            await free_slots(run, [scope for row in rows for scope in row["slots"]])
            told = [Told(row["id"], "rescue", row["attempt"], {"owner": row["owner"]}) for row in rows]
            await tell(run, now, told)
            return [RescuedJob(row["id"], row["owner"], _returned(row)) for row in rows]

        return await self._database.transact(work)

    async def promote(self, limit: int) -> Promoted:
        """See `JobStore.promote`."""
        ((now, run_at, wake_at, expires_at),) = await self._due()
        if not any(moment and moment <= now for moment in (run_at, wake_at, expires_at)):
            return Promoted(0, 0, _wait(now, run_at, wake_at))

        async def work(run: Run) -> tuple[int, int]:
            expired = await run("expire_lock", now, limit)
            await finish(run, now, [Ending(row["id"], State.EXPIRED) for row in expired])
            await wake_parents(run, now, [row["parent"] for row in expired])
            ((ready, _),) = await run("promote", now, limit)
            ((woken, _),) = await run("awaken", now, limit)
            return ready + woken, len(expired)

        ready, expired = await self._database.transact(work)
        ((now, run_at, wake_at, expires_at),) = await self._due()
        late = expires_at is not None and expires_at <= now
        return Promoted(ready, expired, _NONE if late else _wait(now, run_at, wake_at))

    async def _due(self) -> list[Any]:
        return await self._database.fetch("due", self._database.now())

    async def cancel(self, which: JobFilter) -> Cancelled:
        """See `JobStore.cancel`."""

        async def work(run: Run) -> Cancelled:
            await run("plan_anew")
            rows = await run("cancel_lock", self._database.now(), *filter_params(which))
            held = [row for row in rows if row["state"] in {State.RUNNING, State.HANDED}]
            ends = [row for row in rows if row["state"] not in {State.RUNNING, State.HANDED}]
            asked = [row for row in held if not row["cancel_requested"]]
            now = rows[0]["now"] if rows else None
            await finish(run, now, [Ending(row["id"], State.CANCELLED) for row in ends])
            await wake_parents(run, now, [row["parent"] for row in ends])
            if asked:
                await run("request_cancel", [row["id"] for row in asked])
            await tell(run, now, [Told(row["id"], "cancel", row["attempt"], {}) for row in (*ends, *asked)])
            return Cancelled(tuple(row["id"] for row in ends), tuple(row["id"] for row in held))

        return await self._database.transact(work, patience=LONG)

    async def redrive(self, which: JobFilter) -> list[UUID]:
        """See `JobStore.redrive`."""

        async def work(run: Run) -> list[UUID]:
            await run("plan_anew")
            ((ids, _),) = await run("redrive", self._database.now(), *filter_params(which))
            return list(ids or ())

        return await self._database.transact(work, patience=LONG)

    async def edit(self, job: UUID, edit: JobEdit) -> bool:
        """See `JobStore.edit`."""
        changes = {name: value for name in _EDITABLE if (value := getattr(edit, name)) is not UNSET}
        params: list[Any] = []
        for name in _EDITABLE:
            params += [name in changes, changes.get(name)]
        told = {name: value for name, value in changes.items() if name != "payload"}
        ((edited, _),) = await self._database.fetch("edit", self._database.now(), job, *params, dump(told))
        return bool(edited)

    async def resume(self, which: Sequence[UUID], wake_key: str | None = None) -> int:
        """See `JobStore.resume`."""
        ((count, _),) = await self._database.fetch("resume", self._database.now(), list(which), wake_key)
        return int(count)


async def _end_cancelled(run: Run, now: datetime, rows: Sequence[Any]) -> list[UUID]:
    """End those of these locked jobs whose cancel was asked for; returns the others."""
    ends = [row for row in rows if row["cancel_requested"]]
    await finish(run, now, [Ending(row["id"], State.CANCELLED) for row in ends])
    await wake_parents(run, now, [row["parent"] for row in ends])
    return [row["id"] for row in rows if not row["cancel_requested"]]


def _returned(row: Any) -> State:
    return State.CANCELLED if row["cancel_requested"] else State.READY


def _wait(now: datetime, *moments: datetime | None) -> timedelta | None:
    known = [moment for moment in moments if moment is not None]
    return max(min(known) - now, _NONE) if known else None
