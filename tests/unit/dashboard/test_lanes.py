"""The timeline as geometry."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from msgspec import structs

from rota.dashboard.lanes import Lane, Window, make_lane
from rota.model.job import JobRecord
from rota.model.schedule import ScheduleRecord, TickRecord
from rota.model.states import State
from rota.triggers.cron import cron
from rota.triggers.interval import every
from tests.unit.operations.records import a_record

NOW = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)
DAY = Window(NOW - timedelta(hours=24), NOW, NOW + timedelta(hours=24))


def schedule(text: str = "0 * * * *", tz: str = "UTC") -> ScheduleRecord:
    trigger = cron(text, tz=tz)
    return ScheduleRecord(
        id="s",
        task="t",
        queue="q",
        executor="async",
        trigger=trigger.to_json(),
        payload=b"{}",
        options={},
        source="code",
        next_at=trigger.next_after(NOW),
    )


def tick(hours: float, **changes: object) -> TickRecord:
    due = NOW - timedelta(hours=hours)
    plain = TickRecord(
        schedule="s",
        due=due,
        source="tick",
        version=1,
        state="fired",
        job=uuid4(),
        missed=0,
        missed_from=None,
        reason=None,
        fired_at=due,
    )
    return structs.replace(plain, **changes)


def ran(one: TickRecord, minutes: float) -> JobRecord:
    assert one.job is not None
    job = a_record(state=State.SUCCEEDED)
    end = one.due + timedelta(minutes=minutes)
    return structs.replace(job, id=one.job, started_at=one.due, finished_at=end)


def draw(*ticks: TickRecord, jobs: tuple[JobRecord, ...] = (), of: ScheduleRecord | None = None) -> Lane:
    of = of or schedule()
    return make_lane(of, cron("0 * * * *", tz="UTC"), ticks, {one.id: one for one in jobs}, DAY)


def test_now_is_in_the_middle_and_the_next_day_is_to_come() -> None:
    lane = draw(tick(12))
    assert [one.x for one in lane.marks if one.kind == "fired"] == [25.0]
    coming = [one.x for one in lane.marks if one.kind == "coming"]
    assert len(coming) == 24
    assert coming[0] == 52.08
    assert coming[-1] == 100.0
    assert lane.text.startswith("s: 1 tick, 24 to come, the next 2026-03-29 01:00:00 UTC")


def test_what_ran_is_as_long_as_it_took_and_what_ran_beside_another_is_told() -> None:
    first, second, third = tick(12), tick(11.5), tick(3)
    jobs = (ran(first, 60), ran(second, 15), ran(third, 48))
    kinds = [(one.kind, one.x, one.width) for one in draw(third, second, first, jobs=jobs).stretches]
    assert kinds == [("beside", 25.0, 2.08), ("beside", 26.04, 0.52), ("run", 43.75, 1.67)]


def test_missed_moments_are_one_range() -> None:
    missed = tick(2, state="missed", job=None, missed=9, missed_from=NOW - timedelta(hours=11))
    lane = draw(missed)
    (stretch,) = lane.stretches
    assert (stretch.kind, stretch.x, stretch.width) == ("missed", 27.08, 18.75)
    assert "9 moments missed" in stretch.text
    assert "10 missed" in lane.text


def test_turned_clocks_are_marked_in_the_schedules_zone() -> None:
    (turn,) = [one for one in draw(of=schedule(tz="Europe/Amsterdam")).marks if one.kind == "turn"]
    assert turn.x == 52.08
    assert turn.text == "clocks go forward by 1 h, to 2026-03-29 03:00:00 CEST"


def test_a_paused_schedule_has_nothing_to_come() -> None:
    lane = draw(of=structs.replace(schedule(), paused_at=NOW))
    assert [one for one in lane.marks if one.kind == "coming"] == []
    assert lane.text == "s: 0 ticks, paused"


def test_many_marks_become_stretches_and_endless_ones_go_on() -> None:
    trigger = every(seconds=5)
    often = structs.replace(schedule(), trigger=trigger.to_json(), next_at=trigger.next_after(NOW))
    lane = make_lane(often, trigger, (), {}, DAY)
    assert len(lane.marks) < 120
    assert [one.text for one in lane.stretches][-1] == "and so on"
    assert round(lane.stretches[-1].x + lane.stretches[-1].width, 2) == 100.0
    assert "more than 400 to come" in lane.text
