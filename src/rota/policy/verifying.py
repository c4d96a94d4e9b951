"""What must hold of every row of a store: docs/states.md and docs/stores.md as checks."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from rota.model.inspection import Finding, JobRow, Place, SlotRow, TickRow
from rota.model.states import FINISHED, LIVE, State

__all__ = ["check_job", "check_slots", "check_tick", "check_twins", "check_two_rows", "crowded", "stuck"]

_OWNED = frozenset({State.RUNNING, State.HANDED})
_UNTRIED = frozenset({State.SCHEDULED, State.READY, State.WAITING, State.EXPIRED})
_COUNTED = frozenset({"retry", "crash", "suspend", "rescue"})
"""Events that end a counted attempt."""
_CRASHED = frozenset({"rescue", "retry", "crash"})
PATIENCE = timedelta(minutes=1)


def check_job(row: JobRow, since: datetime) -> Iterator[Finding]:
    """Hold one job's row against the state table.

    Args:
        row: as it stands.
        since: events and ticks of jobs submitted before that may have been forgotten.
    """
    if row.place != _place_of(row.state):
        yield _of(row, "state", f"is {row.state!r} in the table of {row.place} jobs")
        return
    if row.place == "live":
        yield from _check_claim(row)
        yield from _check_waiting(row)
    else:
        yield from _check_finished(row)
    if row.submitted_at > since:
        yield from _check_attempts(row)
        if row.due is not None and not row.ticked:
            yield _of(row, "tick", f"was made for {row.schedule!r} at {row.due}, and no tick names it")


def check_two_rows(first: JobRow, second: JobRow) -> Finding:
    """Return the finding that a job is in two tables."""
    text = f"job {first.id} is both {first.state} ({first.place}) and {second.state} ({second.place})"
    return Finding(
        "finished twice" if first.place != "live" != second.place else "two places", str(first.id), text
    )


def check_slots(row: SlotRow) -> Iterator[Finding]:
    """Hold the counter of a scope against the jobs that hold its slots."""
    if row.used != row.holders:
        text = f"{row.scope}: {row.used} slots are counted as used, and {row.holders} jobs hold one"
        yield Finding("slots", row.scope, text)


def crowded(row: SlotRow) -> Finding | None:
    """Return that more jobs run than the limit says, which is so for a while where it was lowered."""
    if row.holders <= row.capacity:
        return None
    text = f"{row.scope}: {row.holders} jobs hold a slot, and the limit asked for last is {row.capacity}"
    return Finding("limit", row.scope, text)


def check_tick(row: TickRow, since: datetime) -> Iterator[Finding]:
    """Hold a tick against its job.

    Args:
        row: as it stands.
        since: jobs of ticks that fired before that may have been forgotten.
    """
    subject = f"{row.schedule} {row.due.isoformat()}"
    if row.job is None:
        if row.state == "fired":
            yield Finding("tick", subject, f"tick {subject} fired and names no job")
    elif not row.job_found:
        if row.fired_at > since:
            yield Finding("tick", subject, f"tick {subject} names job {row.job}, which is not there")
    elif (row.job_schedule, row.job_due) != (row.schedule, row.due):
        theirs = f"{row.job_schedule} {row.job_due.isoformat() if row.job_due else None}"
        yield Finding("tick", subject, f"tick {subject} names job {row.job}, which was made for {theirs}")


def check_twins(unique_key: str, count: int) -> Finding:
    """Return the finding that several live jobs have one unique key."""
    return Finding("unique key", unique_key, f"{count} live jobs have the unique key {unique_key!r}")


def stuck(row: JobRow, now: datetime) -> Finding | None:
    """Return what nobody seems to work on; that breaks no promise, and somebody should know."""
    late = now - PATIENCE
    if row.state in _OWNED and row.lease_until is not None and row.lease_until < late:
        return _of(row, "stuck", f"is {row.state}, its lease passed at {row.lease_until}: no worker rescues")
    if row.state == State.SCHEDULED and row.run_at is not None and row.run_at < late:
        return _of(row, "stuck", f"was due at {row.run_at}: nobody promotes it")
    return None


def _place_of(state: str) -> Place | None:
    if state in LIVE:
        return "live"
    if state not in FINISHED:
        return None
    return "dead" if state == State.FAILED else "history"


def _of(row: JobRow, kind: str, text: str) -> Finding:
    return Finding(kind, str(row.id), f"job {row.id} {text}")


def _check_claim(row: JobRow) -> Iterator[Finding]:
    """A claim is there when somebody owns the job, whole, and gone when nobody does."""
    names = (
        ("token", "lease_until")
        if row.state == State.HANDED
        else ("token", "owner", "lease_until", "claimed_at")
    )
    if row.state in _OWNED:
        missing = [name for name in names if getattr(row, name) is None]
        if missing:
            yield _of(row, "claim", f"is {row.state} without {', '.join(missing)}")
        if row.attempt < 1:
            yield _of(row, "claim", f"is {row.state} in attempt {row.attempt}")
        if row.held is not None:
            yield _of(row, "claim", f"is {row.state} and held ({row.held})")
    else:
        left = [name for name in ("token", "owner", "lease_until") if getattr(row, name) is not None]
        if left:
            yield _of(row, "claim", f"is {row.state} and still has {', '.join(left)}")
        if row.slots:
            yield _of(row, "slots", f"is {row.state} and still holds slots of {', '.join(row.slots)}")


def _check_waiting(row: JobRow) -> Iterator[Finding]:
    if row.state == State.SCHEDULED and row.run_at is None:
        yield _of(row, "state", "is scheduled without a moment")
    if row.state == State.HANDED and row.external_id is None:
        yield _of(row, "state", "is handed without an external id")
    if row.held is not None and row.state not in {State.READY, *_OWNED}:
        yield _of(row, "state", f"is {row.state} and held ({row.held})")
    if row.state != State.WAITING and (row.wake_key is not None or row.wake_at is not None):
        yield _of(row, "state", f"is {row.state} and still waits for a wake-up")
    if row.children > row.children_live:
        yield _of(row, "children", f"waits for {row.children} children, and {row.children_live} are live")


def _check_finished(row: JobRow) -> Iterator[Finding]:
    if row.finished_at is None:
        yield _of(row, "state", f"is {row.state} without a moment of its end")
    if row.state in {State.SUCCEEDED, State.FAILED} and row.token is None:
        yield _of(row, "claim", f"{row.state} without the token of the claim that said so")


def _check_attempts(row: JobRow) -> Iterator[Finding]:
    """Each further attempt needs an event that says how the one before it ended."""
    life = row.events
    if "redrive" in life:
        life = life[len(life) - life[::-1].index("redrive") :]
    ended = sum(kind in _COUNTED for kind in life)
    explained = ended if row.state in _UNTRIED else ended + 1
    if row.attempt > explained:
        told = ", ".join(life) or "none"
        text = f"counts {row.attempt} attempts, of which its events ({told}) explain {explained}"
        yield _of(row, "attempts", text)
    # A job that is parked for its last crash has that crash for its end, and no event of it.
    crashed = sum(kind in _CRASHED for kind in life) + (row.place != "live")
    if row.crashes > crashed:
        yield _of(row, "attempts", f"counts {row.crashes} crashes, and {crashed} events tell of one")
