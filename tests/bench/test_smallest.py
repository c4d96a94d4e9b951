"""The benchmark in its smallest form: real servers, Rota and the raw loops."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from rich.console import Console

from bench import processes
from bench.__main__ import measure
from bench.cases.drain import drain
from bench.cases.step import Party
from bench.contenders.contract import Order
from bench.contenders.crowd import CROWD, enqueue_together
from bench.places import Places
from bench.plan import SMALLEST
from bench.processes import ContenderFailedError, run
from bench.runner import run_rounds
from bench.targets import SHORT


@pytest.mark.parametrize("part", ["sqlite:", "postgresql: latency", "import rota"])
def test_the_smallest_form_measures_what_it_names(part: str) -> None:
    results = measure(SMALLEST, Console(quiet=True), only=part)

    assert [f"{one.case}: {one.contender}: {one.failure}" for one in results.series if one.failure] == []
    assert {one.contender for one in results.series} >= {"rota"}
    assert all(one.median > 0 for one in results.series)


def test_an_idle_worker_is_read_by_the_stores_own_counters() -> None:
    results = measure(SMALLEST, Console(quiet=True), only="idle")

    judged = [one.name for one in results.targets if one.measured is not None]
    assert judged == [name for name in (target.name for target in SHORT) if "idle" in name]


def test_a_contender_that_fails_is_named_and_the_rest_goes_on() -> None:
    absent, there = Party("no_such_contender", "SQLite"), Party("raw_sqlite", "SQLite")

    with Places() as places:
        figures = run_rounds([drain(absent, 100), drain(there, 100)], 1, places, tell=lambda _: None)

    assert "no_such_contender" in next(one.failure for one in figures.series if one.failure)
    assert figures.median(("SQLite: drain", "raw")) is not None


def test_a_contender_that_hangs_is_ended_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LONGEST_RUN", 0.5)

    with (
        Places() as places,
        places.fresh("SQLite") as url,
        pytest.raises(ContenderFailedError, match="-9"),
        processes.serving("rota", Order(url)) as worker,
    ):
        worker.line()  # which an idle worker never says


def test_an_error_of_a_contender_is_told_in_its_own_words() -> None:
    with pytest.raises(ContenderFailedError, match="unable to open database file"):
        run("raw_sqlite", "enqueue", Order("sqlite:////no/such/folder/file.db", 1))


def test_a_crowd_counts_from_the_first_call_to_the_last_answer() -> None:
    timing = enqueue_together(_connect, CROWD * 3)

    assert timing.jobs == CROWD * 3
    assert timing.seconds >= 3 * SLOW


SLOW = 0.01


@contextmanager
def _connect() -> Iterator[Callable[[], object]]:
    yield lambda: time.sleep(SLOW)  # stands for a commit
