"""Holds a ledger, written outside Rota by those who submit and run jobs, against the rows of a store."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from math import inf
from typing import Final

from msgspec import Struct

from rota.model.inspection import Finding, JobRow, LedgerLine
from rota.model.states import State

__all__ = ["Ledger"]

EXCUSES: Final = frozenset({"retry", "crash", "snooze", "suspend", "rescue", "give_back", "redrive"})
"""Events after which a job starts again, and rightly so."""
SKEW = 1.0


class _Run(Struct, frozen=True):
    """One start of a job under a limit, from second to second."""

    start: float
    end: float
    limits: Mapping[str, int]


class Ledger:
    """What was told of jobs, and how it fits.

    Args:
        lines: read before the store, so that the store knows all that they tell.
        read_at: a moment before the reading, by the store's clock; what finished later may also start later.
        since: what was submitted before that may have been forgotten by the store.
    """

    def __init__(self, lines: Iterable[LedgerLine], read_at: datetime, since: datetime) -> None:
        self._read_at = read_at
        self._since = since.timestamp()
        self._submitted: dict[str, float] = {}
        self._starts: dict[str, list[LedgerLine]] = defaultdict(list)
        self._ends: dict[tuple[str, int], list[float]] = defaultdict(list)
        self._kills: dict[int, list[float]] = defaultdict(list)
        self._runs: list[_Run] = []
        self._seen: set[str] = set()
        self.lines = 0
        for line in lines:
            self._take(line)

    @property
    def starts(self) -> int:
        """How many starts it tells of."""
        return sum(map(len, self._starts.values()))

    def _take(self, line: LedgerLine) -> None:
        self.lines += 1
        if line.what == "submit":
            self._submitted[line.id] = line.at
        elif line.what == "start":
            self._starts[line.id].append(line)
        elif line.what == "end":
            self._ends[line.id, line.token].append(line.at)
        else:
            self._kills[line.pid].append(line.at)

    def check_job(self, row: JobRow) -> Iterator[Finding]:
        """Hold what is told of a job against its row."""
        job = str(row.id)
        self._seen.add(job)
        starts = self._starts.get(job, ())
        yield from self._check_starts(job, row, starts)
        if row.finished_at is not None and row.finished_at < self._read_at and (starts or self._is_told(job)):
            yield from self._check_finish(job, row, starts)
        self._runs += [_Run(one.start, one.end, one.limits) for one in self._limited(row, starts)]

    def _is_told(self, job: str) -> bool:
        """Tell whether starts of a job would stand here: it was submitted here, and starts are written."""
        return job in self._submitted and bool(self._starts)

    def check_rest(self) -> Iterator[Finding]:
        """Return what only shows once every job's row was held against it."""
        for job, at in self._submitted.items():
            if job not in self._seen and at > self._since:
                yield Finding("lost job", job, f"job {job} was submitted, and the store does not have it")
        for job, starts in self._starts.items():
            if job not in self._seen and starts[-1].at > self._since:
                yield Finding("unknown job", job, f"job {job} ran, and the store does not have it")
        yield from _check_limits(self._runs)

    def _check_starts(self, job: str, row: JobRow, starts: Iterable[LedgerLine]) -> Iterator[Finding]:
        tokens = [line.token for line in starts]
        if len(set(tokens)) < len(tokens):
            yield Finding("claim started twice", job, f"job {job} started twice under one claim")
        for token in set(tokens):
            if len(self._ends.get((job, token), ())) > 1:
                yield Finding("finished twice", job, f"job {job} ended twice under one claim")
        excuses = sum(kind in EXCUSES for kind in row.events)
        if len(tokens) > 1 + excuses:
            told = ", ".join(row.events) or "none"
            text = f"job {job} started {len(tokens)} times, and its events ({told}) explain {1 + excuses}"
            yield Finding("unexplained start", job, text)

    def _check_finish(self, job: str, row: JobRow, starts: Iterable[LedgerLine]) -> Iterator[Finding]:
        finished = row.finished_at.timestamp() if row.finished_at else inf
        if row.state == State.SUCCEEDED and (job, row.token) not in self._ends:
            yield Finding(
                "foreign finish", job, f"job {job} succeeded by a claim that never ran it to its end"
            )
        for line in starts:
            if line.token != row.token and line.at > finished + SKEW:
                text = f"job {job} started {line.at - finished:.1f} s after it had {row.state}"
                yield Finding("started after its finish", job, text)

    def _limited(self, row: JobRow, starts: Iterable[LedgerLine]) -> Iterator[_Run]:
        """Yield the runs of a job under limits, each as long as its claim held."""
        for line in starts:
            if not line.limits:
                continue
            lost = [
                at.timestamp()
                for kind, at in zip(row.events, row.events_at, strict=True)
                if kind in EXCUSES and at.timestamp() > line.at
            ]
            if not lost and line.token != row.token:
                continue  # its claim was lost before it began: the start of a worker that had slept
            ends = [*self._ends.get((str(row.id), line.token), ()), *self._kills.get(line.pid, ()), *lost]
            end = min((at for at in ends if at >= line.at), default=inf)
            yield _Run(line.at, end, line.limits)


def _check_limits(runs: Iterable[_Run]) -> Iterator[Finding]:
    """Count, at every start, how many ran in each scope."""
    steps: dict[str, list[tuple[float, int]]] = defaultdict(list)
    limits: dict[str, int] = {}
    for run in runs:
        for scope, limit in run.limits.items():
            limits[scope] = max(limit, limits.get(scope, 0))
            steps[scope] += [(run.start, 1), (run.end, -1)]
    for scope, moves in steps.items():
        running = most = 0
        for _, move in sorted(moves):  # ends stand before starts of the same moment
            running += move
            most = max(most, running)
        if most > limits[scope]:
            yield Finding(
                "limit exceeded", scope, f"{scope}: {most} jobs ran at once, and the limit is {limits[scope]}"
            )
