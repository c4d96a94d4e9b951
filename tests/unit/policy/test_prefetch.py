"""Short jobs may wait in a worker's hands; slow ones may not."""

import pytest

from rota.policy.prefetch import Prefetch


def test_a_new_worker_holds_nothing_beyond_its_slots() -> None:
    assert Prefetch().extra() == 0
    assert Prefetch().after(0.001, 19).extra() == 0
    assert Prefetch().after(0.001, 20).extra() == 100


@pytest.mark.parametrize(("seconds", "extra"), [(0.0, 100), (0.0099, 100), (0.01, 0), (1.0, 0)])
def test_recent_jobs_must_take_under_ten_milliseconds(seconds: float, extra: int) -> None:
    assert Prefetch().after(seconds, 100).extra() == extra


def test_one_slow_job_ends_it_and_many_short_ones_bring_it_back() -> None:
    pace = Prefetch().after(0.001, 100).after(1.0)
    assert pace.extra() == 0
    assert pace.after(0.001, 20).extra() == 0
    assert pace.after(0.001, 100).extra() == 100


def test_nothing_new_changes_nothing() -> None:
    assert Prefetch(0.005, 7).after(1.0, 0) == Prefetch(0.005, 7)
