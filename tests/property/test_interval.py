"""Intervals against plain arithmetic, tick by tick."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from rota.model.errors import TriggerError
from rota.triggers.interval import Interval, every
from rota.triggers.parse import from_json

BASE = datetime(2020, 1, 1, tzinfo=UTC)
moments = st.timedeltas(timedelta(days=-500), timedelta(days=500)).map(lambda offset: BASE + offset)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    """Intervals of all sizes, few ticks within a bounded stretch, some bounded."""
    period = draw(st.timedeltas(timedelta(microseconds=1), timedelta(days=400)))
    anchor, start, end = draw(moments), draw(st.none() | moments), draw(st.none() | moments)
    try:
        return every(microseconds=period // timedelta.resolution, anchor=anchor, start=start, end=end)
    except TriggerError:
        assume(False)  # noqa: FBT003 - no tick between start and end
        raise


def naively(trigger: Interval, after: datetime, until: datetime) -> list[datetime]:
    """Return the ticks in a stretch by walking away from the anchor, both ways."""
    first = trigger.anchor
    while first > after:
        first -= trigger.period
    while first <= after:
        first += trigger.period
    ticks = []
    while first <= until:
        ticks.append(first)
        first += trigger.period
    return [
        tick
        for tick in ticks
        if (trigger.start is None or tick >= trigger.start) and (trigger.end is None or tick <= trigger.end)
    ]


@given(trigger=intervals(), moment=moments)
def test_a_tick_lies_on_the_grid_within_the_bounds_and_is_the_next_one(
    trigger: Interval, moment: datetime
) -> None:
    tick = trigger.next_after(moment)
    if tick is None:
        assert trigger.end is not None
        assert trigger.end - max(moment, trigger.start or moment) < trigger.period
        return
    assert tick > moment
    assert (tick - trigger.anchor) % trigger.period == timedelta(0)
    assert trigger.start is None or tick >= trigger.start
    assert trigger.end is None or tick <= trigger.end
    earlier = tick - trigger.period
    assert earlier <= moment or (trigger.start is not None and earlier < trigger.start)


@given(trigger=intervals(), moment=moments, periods=st.floats(0, 50))
def test_ticks_and_their_count_agree_with_walking(
    trigger: Interval, moment: datetime, periods: float
) -> None:
    # Near the anchor, or walking there from the other end of time takes for ever.
    moment = trigger.anchor + (moment - BASE) % (100 * trigger.period) - 50 * trigger.period
    until = moment + periods * trigger.period
    expected = naively(trigger, moment, until)
    found, tick = [], trigger.next_after(moment)
    while tick is not None and tick <= until:
        found.append(tick)
        tick = trigger.next_after(tick)
    assert found == expected
    assert trigger.count(moment, until, 1) == len(expected)


@given(trigger=intervals(), moment=moments, later=st.timedeltas(timedelta(0), timedelta(days=900)))
def test_a_later_moment_never_has_an_earlier_tick(
    trigger: Interval, moment: datetime, later: timedelta
) -> None:
    first, second = trigger.next_after(moment), trigger.next_after(moment + later)
    assert second is None or (first is not None and first <= second)


@given(trigger=intervals())
def test_json_and_back_is_the_same_trigger(trigger: Interval) -> None:
    again = from_json(json.loads(json.dumps(trigger.to_json())))
    assert again == trigger
    assert str(again) == str(trigger)
    assert hash(again) == hash(trigger)
