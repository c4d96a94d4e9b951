"""What a worker costs that has nothing to do: transactions, CPU and memory."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg
from msgspec import Struct

from bench.cases.step import Party, Step
from bench.figures import Figures
from bench.gauges import cpu_seconds_of, memory_of, sqlite_transactions
from bench.places import POSTGRES, Places
from bench.processes import Running, run, serving

__all__ = ["idle"]


class _Reading(Struct, frozen=True):
    """What a worker had cost at a moment."""

    at: float
    transactions: int
    cpu: float


def idle(parties: Sequence[Party], seconds: float, rest: float) -> Step:
    """Watch idle workers, one on each store, for some seconds, after a rest that lets them become idle."""

    def measure(places: Places, figures: Figures) -> None:
        with ExitStack() as stack:
            watched = [(party, *_start(places, party, stack)) for party in parties]
            time.sleep(rest)  # nothing tells when a worker has become idle
            began = [_read(places, *one) for one in watched]
            time.sleep(seconds)  # the length that the figure is defined with
            for one, before in zip(watched, began, strict=True):
                _add(figures, one[0], before, _read(places, *one), memory_of(one[2].pid))

    return Step("idle", Party(parties[0].module, "each store"), measure, once=True)


def _start(places: Places, party: Party, stack: ExitStack) -> tuple[str, Running]:
    url = stack.enter_context(places.fresh(party.store))
    run(party.module, "enqueue", party.order(url, 1))  # makes the tables
    return url, stack.enter_context(serving(party.module, party.order(url)))


def _read(places: Places, party: Party, url: str, worker: Running) -> _Reading:
    return _Reading(time.monotonic(), _transactions(places, party.store, url), cpu_seconds_of(worker.pid))


def _add(figures: Figures, party: Party, began: _Reading, ended: _Reading, memory: float) -> None:
    passed = ended.at - began.at
    case, note = f"{party.store}: idle", f"over {passed:.0f} s"
    rate = (ended.transactions - began.transactions) / passed
    figures.add(f"{case} transactions", party.label, "/s", rate, note)
    figures.add(f"{case} CPU", party.label, "%", 100 * (ended.cpu - began.cpu) / passed, note)
    figures.add(f"{case} memory", party.label, "MB", memory)


def _transactions(places: Places, store: str, url: str) -> int:
    """Return the database's own count. SQLite counts only what writes."""
    if store != POSTGRES:
        return sqlite_transactions(Path(url.removeprefix("sqlite:///")))
    with psycopg.connect(places.postgres.url()) as connection:
        row = connection.execute(
            "select xact_commit + xact_rollback from pg_stat_database where datname = %s",
            (url.rpartition("/")[2],),
        ).fetchone()
    assert row is not None
    return int(row[0])
