"""Jobs per second: stored in bulk, and run to the last by one worker or by two."""

from bench.cases.step import Party, Step
from bench.figures import Figures
from bench.places import Places
from bench.processes import run, run_together

__all__ = ["drain", "drain_by_two", "drain_peer"]

UNIT = "jobs/s"


def drain(party: Party, jobs: int) -> Step:
    """Fill, and let one worker run it all."""
    case = f"{party.store}: drain"

    def measure(places: Places, figures: Figures) -> None:
        with places.fresh(party.store) as url:
            order = party.order(url, jobs)
            filled = run(party.module, "fill", order)
            drained = run(party.module, "drain", order)
        figures.add(f"{party.store}: enqueue bulk", party.label, UNIT, filled.rate, _number(jobs))
        figures.add(case, party.label, UNIT, drained.rate, _number(jobs))

    return Step(case, party, measure)


def drain_by_two(party: Party, jobs: int) -> Step:
    """Fill, and let two workers run it all; how they shared it is a figure too."""
    case = f"{party.store}: drain, 2 workers"

    def measure(places: Places, figures: Figures) -> None:
        with places.fresh(party.store) as url:
            order = party.order(url, jobs)
            run(party.module, "fill", order)
            pair = run_together(party.module, "drain", order, 2)
        done = sum(one.jobs for one in pair)
        if done != jobs:
            raise RuntimeError(f"{done} of {jobs} jobs were run")
        seconds = max(one.ended for one in pair if one.jobs) - min(one.began for one in pair)
        smaller = min(one.jobs for one in pair) / done
        figures.add(case, party.label, UNIT, done / seconds, _number(jobs))
        figures.add(f"{party.store}: smaller share of 2 workers", party.label, "%", 100 * smaller)

    return Step(case, party, measure)


def drain_peer(party: Party, jobs: int) -> Step:
    """Let a peer's own worker command run what was enqueued one at a time."""
    case = f"{party.store}: drain"

    def measure(places: Places, figures: Figures) -> None:
        with places.fresh(party.store) as url:
            drained = run(party.module, "drain", party.order(url, jobs))
        figures.add(case, party.label, UNIT, drained.rate, _number(jobs))
        if party.setup != "100":  # its client knows of no concurrency
            name = Party(party.module, party.store).label
            figures.add(f"{party.store}: enqueue one", name, UNIT, drained.stored, _number(jobs))

    return Step(case, party, measure)


def _number(jobs: int) -> str:
    return f"{jobs:,} jobs"
