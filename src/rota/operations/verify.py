"""Does the store keep its promises? Its rows are held against the rules, and against a ledger."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from msgspec import DecodeError, Struct, json

from rota.model.errors import ConfigurationError
from rota.model.inspection import Finding, JobRow, LedgerLine
from rota.policy import verifying
from rota.policy.ledgers import Ledger
from rota.ports.store import Store

__all__ = ["Verdict", "read_ledger", "verify"]

PAGE = 1000
SHOWN = 1000
_FIRST = UUID(int=0)
_DAWN = datetime(1, 1, 2, tzinfo=UTC)
_line = json.Decoder(LedgerLine).decode


class Verdict(Struct, frozen=True):
    """What was looked at, and what is wrong.

    Attributes:
        looked: how many jobs (live, dead, history), scopes, ticks and, of a ledger, lines and starts.
        counts: how many findings of each kind there are.
        findings: the first thousand of them.
        warnings: what breaks no promise and waits for somebody.
    """

    looked: dict[str, int]
    counts: dict[str, int]
    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.counts


async def verify(store: Store, *, keep: timedelta, ledger: Path | None = None) -> Verdict:
    """Look at every row of a store. It may be at work meanwhile: each answer is of one moment.

    Args:
        store: open.
        keep: how long finished jobs, their events and ticks are kept; what is older may rightly be gone.
        ledger: a file of lines as `LedgerLine` describes them.

    Raises:
        ConfigurationError: the ledger cannot be read; the line is named.
    """
    return await _Verifier(store, await store.insight.now(), keep).run(ledger)


def read_ledger(path: Path) -> Iterator[LedgerLine]:
    """Read a ledger: one JSON object a line. A last line without its end was being written, and is left out.

    Raises:
        ConfigurationError: the file or a line cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    yield _read_line(path, number, line)
    except OSError as error:
        raise ConfigurationError([f"ledger {path}: {error.strerror or error}"]) from error


def _read_line(path: Path, number: int, line: bytes) -> LedgerLine:
    try:
        return _line(line)
    except DecodeError as error:
        example = '{"what": "start", "at": 1767614400.5, "id": "…", "token": 1, "pid": 1}'
        text = f"ledger {path}, line {number}: {error}. A line is like {example}"
        raise ConfigurationError([text]) from None


class _Verifier:
    """One look at one store."""

    def __init__(self, store: Store, now: datetime, keep: timedelta) -> None:
        self._inspection = store.inspection
        self._now = now
        self._since = now - keep
        self._looked: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._findings: list[Finding] = []
        self._warnings: list[Finding] = []

    async def run(self, path: Path | None) -> Verdict:
        """Look at everything. The ledger comes first: the store then knows all that it tells."""
        ledger = None if path is None else Ledger(read_ledger(path), self._now, self._since)
        await self._look_at_jobs(ledger)
        scopes = await self._inspection.slots()
        self._looked["scopes"] = len(scopes)
        for scope in scopes:
            self._note(verifying.check_slots(scope))
            self._warn(verifying.crowded(scope))
        await self._look_at_ticks()
        self._note(verifying.check_twins(key, count) for key, count in await self._inspection.twins())
        if ledger is not None:
            self._looked["ledger lines"] = ledger.lines
            self._looked["starts"] = ledger.starts
            self._note(ledger.check_rest())
        return Verdict(dict(self._looked), dict(self._counts), tuple(self._findings), tuple(self._warnings))

    async def _look_at_jobs(self, ledger: Ledger | None) -> None:
        self._looked.update({"live": 0, "dead": 0, "history": 0})
        before: JobRow | None = None
        async for row in self._jobs():
            self._looked[row.place] += 1
            if before is not None and before.id == row.id:
                self._note([verifying.check_two_rows(before, row)])
            before = row
            self._note(verifying.check_job(row, self._since))
            self._warn(verifying.stuck(row, self._now))
            if ledger is not None:
                self._note(ledger.check_job(row))

    async def _jobs(self) -> AsyncIterator[JobRow]:
        after = _FIRST
        while page := await self._inspection.jobs(after=after, limit=PAGE):
            for row in page:
                yield row
            after = page[-1].id

    async def _look_at_ticks(self) -> None:
        self._looked["ticks"] = 0
        after = ("", _DAWN)
        while page := await self._inspection.ticks(after=after, limit=PAGE):
            for tick in page:
                self._looked["ticks"] += 1
                self._note(verifying.check_tick(tick, self._since))
            after = (page[-1].schedule, page[-1].due)

    def _note(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._counts[finding.kind] += 1
            if len(self._findings) < SHOWN:
                self._findings.append(finding)

    def _warn(self, warning: Finding | None) -> None:
        if warning is not None and len(self._warnings) < SHOWN:
            self._warnings.append(warning)
