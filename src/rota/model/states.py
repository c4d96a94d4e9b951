"""The states of a job and the only moves between them (docs/states.md shows the same as a picture)."""

from enum import StrEnum

from rota.model.errors import ForbiddenMoveError

__all__ = ["FINISHED", "LIVE", "MOVES", "State", "Verb", "allowed", "check_move"]


class State(StrEnum):
    """Where a job is in its life."""

    SCHEDULED = "scheduled"
    READY = "ready"
    RUNNING = "running"
    HANDED = "handed"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Verb(StrEnum):
    """What can be done to a job. One verb is one transaction."""

    SUBMIT = "submit"
    PROMOTE = "promote"
    EDIT = "edit"
    CLAIM = "claim"
    SUCCEED = "succeed"
    FAIL = "fail"
    RETRY = "retry"
    SNOOZE = "snooze"
    SUSPEND = "suspend"
    HAND_OVER = "hand_over"
    STOP = "stop"
    GIVE_BACK = "give_back"
    RESCUE = "rescue"
    RESUME = "resume"
    CANCEL = "cancel"
    EXPIRE = "expire"
    REDRIVE = "redrive"


LIVE = frozenset({State.SCHEDULED, State.READY, State.RUNNING, State.HANDED, State.WAITING})
FINISHED = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.EXPIRED})

_ENDS = {
    Verb.SUCCEED: frozenset({State.SUCCEEDED}),
    Verb.FAIL: frozenset({State.FAILED}),
    # Without a delay the job is ready at once; where a cancel was asked for, it is not run again.
    Verb.RETRY: frozenset({State.SCHEDULED, State.READY, State.CANCELLED}),
    Verb.SNOOZE: frozenset({State.SCHEDULED, State.READY, State.CANCELLED}),
    # Ready at once when the children awaited have already finished.
    Verb.SUSPEND: frozenset({State.WAITING, State.READY, State.CANCELLED}),
    Verb.HAND_OVER: frozenset({State.HANDED}),
    Verb.STOP: frozenset({State.CANCELLED}),
    Verb.GIVE_BACK: frozenset({State.READY, State.CANCELLED}),
    # A lost lease: back in line, or cancelled if that was asked for, or failed once it crashed too often.
    Verb.RESCUE: frozenset({State.READY, State.CANCELLED, State.FAILED}),
}
_REDRIVEN = {Verb.REDRIVE: frozenset({State.READY})}

MOVES: dict[State | None, dict[Verb, frozenset[State]]] = {
    None: {Verb.SUBMIT: frozenset({State.SCHEDULED, State.READY})},
    State.SCHEDULED: {
        Verb.PROMOTE: frozenset({State.READY}),
        Verb.EDIT: frozenset({State.SCHEDULED, State.READY}),
        Verb.CANCEL: frozenset({State.CANCELLED}),
        Verb.EXPIRE: frozenset({State.EXPIRED}),
    },
    State.READY: {
        Verb.CLAIM: frozenset({State.RUNNING}),
        Verb.CANCEL: frozenset({State.CANCELLED}),
        Verb.EXPIRE: frozenset({State.EXPIRED}),
    },
    # A cancel of a running or handed job is a request: the state stays until its owner stops.
    State.RUNNING: {**_ENDS, Verb.CANCEL: frozenset({State.RUNNING})},
    State.HANDED: {**_ENDS, Verb.CANCEL: frozenset({State.HANDED})},
    State.WAITING: {
        Verb.RESUME: frozenset({State.READY}),
        Verb.CANCEL: frozenset({State.CANCELLED}),
        Verb.FAIL: frozenset({State.FAILED}),
    },
    State.SUCCEEDED: {},
    State.FAILED: _REDRIVEN,
    State.CANCELLED: _REDRIVEN,
    State.EXPIRED: _REDRIVEN,
}


def allowed(state: State | None, verb: Verb) -> frozenset[State]:
    """Return the states that `verb` may lead to from `state` (None: no such job yet); empty if forbidden."""
    return MOVES[state].get(verb, frozenset())


def check_move(state: State | None, verb: Verb) -> frozenset[State]:
    """Return the states that `verb` may lead to.

    Raises:
        ForbiddenMoveError: the table has no such move.
    """
    ends = allowed(state, verb)
    if not ends:
        verbs = ", ".join(sorted(MOVES[state])) or "nothing"
        raise ForbiddenMoveError(str(verb), str(state) if state else "absent", verbs)
    return ends
