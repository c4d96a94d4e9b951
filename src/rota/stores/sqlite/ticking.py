"""Ticks: what is written when the moments of schedules have come."""

from collections.abc import Sequence
from uuid import UUID

from rota.model.clock import to_micros
from rota.model.job import JobFilter, Submission
from rota.model.schedule import BACKFILL, Tick
from rota.policy.overlap import MOST_WAITING, Overlap, room
from rota.stores.groups import rounds
from rota.stores.plans import drive
from rota.stores.sqlite.columns import statements
from rota.stores.sqlite.ending import cancel
from rota.stores.sqlite.submit import submit_plan
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.values import ids, json_text, micros_or_none

__all__ = ["backfill", "drop", "fire"]


def fire(transaction: Transaction, ticks: Sequence[Tick]) -> frozenset[str]:
    """Fire ticks; returns the schedules that moved on."""
    moved: set[str] = set()
    for group in rounds(ticks, lambda tick: tick.schedule):
        moved.update(_fire(transaction, group))
    return frozenset(moved)


def _fire(transaction: Transaction, ticks: Sequence[Tick]) -> list[str]:
    """Fire ticks of different schedules."""
    seen = json_text([(one.schedule, one.version, to_micros(one.due), to_micros(one.at)) for one in ticks])
    rows = transaction.rows("ripe_ticks", ticks=seen)
    moved = [ticks[place] for place, _ in rows]
    fresh = [ticks[place] for place, known in rows if not known]
    busy = _unfinished(transaction, fresh)
    jobs: list[Submission] = []
    held: list[UUID] = []
    written: list[_Row] = []
    places: dict[str, int] = {}
    for tick in fresh:
        number, first = busy.get(tick.schedule, (0, None))
        most = room(tick.overlap)
        if tick.submission is None:
            written.append(_row(tick))
        elif most is not None and number >= most:
            reason = f"overlap: job {first} has not finished"
            written.append(_row(tick, state="skipped", reason=reason))
        else:
            places[tick.schedule] = len(jobs)
            written.append(_row(tick, job=len(jobs)))
            jobs.append(tick.submission)
            if number:
                held.append(tick.submission.id)
    made = ids(job.id for job in jobs)
    lines = [
        (one.schedule, micros_or_none(one.next_at), to_micros(one.at), places.get(one.schedule))
        for one in moved
    ]
    transaction.change("advance", moved=json_text(lines), jobs=made)
    _submit(transaction, jobs, held)
    transaction.change("write_ticks", ticks=json_text(written), jobs=made)
    return [one.schedule for one in moved]


def _unfinished(transaction: Transaction, ticks: Sequence[Tick]) -> dict[str, tuple[int, UUID]]:
    """Return how many unfinished jobs stand before these ticks, and one of them, where their policy asks."""
    asking = [
        tick.schedule for tick in ticks if tick.submission is not None and room(tick.overlap) is not None
    ]
    for tick in ticks:
        if tick.overlap == Overlap.CANCEL_RUNNING and tick.submission is not None:
            cancel(transaction, JobFilter(schedule=tick.schedule))
    if not asking:
        return {}
    rows = transaction.rows("unfinished", schedules=json_text(asking), most=MOST_WAITING)
    return {schedule: (number, UUID(bytes=first)) for schedule, number, first in rows}


_Row = tuple[str, int, str, int, str, int | None, int, int | None, str | None]


def _row(
    tick: Tick,
    *,
    source: str = "tick",
    state: str | None = None,
    job: int | None = None,
    reason: str | None = None,
) -> _Row:
    """Return a tick as `write_ticks` takes it; `job` is the place of its job."""
    missed_from = to_micros(tick.due) if tick.missed else None
    at = to_micros(tick.at)
    return (
        tick.schedule,
        at,
        source,
        tick.version,
        state or tick.state,
        job,
        tick.missed,
        missed_from,
        reason,
    )


def _submit(transaction: Transaction, jobs: Sequence[Submission], held: Sequence[UUID]) -> None:
    plan = submit_plan(statements(), jobs, transaction.now, transaction.notices)
    drive(plan, transaction.run)
    transaction.change_each("hold_overlap", ({"job": job.bytes} for job in held))


def drop(transaction: Transaction, tick: Tick | None) -> None:
    """Record moments that nobody will run."""
    if tick is not None:
        rows = [_row(tick, reason=tick.state)]
        transaction.change("write_ticks", ticks=json_text(rows), jobs=b"")


def backfill(transaction: Transaction, ticks: Sequence[Tick]) -> int:
    """Run moments of the past; returns how many."""
    jobs: list[Submission] = []
    held: list[UUID] = []
    rows: list[_Row] = []
    busy: dict[str, bool] = {}
    for tick in ticks:
        at = to_micros(tick.at)
        if tick.submission is None or transaction.row("moment_run", schedule=tick.schedule, at=at):
            continue
        if tick.overlap != Overlap.ALLOW:
            if tick.schedule not in busy:
                asked = json_text([tick.schedule])
                busy[tick.schedule] = transaction.row("unfinished", schedules=asked, most=1) is not None
            if busy[tick.schedule]:
                held.append(tick.submission.id)
            busy[tick.schedule] = True
        rows.append(_row(tick, source=BACKFILL, job=len(jobs)))
        jobs.append(tick.submission)
    _submit(transaction, jobs, held)
    transaction.change("write_ticks", ticks=json_text(rows), jobs=ids(job.id for job in jobs))
    return len(jobs)
