"""Milliseconds until an idle worker runs a job's first line: after the call of enqueue, or after `run_at`."""

import time

from bench.cases.step import Party, Step
from bench.figures import Figures, percentile
from bench.places import Places
from bench.processes import run, serving

__all__ = ["latency", "run_at"]

REST = 0.5
WARM = 5  # the first jobs of a connection make its statements


def latency(party: Party, jobs: int) -> Step:
    """Send a job every 50 ms."""
    return _lateness(party, jobs, "send", f"{party.store}: latency", (50, 99))


def run_at(party: Party, jobs: int) -> Step:
    """Store jobs that are due every 50 ms."""
    return _lateness(party, jobs, "send_later", f"{party.store}: run_at lateness", (99,))


def _lateness(party: Party, jobs: int, verb: str, case: str, percents: tuple[int, ...]) -> Step:
    def measure(places: Places, figures: Figures) -> None:
        with places.fresh(party.store) as url, serving(party.module, party.order(url)) as worker:
            time.sleep(REST)  # lets the worker become idle, as the figure wants it
            run(party.module, verb, party.order(url, jobs + WARM))
            values = [int(worker.line()) / 1e6 for _ in range(jobs + WARM)][WARM:]
        for percent in percents:
            figures.add(f"{case} p{percent}", party.label, "ms", percentile(values, percent), f"{jobs} jobs")

    return Step(case, party, measure)
