"""The table of moves, by itself; `rota.testing.conformance.table` holds the stores to it."""

import itertools

import pytest

from rota.model.errors import ForbiddenMoveError
from rota.model.states import FINISHED, LIVE, MOVES, State, Verb, allowed, check_move

CELLS = list(itertools.product([None, *State], Verb))
# The table as docs/states.md shows it, written down a second time: a changed cell has to be meant.
PICTURE = {
    None: "submit",
    State.SCHEDULED: "promote edit cancel expire",
    State.READY: "claim cancel expire",
    State.RUNNING: "succeed fail retry snooze suspend hand_over stop give_back rescue cancel",
    State.HANDED: "succeed fail retry snooze suspend hand_over stop give_back rescue cancel",
    State.WAITING: "resume cancel fail",
    State.SUCCEEDED: "",
    State.FAILED: "redrive",
    State.CANCELLED: "redrive",
    State.EXPIRED: "redrive",
}


def test_every_state_is_either_live_or_finished() -> None:
    assert set(State) == LIVE | FINISHED
    assert not LIVE & FINISHED


def test_every_state_has_its_row() -> None:
    assert set(MOVES) == {None, *State}


@pytest.mark.parametrize(("state", "verb"), CELLS)
def test_a_cell_is_as_in_the_picture(state: State | None, verb: Verb) -> None:
    assert bool(allowed(state, verb)) is (str(verb) in PICTURE[state].split())


@pytest.mark.parametrize(("state", "verb"), CELLS)
def test_a_forbidden_move_is_refused_in_plain_words(state: State | None, verb: Verb) -> None:
    if ends := allowed(state, verb):
        assert check_move(state, verb) == ends
        return
    with pytest.raises(ForbiddenMoveError) as caught:
        check_move(state, verb)
    assert (caught.value.verb, caught.value.state) == (verb, state or "absent")
    for word in (str(verb), str(state or "absent"), *(str(other) for other in MOVES[state])):
        assert word in str(caught.value)


def test_every_state_but_the_first_is_reached() -> None:
    reached = {end for row in MOVES.values() for ends in row.values() for end in ends}
    assert reached == set(State)


def test_from_everywhere_a_job_can_come_to_an_end() -> None:
    ending = set(FINISHED)
    for _ in State:
        ending |= {
            state
            for state, row in MOVES.items()
            if state is not None and any(ends & ending for ends in row.values())
        }
    assert ending == set(State)


def test_only_a_redrive_leads_out_of_an_end() -> None:
    assert {verb for state in FINISHED for verb in MOVES[state]} == {Verb.REDRIVE}


def test_what_succeeded_stays() -> None:
    assert MOVES[State.SUCCEEDED] == {}


def test_running_and_handed_end_alike() -> None:
    running, handed = (
        {verb: ends for verb, ends in MOVES[state].items() if verb is not Verb.CANCEL}
        for state in (State.RUNNING, State.HANDED)
    )
    assert running == handed


@pytest.mark.parametrize("state", [State.RUNNING, State.HANDED])
def test_a_cancel_of_what_runs_is_a_request(state: State) -> None:
    assert allowed(state, Verb.CANCEL) == {state}


@pytest.mark.parametrize("verb", [Verb.RETRY, Verb.SNOOZE, Verb.SUSPEND, Verb.GIVE_BACK, Verb.RESCUE])
def test_whatever_would_run_again_may_be_cancelled_instead(verb: Verb) -> None:
    assert State.CANCELLED in allowed(State.RUNNING, verb)


@pytest.mark.parametrize("verb", Verb)
def test_a_verb_is_spelled_as_people_write_it(verb: Verb) -> None:
    assert str(verb) == verb.value == verb.name.lower()
