"""Runs the steps of a form, round by round; who fails is named and the rest goes on."""

from collections.abc import Callable, Sequence

from bench.cases.step import Step
from bench.figures import Figures
from bench.places import Places

__all__ = ["count_steps", "run_rounds"]

Tell = Callable[[str], None]


def run_rounds(steps: Sequence[Step], rounds: int, places: Places, *, tell: Tell) -> Figures:
    """Measure everything; what needs no rounds comes once, at the end.

    Args:
        steps: of one round, in their order.
        rounds: how many.
        places: where the contenders store their jobs.
        tell: called with what runs now, and once more with "" after the last.
    """
    figures = Figures()
    repeated = [step for step in steps if not step.once]
    once = [step for step in steps if step.once]
    for step in [*repeated * rounds, *once]:
        tell(f"{step.case}: {step.party.label}")
        try:
            step.measure(places, figures)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others' figures are worth having
            figures.fail(step.case, step.party.label, str(error) or type(error).__name__)
    tell("")
    return figures


def count_steps(steps: Sequence[Step], rounds: int) -> int:
    """Return how many measurements a run has."""
    return sum(1 if step.once else rounds for step in steps)
