"""Every cell of the table of moves, the empty ones too, against a real store."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from rota.model.ids import new_id, new_token
from rota.model.job import Claim, JobEdit, JobRecord
from rota.model.outcome import Cancelled, Handed, Outcome, Retried, Settlement, Snooze, Suspended
from rota.model.states import State, Verb, allowed
from rota.testing.conformance.scene import BOOM, DONE, FAILED, HOUR, MINUTE, START, Scene, a_job

__all__ = ["TestStateTable"]

Try = Callable[[Scene, Claim], Awaitable[None]]

NEVER = START + timedelta(days=1)  # later than any test here goes on

# The port has no verb for it: a wait that times out is resumed, and fails in its next attempt.
BY_THE_ENGINE = {(State.WAITING, Verb.FAIL)}


async def submitted(scene: Scene, verb: Verb) -> UUID:
    """Submit a job that has a deadline where the verb is about deadlines."""
    return await scene.submit(expires_in=MINUTE if verb is Verb.EXPIRE else None)


async def scheduled(scene: Scene, verb: Verb) -> Claim:
    due = START + MINUTE if verb is Verb.PROMOTE else NEVER
    expires = START + MINUTE if verb is Verb.EXPIRE else None
    return Claim(await scene.submit(run_at=due, expires_at=expires), new_token())


async def ready(scene: Scene, verb: Verb) -> Claim:
    return Claim(await submitted(scene, verb), new_token())


async def running(scene: Scene, verb: Verb) -> Claim:
    await submitted(scene, verb)
    return (await scene.claim_one()).claim


async def settled(scene: Scene, verb: Verb, outcome: Outcome) -> Claim:
    await submitted(scene, verb)
    job = await scene.claim_one()
    assert await scene.settle(job, outcome)
    return Claim(job.id, (await scene.job(job.id)).token or job.token)


async def expired(scene: Scene, _verb: Verb) -> Claim:
    job = await scene.submit(expires_in=timedelta(seconds=1))
    scene.clock.advance(1)
    await scene.store.jobs.promote(10)
    return Claim(job, new_token())


PLACES: dict[State, Callable[[Scene, Verb], Awaitable[Claim]]] = {
    State.SCHEDULED: scheduled,
    State.READY: ready,
    State.RUNNING: running,
    State.EXPIRED: expired,
}
OUTCOMES: dict[State, Outcome] = {
    State.HANDED: Handed("external", START + MINUTE),
    State.WAITING: Suspended(wake_key="door"),
    State.SUCCEEDED: DONE,
    State.FAILED: FAILED,
    State.CANCELLED: Cancelled(),
}


async def bring(scene: Scene, state: State, verb: Verb) -> Claim:
    """Bring a job into a state, so that the verb would find what it needs if it were allowed there."""
    if state in PLACES:
        return await PLACES[state](scene, verb)
    return await settled(scene, verb, OUTCOMES[state])


def by_outcome(outcome: Outcome) -> Try:
    async def settle(scene: Scene, claim: Claim) -> None:
        await scene.store.jobs.settle([Settlement(claim.id, claim.token, outcome)])

    return settle


async def submit(scene: Scene, claim: Claim) -> None:
    await scene.store.jobs.submit([a_job(id=claim.id, rank=9)], resend=True)


async def promote(scene: Scene, _claim: Claim) -> None:
    scene.clock.advance(HOUR)
    await scene.store.jobs.promote(10)


async def edit(scene: Scene, claim: Claim) -> None:
    await scene.store.jobs.edit(claim.id, JobEdit(rank=9))


async def claim_all(scene: Scene, _claim: Claim) -> None:
    await scene.claim()


async def give_back(scene: Scene, claim: Claim) -> None:
    await scene.store.jobs.give_back([claim])


async def rescue(scene: Scene, _claim: Claim) -> None:
    scene.clock.advance(HOUR)
    await scene.store.jobs.rescue(10)


async def resume(scene: Scene, claim: Claim) -> None:
    await scene.store.jobs.resume([claim.id], "door")


async def cancel(scene: Scene, claim: Claim) -> None:
    await scene.cancel(claim.id)


async def redrive(scene: Scene, claim: Claim) -> None:
    await scene.redrive(claim.id)


# How each verb is tried, and the state it leads to in its plain form where the table names several.
TRIES: dict[Verb, tuple[Try, State | None]] = {
    Verb.SUBMIT: (submit, State.READY),
    Verb.PROMOTE: (promote, None),
    Verb.EDIT: (edit, State.SCHEDULED),
    Verb.CLAIM: (claim_all, None),
    Verb.SUCCEED: (by_outcome(DONE), None),
    Verb.FAIL: (by_outcome(FAILED), None),
    Verb.RETRY: (by_outcome(Retried(MINUTE, BOOM)), State.SCHEDULED),
    Verb.SNOOZE: (by_outcome(Snooze(MINUTE)), State.SCHEDULED),
    Verb.SUSPEND: (by_outcome(Suspended(wake_key="window")), State.WAITING),
    Verb.HAND_OVER: (by_outcome(Handed("other", NEVER)), None),
    Verb.STOP: (by_outcome(Cancelled()), None),
    Verb.GIVE_BACK: (give_back, State.READY),
    Verb.RESCUE: (rescue, State.READY),
    Verb.RESUME: (resume, None),
    Verb.CANCEL: (cancel, None),
    Verb.EXPIRE: (promote, None),
    Verb.REDRIVE: (redrive, None),
}


@pytest.mark.parametrize("verb", Verb)
class TestStateTable:
    @pytest.mark.parametrize("state", State)
    async def test_a_move_happens_where_the_table_has_it_and_nowhere_else(
        self, scene: Scene, state: State, verb: Verb
    ) -> None:
        claim = await bring(scene, state, verb)
        before = await scene.job(claim.id)
        assert before.state is state
        attempt, plain = TRIES[verb]
        await attempt(scene, claim)
        after = await scene.job(claim.id)
        ends = frozenset() if (state, verb) in BY_THE_ENGINE else allowed(state, verb)
        if ends:
            self._has_moved(before, after, ends, plain)
        else:
            assert after == before

    @staticmethod
    def _has_moved(before: JobRecord, after: JobRecord, ends: frozenset[State], plain: State | None) -> None:
        assert after != before
        assert after.state in ends
        assert len(ends) == 1 or after.state is plain

    async def test_nothing_comes_of_nothing_but_by_submit(self, scene: Scene, verb: Verb) -> None:
        claim = Claim(new_id(), new_token())
        attempt, plain = TRIES[verb]
        await attempt(scene, claim)
        record = await scene.store.insight.job(claim.id)
        assert (record.state if record else None) is (plain if allowed(None, verb) else None)
