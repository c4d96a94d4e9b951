"""Holds the ledger against the store: what was lost, finished twice, or started again without a reason."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct

from tests.chaos.ledger import Death, Line

__all__ = ["Finish", "Verdict", "check"]


class Finish(Struct, frozen=True):
    """What the store says of a finished job."""

    state: str
    token: int


class Verdict(Struct, frozen=True):
    """What is wrong, as sentences; and how often what happened."""

    faults: tuple[str, ...]
    deaths: Mapping[str, int]
    jobs: int
    starts: int

    def __str__(self) -> str:
        """Return a short report."""
        deaths = ", ".join(f"{phase} {count}" for phase, count in sorted(self.deaths.items()))
        again = self.starts - self.jobs
        lines = [f"{self.jobs} jobs, {again} started again, {sum(self.deaths.values())} kills ({deaths})"]
        return "\n".join([*lines, *self.faults[:20]])


def check(
    submitted: Iterable[str], finished: Mapping[str, Finish], lines: Iterable[Line], deaths: Iterable[Death]
) -> Verdict:
    """Compare.

    Args:
        submitted: ids of all jobs that `enqueue` returned.
        finished: what the store holds of each finished job.
        lines: the ledger.
        deaths: the processes that were killed.
    """
    expected = list(submitted)
    dead = {death.pid: death for death in deaths}
    starts: dict[str, list[Line]] = defaultdict(list)
    ends: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        (starts if line.what == "start" else ends)[line.job].append(line)
    faults = [f"lost: {job}" for job in expected if job not in finished]
    faults += [f"made up: {job}" for job in finished.keys() - set(expected)]
    for job, finish in finished.items():
        faults += _faults_of(job, finish, starts[job], ends[job], dead)
    return Verdict(
        tuple(faults),
        Counter(death.phase for death in dead.values()),
        len(expected),
        sum(len(several) for several in starts.values()),
    )


def _faults_of(
    job: str, finish: Finish, starts: list[Line], ends: list[Line], dead: Mapping[int, Death]
) -> list[str]:
    if finish.state != "succeeded":
        return [f"{finish.state}, not succeeded: {job}"]
    tokens = [line.token for line in starts]
    faults = []
    if finish.token not in {line.token for line in ends}:
        faults.append(f"finished by a claim that never ran it: {job}")
    if len(set(tokens)) != len(tokens):
        faults.append(f"started twice under one claim: {job}")
    for line in starts:
        if line.token == finish.token:
            continue
        # Any start but the one that counted has to be excused by the death of its process.
        death = dead.get(line.pid)
        if death is None or death.at < line.at:
            faults.append(f"started again without a reason: {job}")
    return faults
