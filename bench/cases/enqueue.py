"""Jobs per second that are stored one call at a time, by one process and by sixteen at once."""

from contextlib import nullcontext

from bench.cases.step import Party, Step
from bench.figures import Figures
from bench.places import Places
from bench.processes import run, serving

__all__ = ["crowd", "enqueue_one"]

UNIT = "jobs/s"


def enqueue_one(party: Party, jobs: int) -> Step:
    """Let one process enqueue."""
    case = f"{party.store}: enqueue one"

    def measure(places: Places, figures: Figures) -> None:
        with places.fresh(party.store) as url:
            figures.add(case, party.label, UNIT, run(party.module, "enqueue", party.order(url, jobs)).rate)

    return Step(case, party, measure)


def crowd(party: Party, jobs: int, *, listening: bool) -> Step:
    """Let 16 processes enqueue at once; with `listening` an idle worker hears of it and runs the jobs."""
    case = f"{party.store}: 16 enqueuers" + (", a worker listens" if listening else "")

    def measure(places: Places, figures: Figures) -> None:
        with places.fresh(party.store) as url:
            order = party.order(url, jobs)
            run(party.module, "enqueue", party.order(url, 1))
            with serving(party.module, order) if listening else nullcontext():
                figures.add(case, party.label, UNIT, run(party.module, "crowd", order).rate)

    return Step(case, party, measure)
