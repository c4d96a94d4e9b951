"""The ledger's checker is tested with planted faults: it finds each of them, and nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from msgspec.structs import replace

from rota.model.inspection import JobRow, LedgerLine
from rota.policy.ledgers import Ledger

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
BEGAN = NOW - timedelta(hours=1)
JOB, OTHER = UUID(int=1), UUID(int=2)

DONE = JobRow(
    place="history", id=JOB, state="succeeded", queue="mail", task="send", attempt=1, crashes=0, token=1,
    owner=None, held=None, slots=(), wake_key=None, wake_at=None, children=0, external_id=None, schedule=None,
    due=None, run_at=None, lease_until=None, submitted_at=BEGAN, claimed_at=BEGAN,
    finished_at=BEGAN + timedelta(seconds=20), children_live=0, ticked=False, events=(), events_at=(),
)  # fmt: skip


def line(what: Any, second: float = 0, token: int = 1, job: UUID = JOB, **more: Any) -> LedgerLine:
    """Return a line of so many seconds after the beginning."""
    return LedgerLine(what, BEGAN.timestamp() + second, str(job), token, **more)


SUBMIT = line("submit", token=0)
GOOD = (SUBMIT, line("start", 1), line("end", 2))
AGAIN = (line("start", 5, 2), line("end", 6, 2))


def after(*events: str, second: float = 4, **changes: Any) -> JobRow:
    """Return the finished job as it is after these events."""
    at = tuple(BEGAN + timedelta(seconds=second) for _ in events)
    return replace(DONE, events=events, events_at=at, **changes)


def kinds(lines: tuple[LedgerLine, ...], *rows: JobRow) -> list[str]:
    ledger = Ledger(lines, NOW, BEGAN - timedelta(days=1))
    found = [finding.kind for row in rows for finding in ledger.check_job(row)]
    return found + [finding.kind for finding in ledger.check_rest()]


def test_a_clean_run_has_no_fault() -> None:
    assert kinds(GOOD, DONE) == []


def test_a_lost_job() -> None:
    assert kinds((*GOOD, line("submit", job=OTHER)), DONE) == ["lost job"]
    assert kinds((SUBMIT,)) == ["lost job"]


def test_a_job_that_nobody_knows() -> None:
    assert kinds((*GOOD, line("start", 1, job=OTHER)), DONE) == ["unknown job"]


def test_a_second_start_needs_an_event() -> None:
    lines = (*GOOD, *AGAIN)

    assert kinds(lines, after(token=2)) == ["unexplained start"]
    for event in ("retry", "crash", "snooze", "rescue", "give_back", "redrive", "suspend"):
        assert kinds(lines, after(event, token=2)) == []
    assert kinds(lines, after("late", "hold", "cancel", token=2)) == ["unexplained start"]


def test_one_event_excuses_one_start() -> None:
    assert kinds((*GOOD, *AGAIN, line("start", 7, 3)), after("rescue", token=2)) == ["unexplained start"]


def test_two_starts_under_one_claim() -> None:
    assert kinds((*GOOD, line("start", 3)), after("rescue")) == ["claim started twice"]


def test_a_double_finish() -> None:
    assert kinds((*GOOD, line("end", 3)), DONE) == ["finished twice"]


def test_a_finish_by_a_claim_that_never_ran() -> None:
    assert kinds(GOOD, replace(DONE, token=9)) == ["foreign finish"]
    assert kinds((SUBMIT, line("start", 1)), DONE) == ["foreign finish"]


def test_a_job_that_succeeded_and_never_ran() -> None:
    others = (line("start", 1, job=OTHER), line("end", 2, job=OTHER))

    assert kinds((SUBMIT, *others), DONE, replace(DONE, id=OTHER)) == ["foreign finish"]


def test_a_start_after_the_finish() -> None:
    lines = (*GOOD, line("start", 30, 2))

    assert kinds(lines, after("rescue")) == ["started after its finish"]


def test_what_goes_on_is_not_judged() -> None:
    running = replace(DONE, place="live", state="running", finished_at=None)
    just_done = replace(DONE, finished_at=NOW + timedelta(seconds=1))

    assert kinds((SUBMIT, line("start", 1)), running) == []
    assert kinds((SUBMIT, line("start", 1)), just_done) == []


def test_what_retention_has_taken_is_not_lost() -> None:
    assert kinds((line("submit", -90_000), line("start", -89_000))) == []


class TestLimits:
    LIMITS: ClassVar[dict[str, Any]] = {"limits": {"key:send:ada": 1}}

    def row(self, job: UUID, **changes: Any) -> JobRow:
        return replace(DONE, id=job, **changes)

    def test_one_after_the_other(self) -> None:
        lines = (
            line("start", 1, **self.LIMITS), line("end", 2),
            line("start", 2, job=OTHER, **self.LIMITS), line("end", 3, job=OTHER),
        )  # fmt: skip

        assert kinds(lines, DONE, self.row(OTHER)) == []

    def test_two_at_once(self) -> None:
        lines = (
            line("start", 1, **self.LIMITS), line("end", 3),
            line("start", 2, job=OTHER, **self.LIMITS), line("end", 4, job=OTHER),
        )  # fmt: skip

        assert kinds(lines, DONE, self.row(OTHER)) == ["limit exceeded"]

    def test_a_kill_ends_a_run(self) -> None:
        lines = (
            line("start", 1, token=8, pid=5, **self.LIMITS), LedgerLine("kill", BEGAN.timestamp() + 2, pid=5),
            line("start", 3, job=OTHER, **self.LIMITS), line("end", 4, job=OTHER),
            line("start", 6, **self.LIMITS), line("end", 7),
        )  # fmt: skip

        assert kinds(lines, after("rescue", second=5), self.row(OTHER)) == []

    def test_a_lost_lease_ends_a_run(self) -> None:
        lines = (
            line("start", 1, token=8, **self.LIMITS), line("end", 9, token=8),
            line("start", 5, **self.LIMITS), line("end", 6),
        )  # fmt: skip

        assert kinds(lines, after("rescue", second=4)) == []

    def test_a_claim_lost_before_it_began_holds_no_slot(self) -> None:
        lines = (
            line("start", 5, **self.LIMITS), line("end", 7),
            line("start", 6, token=8, **self.LIMITS), line("end", 8, token=8),
        )  # fmt: skip

        assert kinds(lines, after("rescue", second=4)) == []

    def test_a_run_without_end_goes_on(self) -> None:
        running = replace(DONE, place="live", state="running", finished_at=None)
        lines = (
            line("start", 1, **self.LIMITS),
            line("start", 5, job=OTHER, **self.LIMITS), line("end", 6, job=OTHER),
        )  # fmt: skip

        assert kinds(lines, running, self.row(OTHER)) == ["limit exceeded"]
