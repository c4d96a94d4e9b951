"""Catching up, followed to the end: each due moment is handled exactly once, whatever was missed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rota.policy.misfires import CATCH_UP_CAP, ON_TIME, Decision, decide
from rota.triggers.base import Trigger
from rota.triggers.cron import cron
from rota.triggers.interval import every

START = datetime(2026, 3, 20, tzinfo=UTC)
triggers: st.SearchStrategy[Trigger] = st.one_of(
    st.integers(1, 3000).map(lambda minutes: every(minutes=minutes)),
    st.integers(1, 300).map(lambda hours: every(hours=hours, end=START + timedelta(days=300))),
    st.sampled_from(["*/10 * * * *", "0 * * * *", "30 2 * * *", "5,55 8-18 * * mon-fri", "0 0 1 * *"]).map(
        lambda line: cron(line, "Europe/Amsterdam")
    ),
)
# Missed moments of a cron are counted up to 1,000.
downtimes = st.timedeltas(timedelta(0), timedelta(days=6))


def moments(trigger: Trigger, due: datetime, now: datetime) -> list[datetime]:
    """Return all due moments, by walking."""
    found, moment = [], trigger.next_after(due - timedelta.resolution)
    while moment is not None and moment <= now:
        found.append(moment)
        moment = trigger.next_after(moment)
    return found


def catch_up(trigger: Trigger, due: datetime, now: datetime, policy: str) -> list[Decision]:
    """Decide until nothing is due any more, as turns of a scheduler do."""
    decisions: list[Decision] = []
    moment: datetime | None = due
    while moment is not None and moment <= now:
        decisions.append(decide(trigger, moment, now, policy))
        moment = decisions[-1].next_at
    return decisions


@given(trigger=triggers, downtime=downtimes, policy=st.sampled_from(["one", "all", "none"]))
def test_each_moment_is_handled_once_and_the_schedule_goes_on(
    trigger: Trigger, downtime: timedelta, policy: str
) -> None:
    due = trigger.next_after(START)
    assert due is not None
    now = due + downtime
    all_due, decisions = moments(trigger, due, now), catch_up(trigger, due, now, policy)
    assert sum(decision.missed + 1 for decision in decisions) == len(all_due)
    assert [decision.at for decision in decisions] == sorted({decision.at for decision in decisions})
    assert {decision.at for decision in decisions} <= set(all_due)
    assert decisions[-1].next_at == trigger.next_after(now)


@given(trigger=triggers, downtime=downtimes)
def test_what_runs_is_what_the_policy_says(trigger: Trigger, downtime: timedelta) -> None:
    due = trigger.next_after(START)
    assert due is not None
    now = due + downtime
    all_due = moments(trigger, due, now)
    runs = {
        policy: [decision.at for decision in catch_up(trigger, due, now, policy) if decision.runs]
        for policy in ("one", "all", "none")
    }
    assert runs["one"] == all_due[-1:]
    assert runs["all"] == all_due[-CATCH_UP_CAP:]
    assert runs["none"] == [moment for moment in all_due[-1:] if now - moment <= ON_TIME]
