"""The checker is tested with planted faults: it has to find each of them, and nothing else."""

from tests.chaos.checker import Finish, check
from tests.chaos.ledger import Death, Line


def start(job: str, token: int, pid: int = 1, at: float = 0.0) -> Line:
    return Line("start", job, token, pid, at)


def end(job: str, token: int, pid: int = 1, at: float = 1.0) -> Line:
    return Line("end", job, token, pid, at)


GOOD = (start("a", 1), end("a", 1))


def faults(
    lines: tuple[Line, ...],
    finished: dict[str, Finish],
    deaths: tuple[Death, ...] = (),
    jobs: tuple[str, ...] = ("a",),
) -> tuple[str, ...]:
    return check(jobs, finished, lines, deaths).faults


def test_a_clean_run_has_no_fault() -> None:
    assert faults(GOOD, {"a": Finish("succeeded", 1)}) == ()


def test_a_second_start_after_a_kill_is_explained() -> None:
    lines = (start("a", 1, pid=7, at=1), start("a", 2, pid=8, at=5), end("a", 2, pid=8, at=6))

    assert faults(lines, {"a": Finish("succeeded", 2)}, (Death(7, "run", 2),)) == ()


def test_a_lost_job_is_found() -> None:
    assert faults(GOOD, {"a": Finish("succeeded", 1)}, jobs=("a", "b")) == ("lost: b",)


def test_a_job_that_nobody_submitted_is_found() -> None:
    assert faults(GOOD, {"a": Finish("succeeded", 1)}, jobs=()) == ("made up: a",)


def test_a_second_start_without_a_kill_is_found() -> None:
    lines = (*GOOD, start("a", 2), end("a", 2))

    assert faults(lines, {"a": Finish("succeeded", 1)}) == ("started again without a reason: a",)


def test_a_start_after_the_death_of_its_process_is_no_excuse() -> None:
    lines = (start("a", 1, pid=7, at=3), start("a", 2), end("a", 2))

    assert faults(lines, {"a": Finish("succeeded", 2)}, (Death(7, "run", 2),)) == (
        "started again without a reason: a",
    )


def test_two_starts_under_one_claim_are_found() -> None:
    assert faults((start("a", 1), *GOOD), {"a": Finish("succeeded", 1)}) == (
        "started twice under one claim: a",
    )


def test_a_finish_by_a_foreign_claim_is_found() -> None:
    found = faults((*GOOD, start("a", 2)), {"a": Finish("succeeded", 9)}, (Death(1, "run", 2),))

    assert found == ("finished by a claim that never ran it: a",)


def test_a_job_that_failed_is_found() -> None:
    assert faults(GOOD, {"a": Finish("failed", 1)}) == ("failed, not succeeded: a",)
