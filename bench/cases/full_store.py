"""One store's long life: a backlog of a million, then what must not be in the way, then retention."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg

from bench.cases.step import Party, Step
from bench.figures import Figures
from bench.places import POSTGRES, Places
from bench.processes import run
from rota.stores.postgres.partitions import partition_script

__all__ = ["life_of_a_store"]

DAYS = 10  # longer than history is kept
FULL, EMPTY = "full store", "empty store"
COUNTED = """
    select sum(calls), sum(shared_blks_hit + shared_blks_read), sum(wal_bytes)
    from pg_stat_statements s join pg_database d on d.oid = s.dbid where d.datname = %s"""


def life_of_a_store(party: Party, stored: int, jobs: int, pairs: int) -> Step:
    """Drain a backlog, add what must not be in the way, compare with an empty store, let retention work.

    Args:
        party: Rota on a store.
        stored: jobs of the backlog, which are its history then, and future jobs; a tenth waits elsewhere.
        jobs: of each drain that is compared.
        pairs: how often it is compared.
    """

    def measure(places: Places, figures: Figures) -> None:
        with places.fresh(party.store) as url:
            _backlog(party, url, stored, figures)
            run(party.module, "fill_beside", party.order(url, stored))
            _let_rest(party.store, url)
            for _ in range(pairs):
                with places.fresh(party.store) as empty:
                    for label, place in ((EMPTY, empty), (FULL, url)):
                        run(party.module, "enqueue", party.order(place, 1))  # makes the tables
                        with _counted(places, party.store, place) as counts:
                            rate = _drain(party, place, jobs)
                        figures.add(f"{party.store}: drain", label, "jobs/s", rate, f"{jobs:,} jobs")
                        for what, count in counts.items():
                            figures.add(
                                f"{party.store}: {what} per 1,000 jobs", label, "", 1_000 * count / jobs
                            )
            _retention(party, url, figures)

    return Step(f"{party.store}: life of a store", party, measure, once=True)


def _backlog(party: Party, url: str, stored: int, figures: Figures) -> None:
    order = party.order(url, stored)
    run(party.module, "fill", order)
    marks = run(party.module, "drain", order).marks
    tenth = max(1, len(marks) // 10)
    for name, part in (("first", marks[: tenth + 1]), ("last", marks[-tenth - 1 :])):
        rate = (part[-1].jobs - part[0].jobs) / (part[-1].at - part[0].at)
        figures.add(f"{party.store}: backlog, {name} tenth", party.label, "jobs/s", rate, f"{stored:,} jobs")
        figures.add(f"{party.store}: memory, {name} tenth", party.label, "MB", part[-1].memory)


def _drain(party: Party, url: str, jobs: int) -> float:
    """Store and run jobs; returns the rate of the running."""
    run(party.module, "fill", party.order(url, jobs))
    return run(party.module, "drain", party.order(url, jobs)).rate


@contextmanager
def _counted(places: Places, store: str, url: str) -> Iterator[dict[str, float]]:
    """Give what PostgreSQL counts in the block, afterwards. SQLite counts nothing of this kind."""
    counts: dict[str, float] = {}
    if store != POSTGRES:
        yield counts
        return
    with psycopg.connect(places.postgres.url(), autocommit=True) as connection:
        connection.execute("create extension if not exists pg_stat_statements")
        connection.execute("checkpoint")  # so that both write the same pages whole
        connection.execute("select pg_stat_statements_reset()")
        yield counts
        row = connection.execute(COUNTED, (url.rpartition("/")[2],)).fetchone()
    assert row is not None
    counts.update(zip(("statements", "buffers", "WAL bytes"), map(float, row), strict=True))


def _let_rest(store: str, url: str) -> None:
    """Let PostgreSQL tidy up after the loading, as it would have over the days that history stands for."""
    if store == POSTGRES:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("vacuum analyze")


def _retention(party: Party, url: str, figures: Figures) -> None:
    """Make history old, and see what its removal does to claims."""
    (_age_postgres if party.store == POSTGRES else _age_sqlite)(url)
    retained = run(party.module, "retain", party.order(url))
    note = f"{retained.jobs:,} rows and whole days in {retained.seconds:.0f} s"
    figures.add(
        f"{party.store}: slowest claim, retention at work", party.label, "ms", 1_000 * retained.longest, note
    )


def _age_postgres(url: str) -> None:
    """Let all finished jobs have finished days ago, in the partitions that these days would have had."""
    with psycopg.connect(url, autocommit=True) as connection:
        days = [(datetime.now(UTC) - timedelta(days=DAYS + more)).date() for more in (0, 1)]
        connection.execute(partition_script("rota", days).encode())
        connection.execute(
            "update rota.history set finished_at = finished_at - make_interval(days => %s)", (DAYS,)
        )


def _age_sqlite(url: str) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("update history set finished_at = finished_at - ?", (DAYS * 86_400_000_000,))
    connection.close()
