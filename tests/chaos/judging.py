"""What a run came to: the verdict of `rota verify`, what the tests know beyond it, and a report."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import psycopg
from msgspec import Struct, json

from rota.model.inspection import JobRow, LedgerLine
from rota.model.schedule import TickRecord
from rota.operations.verify import verify
from rota.ports.store import Store
from tests.chaos import world
from tests.chaos.ledger import Death, read
from tests.chaos.torment import SPARED, Torment
from tests.chaos.victim import Born, Intent

__all__ = ["Report", "all_rows", "gaps", "judge", "made_up", "wrong_states"]

KEEP = timedelta(days=7)
FIRST = UUID(int=0)
EXPECTED = {"doomed": {"failed"}}
STARVED = 1.0


class Report(Struct, frozen=True):
    """One run in numbers; `faults` has to be empty."""

    seed: int
    store: str
    seconds: float
    jobs: int
    jobs_per_second: float
    ticks: int
    kills: dict[str, int]
    stops: dict[str, int]
    started_again: int
    rescued: int
    refused_late_finishes: int
    lost: int
    finished_twice: int
    limits_exceeded: int
    unexplained_starts: int
    largest_memory_mb: dict[str, int]
    faults: tuple[str, ...]

    def __str__(self) -> str:
        """Return it for people to read."""
        return json.format(json.encode(self), indent=2).decode()


def judge(torment: Torment, url: str, folder: Path, seed: int) -> Report:
    """Hold what the store has against what happened."""
    return asyncio.run(_judge(torment, torment.app.make_store(), url, folder, seed))


async def _judge(torment: Torment, store: Store, url: str, folder: Path, seed: int) -> Report:
    await store.open()
    try:
        verdict = await verify(store, keep=KEEP, ledger=torment.ledger.file)
        rows = await all_rows(store)
        ticks = await store.schedules.ticks("beat", limit=10**9)
    finally:
        await store.close()
    lines = read(torment.ledger.file, LedgerLine)
    events = Counter(kind for row in rows for kind in row.events)
    faults = [finding.text for finding in verdict.findings]
    faults += wrong_states(rows, folder)
    faults += made_up(rows, lines)
    faults += gaps(ticks)
    faults += _rescued_from_the_living(url, folder, torment)
    jobs, starts = len(rows), sum(line.what == "start" for line in lines)
    return Report(
        seed=seed,
        store=store.name,
        seconds=round(torment.seconds, 1),
        jobs=jobs,
        jobs_per_second=round(jobs / torment.seconds, 1),
        ticks=len(ticks),
        kills=_counted(one for one in torment.ledger.deaths() if one.phase not in SPARED),
        stops=_counted(one for one in torment.ledger.deaths() if one.phase in SPARED),
        started_again=starts - len({line.id for line in lines if line.what == "start"}),
        rescued=events["rescue"],
        refused_late_finishes=events["late"],
        lost=verdict.counts.get("lost job", 0),
        finished_twice=verdict.counts.get("finished twice", 0),
        limits_exceeded=verdict.counts.get("limit exceeded", 0),
        unexplained_starts=verdict.counts.get("unexplained start", 0),
        largest_memory_mb={role: size // 2**20 for role, size in sorted(torment.memory.items())},
        faults=tuple(faults[:50]),
    )


async def all_rows(store: Store) -> list[JobRow]:
    """Read every job."""
    rows: list[JobRow] = []
    while page := await store.inspection.jobs(after=rows[-1].id if rows else FIRST, limit=1000):
        rows += page
    return rows


def _counted(deaths: Iterable[Death]) -> dict[str, int]:
    return dict(sorted(Counter(f"{one.role}: {one.phase}" for one in deaths).items()))


def wrong_states(rows: list[JobRow], folder: Path) -> Iterator[str]:
    """Every job has ended as its task says; one whose cancel was asked for, as that or as cancelled."""
    cancelled = {job for intent in read(folder / "intents.jsonl", Intent) for job in intent.cancelled}
    for row in rows:
        expected = EXPECTED.get(row.task, {"succeeded"}) | ({"cancelled"} if row.id in cancelled else set())
        if row.state not in expected:
            yield f"{row.task} {row.id} is {row.state}, not {' or '.join(sorted(expected))}"


def made_up(rows: list[JobRow], lines: list[LedgerLine]) -> Iterator[str]:
    """Nothing is there that was not submitted: neither a second copy, nor part of a batch."""
    submitted = {line.id for line in lines if line.what == "submit"}
    for row in rows:
        if row.schedule is None and str(row.id) not in submitted:
            yield f"{row.task} {row.id} is there, and nobody was told that it was submitted"


def gaps(ticks: Sequence[TickRecord]) -> Iterator[str]:
    """Every moment of the beat is in one tick, or in the missed range of one."""
    beat = timedelta(seconds=world.BEAT)
    in_order = sorted(ticks, key=lambda tick: tick.due)
    for before, tick in pairwise(in_order):
        begins = tick.missed_from or tick.due
        if begins != before.due + beat:
            yield f"after the tick of {before.due} comes {begins}"
        if tick.missed != (tick.due - begins) // beat:
            yield f"the tick of {tick.due} counts {tick.missed} missed since {begins}"


def _rescued_from_the_living(url: str, folder: Path, torment: Torment) -> Iterator[str]:
    """Who loses jobs by its lease was killed, stopped, or given no time by the machine."""
    born = read(folder / "born.jsonl", Born)
    hurt = {death.pid for death in torment.ledger.deaths() if death.phase not in {"pause", "terminate"}}
    hurt |= {one.pid for one in born if one.slept > STARVED}
    living = {one.worker: one.pid for one in born if one.worker and one.pid not in hurt}
    for owner in _owners_of_the_rescued(url):
        if owner in living:
            yield f"jobs were taken from worker {owner} (process {living[owner]}), which was well"


def _owners_of_the_rescued(url: str) -> list[str]:
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        query = "select distinct data ->> '$.owner' from events where kind = 'rescue'"
        try:
            return [owner for (owner,) in connection.execute(query)]
        finally:
            connection.close()
    with psycopg.connect(url) as other:
        rows = other.execute("select distinct data ->> 'owner' from rota.events where kind = 'rescue'")
        return [owner for (owner,) in rows]
