"""Every rule of `rota verify` finds the fault that it is there for, and nothing in rows that are right."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from rota.model.ids import new_id
from rota.model.inspection import Finding, JobRow, SlotRow, TickRow
from rota.policy.verifying import check_job, check_slots, check_tick, check_two_rows, crowded, stuck

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=7)

READY = JobRow(
    place="live", id=new_id(), state="ready", queue="mail", task="send", attempt=0, crashes=0, token=None,
    owner=None, held=None, slots=(), wake_key=None, wake_at=None, children=0, external_id=None, schedule=None,
    due=None, run_at=None, lease_until=None, submitted_at=NOW, claimed_at=None, finished_at=None,
    children_live=0, ticked=False, events=(), events_at=(),
)  # fmt: skip
RUNNING = replace(
    READY, state="running", attempt=1, token=7, owner=new_id(), lease_until=NOW, claimed_at=NOW, slots=("a",)
)
HANDED = replace(RUNNING, state="handed", owner=None, external_id="x")
SCHEDULED = replace(READY, state="scheduled", run_at=NOW)
WAITING = replace(
    READY, state="waiting", wake_key="door", children=1, children_live=2, attempt=1, events=("suspend",)
)
SUCCEEDED = replace(READY, place="history", state="succeeded", attempt=1, token=7, finished_at=NOW)
DEAD = replace(SUCCEEDED, place="dead", state="failed")
CANCELLED = replace(READY, place="history", state="cancelled", finished_at=NOW)
EXPIRED = replace(CANCELLED, state="expired")
OF_A_TICK = replace(READY, schedule="nightly", due=NOW, ticked=True)
TICK = TickRow(
    schedule="nightly", due=NOW, state="fired", job=new_id(), fired_at=NOW,
    job_found=True, job_schedule="nightly", job_due=NOW,
)  # fmt: skip


def kinds(row: JobRow, **changes: Any) -> list[str]:
    return [finding.kind for finding in check_job(replace(row, **changes), LONG_AGO)]


@pytest.mark.parametrize(
    "row",
    [
        READY, RUNNING, HANDED, SCHEDULED, WAITING, SUCCEEDED, DEAD, CANCELLED, EXPIRED, OF_A_TICK,
        replace(READY, held="limit:task:send"),
        replace(READY, attempt=2, crashes=1, events=("rescue", "hold", "retry")),
        replace(RUNNING, attempt=3, crashes=1, events=("rescue", "retry", "give_back")),
        replace(SUCCEEDED, events=("retry", "redrive")),
    ],
    ids=lambda row: f"{row.state}-{len(row.events)}-{row.held}-{row.schedule}",
)  # fmt: skip
def test_what_is_right_passes(row: JobRow) -> None:
    assert kinds(row) == []


@pytest.mark.parametrize(
    ("row", "changes", "kind"),
    [
        pytest.param(SUCCEEDED, {"place": "live"}, "state", id="finished-among-the-live"),
        pytest.param(READY, {"place": "dead"}, "state", id="live-among-the-dead"),
        pytest.param(DEAD, {"place": "history"}, "state", id="failed-in-the-history"),
        pytest.param(READY, {"state": "lost"}, "state", id="no-state"),
        pytest.param(RUNNING, {"token": None}, "claim", id="running-without-token"),
        pytest.param(RUNNING, {"owner": None}, "claim", id="running-without-owner"),
        pytest.param(RUNNING, {"lease_until": None}, "claim", id="running-without-lease"),
        pytest.param(RUNNING, {"held": "limit:a"}, "claim", id="running-and-held"),
        pytest.param(RUNNING, {"attempt": 0}, "claim", id="running-uncounted"),
        pytest.param(HANDED, {"external_id": None}, "state", id="handed-to-nobody"),
        pytest.param(READY, {"token": 7}, "claim", id="ready-with-token"),
        pytest.param(WAITING, {"lease_until": NOW}, "claim", id="waiting-with-lease"),
        pytest.param(READY, {"slots": ("a",)}, "slots", id="ready-with-slots"),
        pytest.param(SCHEDULED, {"run_at": None}, "state", id="scheduled-for-never"),
        pytest.param(SCHEDULED, {"held": "limit:a"}, "state", id="scheduled-and-held"),
        pytest.param(READY, {"wake_key": "door"}, "state", id="ready-and-waiting"),
        pytest.param(WAITING, {"children_live": 0}, "children", id="children-that-are-gone"),
        pytest.param(SUCCEEDED, {"finished_at": None}, "state", id="finished-never"),
        pytest.param(SUCCEEDED, {"token": None}, "claim", id="succeeded-by-nobody"),
        pytest.param(READY, {"attempt": 1}, "attempts", id="tried-and-back-without-reason"),
        pytest.param(SUCCEEDED, {"attempt": 2}, "attempts", id="second-attempt-unexplained"),
        pytest.param(SUCCEEDED, {"attempt": 2, "events": ("retry", "redrive")}, "attempts", id="old-reason"),
        pytest.param(RUNNING, {"attempt": 2, "events": ("snooze",)}, "attempts", id="a-snooze-counts-none"),
        pytest.param(READY, {"crashes": 1}, "attempts", id="crash-unexplained"),
        pytest.param(OF_A_TICK, {"ticked": False}, "tick", id="job-without-tick"),
    ],
)
def test_a_planted_fault_is_found(row: JobRow, changes: dict[str, Any], kind: str) -> None:
    assert kinds(row, **changes) == [kind]


def test_what_retention_may_have_taken_is_not_asked_for() -> None:
    old = {"submitted_at": LONG_AGO - timedelta(days=1)}

    assert kinds(SUCCEEDED, attempt=5, **old) == []
    assert kinds(OF_A_TICK, ticked=False, **old) == []
    assert list(check_tick(replace(TICK, job_found=False, fired_at=LONG_AGO), LONG_AGO)) == []


def test_a_job_in_two_tables() -> None:
    assert check_two_rows(SUCCEEDED, DEAD).kind == "finished twice"
    assert check_two_rows(DEAD, READY).kind == "two places"


def test_slots() -> None:
    assert list(check_slots(SlotRow("a", 2, 3, 2))) == []
    (leak,) = check_slots(SlotRow("task:send", 2, 3, 1))
    assert leak == Finding(
        "slots", "task:send", "task:send: 2 slots are counted as used, and 1 jobs hold one"
    )
    assert crowded(SlotRow("a", 3, 3, 3)) is None
    assert crowded(SlotRow("a", 4, 3, 4)) is not None


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, 0),
        ({"job": None, "state": "missed", "job_found": False}, 0),
        ({"job": None}, 1),
        ({"job_found": False, "job_schedule": None, "job_due": None}, 1),
        ({"job_due": NOW + timedelta(hours=1)}, 1),
        ({"job_schedule": None}, 1),
    ],
    ids=["right", "missed", "fired-without-job", "job-gone", "other-moment", "other-schedule"],
)
def test_ticks(changes: dict[str, Any], faults: int) -> None:
    found = list(check_tick(replace(TICK, **changes), LONG_AGO))

    assert [finding.kind for finding in found] == ["tick"] * faults


def test_what_nobody_works_on_is_a_warning() -> None:
    later = NOW + timedelta(minutes=2)

    assert stuck(RUNNING, NOW) is None
    assert stuck(SCHEDULED, NOW) is None
    assert [stuck(row, later) is not None for row in (RUNNING, HANDED, SCHEDULED, READY)] == [1, 1, 1, 0]
