"""When a worker is to be replaced."""

import pytest

from rota.engine import recycling
from rota.engine.recycling import Recycler


def test_without_bounds_it_watches_nothing() -> None:
    assert not Recycler(0, 0).watches
    assert Recycler(1, 0).watches
    assert Recycler(0, 1).watches


def test_after_so_many_jobs_it_says_so_once() -> None:
    recycler = Recycler(3, 0)

    said = [recycler.after_job() for _ in range(5)]

    assert said == [None, None, "it has run 3 jobs (recycle_after_jobs=3)", None, None]


def test_it_says_how_large_the_worker_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recycling, "resident_bytes", lambda: 301 * 1024 * 1024)

    assert Recycler(0, 302 * 1024 * 1024).after_job() is None
    assert Recycler(0, 300 * 1024 * 1024).after_job() == "it takes 301 MB (recycle_memory=300 MB)"
