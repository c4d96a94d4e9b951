"""The arithmetic of the benchmark: medians, ratios of rounds, and what counts as reached."""

import pytest

from bench.figures import Figures, percentile
from bench.targets import LONG, SHORT, Target, judge

RAW, ROTA, PEER = ("drain", "raw"), ("drain", "rota"), ("drain", "peer")


def figures(**values: list[float]) -> Figures:
    made = Figures()
    for contender, series in values.items():
        for value in series:
            made.add("drain", contender, "jobs/s", value)
    return made


def test_the_median_leaves_one_bad_round_out() -> None:
    assert figures(rota=[10.0, 1000.0, 12.0]).median(ROTA) == 12


def test_a_ratio_is_of_contenders_of_the_same_round() -> None:
    """A machine that is half as fast for a while slows both: the ratio of the medians would be 2 / 3."""
    made = figures(rota=[30, 20, 10], raw=[60, 40, 10])

    assert made.ratio(ROTA, RAW) == 0.5


def test_a_round_that_failed_leaves_the_ratio_of_medians() -> None:
    assert figures(rota=[10, 20, 30], raw=[5, 5]).ratio(ROTA, RAW) == 4


@pytest.mark.parametrize("raw", [[], [0.0]], ids=["nothing measured", "zero"])
def test_there_is_no_ratio_to_nothing(raw: list[float]) -> None:
    assert figures(rota=[10], raw=raw).ratio(ROTA, RAW) is None


def test_percentiles_are_of_the_values_there_are() -> None:
    values = [float(value) for value in range(1, 102)]

    assert (percentile(values, 50), percentile(values, 99), percentile([7.0], 99)) == (51, 100, 7)


def test_series_of_one_case_stand_together() -> None:
    made = figures(raw=[1])
    made.add("enqueue", "raw", "jobs/s", 1)
    made.fail("drain", "peer", "not installed")

    assert [(one.case, one.contender) for one in made.series] == [
        ("drain", "raw"),
        ("drain", "peer"),
        ("enqueue", "raw"),
    ]


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target("at least", ROTA, 20), True),
        (Target("at least, missed", ROTA, 21), False),
        (Target("at most", ROTA, 20, at_most=True), True),
        (Target("at most, missed", ROTA, 19, at_most=True), False),
        (Target("twice the raw loop", ROTA, 2, by=(RAW,)), True),
        (Target("twice the better of two", ROTA, 2, by=(RAW, PEER)), False),
        (Target("to nobody", ROTA, 2, by=(("drain", "absent"),)), None),
        (Target("of nothing", ("absent", "rota"), 2), None),
    ],
    ids=lambda value: value.name if isinstance(value, Target) else str(value),
)
def test_a_target_is_held_against_the_best_of_the_others(target: Target, met: bool | None) -> None:
    (verdict,) = judge(figures(rota=[20], raw=[10], peer=[15]), (target,))

    assert verdict.met is met


def test_every_target_has_a_name_of_its_own() -> None:
    names = [target.name for target in (*SHORT, *LONG)]

    assert len(names) == len(set(names))
