"""What the chaos tests check beside `rota verify` finds its faults, too."""

from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from rota.model.ids import new_id
from rota.model.inspection import JobRow, LedgerLine
from rota.model.schedule import TickRecord
from rota.testing.conformance.scene import START
from tests.chaos import world
from tests.chaos.judging import gaps, made_up, wrong_states
from tests.chaos.ledger import append
from tests.chaos.victim import Intent

BEAT = timedelta(seconds=world.BEAT)
ROW = JobRow(
    place="history", id=new_id(), state="succeeded", queue="q", task="work", attempt=1, crashes=0, token=1,
    owner=None, held=None, slots=(), wake_key=None, wake_at=None, children=0, external_id=None, schedule=None,
    due=None, run_at=None, lease_until=None, submitted_at=START, claimed_at=None, finished_at=START,
    children_live=0, ticked=False, events=(), events_at=(),
)  # fmt: skip


def tick(number: int, missed: int = 0) -> TickRecord:
    due = START + number * BEAT
    since = due - missed * BEAT if missed else None
    return TickRecord(
        schedule="beat",
        due=due,
        source="tick",
        version=1,
        state="fired",
        job=None,
        missed=missed,
        missed_from=since,
        reason=None,
        fired_at=due,
    )


def test_ticks_without_a_gap() -> None:
    assert list(gaps([tick(5, missed=2), tick(0), tick(1), tick(2)])) == []


def test_a_gap_an_overlap_and_a_wrong_number() -> None:
    assert len(list(gaps([tick(0), tick(2)]))) == 1
    assert len(list(gaps([tick(0), tick(1), tick(2, missed=1)]))) == 1
    assert len(list(gaps([tick(0), replace(tick(3, missed=2), missed=1)]))) == 1


def test_a_job_that_nobody_submitted() -> None:
    told = [LedgerLine("submit", 0.0, str(ROW.id))]

    assert list(made_up([ROW], told)) == []
    assert list(made_up([replace(ROW, schedule="beat")], [])) == []
    assert len(list(made_up([ROW, replace(ROW, id=new_id())], told))) == 1


def test_a_job_that_ended_otherwise_than_its_task_says(tmp_path: Path) -> None:
    gone = replace(ROW, id=new_id(), state="cancelled")

    assert len(list(wrong_states([ROW, gone, replace(ROW, task="doomed")], tmp_path))) == 2
    append(tmp_path / "intents.jsonl", Intent(1, answered=True, cancelled=(gone.id,)))
    assert list(wrong_states([ROW, gone], tmp_path)) == []
