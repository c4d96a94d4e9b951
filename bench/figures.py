"""What was measured: values by case and contender, their medians, spreads and ratios."""

from statistics import median, quantiles

from msgspec import Struct, field

__all__ = ["Figures", "Key", "Series", "percentile"]

ROTA = "rota"
RATED = {"jobs/s", "ms"}

Key = tuple[str, str]
"""A case and a contender."""


class Series(Struct):
    """One contender's values in one case, a value a round; or why there is none."""

    case: str
    contender: str
    unit: str
    values: list[float] = field(default_factory=list)
    note: str = ""
    failure: str = ""

    @property
    def median(self) -> float:
        """The middle of the values."""
        return median(self.values)


class Figures:
    """All series of a run, in the order in which they were first met."""

    def __init__(self, series: list[Series] | None = None) -> None:
        self._series = {(one.case, one.contender): one for one in series or []}

    @property
    def series(self) -> list[Series]:
        """All of them, those of one case together."""
        cases = list(dict.fromkeys(case for case, _ in self._series))
        return sorted(self._series.values(), key=lambda one: cases.index(one.case))

    def add(self, case: str, contender: str, unit: str, value: float, note: str = "") -> None:
        """Keep one measurement; `note` says what a reader has to know of it, as another number of jobs."""
        one = self._series.setdefault((case, contender), Series(case, contender, unit, note=note))
        one.values.append(value)

    def fail(self, case: str, contender: str, why: str) -> None:
        """Name a contender that could not be measured."""
        one = self._series.setdefault((case, contender), Series(case, contender, ""))
        one.failure = why

    def median(self, key: Key) -> float | None:
        """Return the middle of a series' values; None without any."""
        one = self._series.get(key)
        return one.median if one and one.values else None

    def ratio(self, key: Key, by: Key) -> float | None:
        """Return the middle of the rounds' ratios; None without values.

        Contenders of one round ran one after the other: their ratio says more than that of two medians.
        """
        one, other = self._series.get(key), self._series.get(by)
        if one is None or other is None or not one.values or not other.values or 0 in other.values:
            return None
        if len(one.values) == len(other.values):
            return median(mine / its for mine, its in zip(one.values, other.values, strict=True))
        return one.median / other.median

    def beside(self, one: Series) -> float | None:
        """Return what Rota is to a series of its case; None where that means nothing."""
        if one.contender == ROTA or one.unit not in RATED:
            return None
        return self.ratio((one.case, ROTA), (one.case, one.contender))

    def best(self, keys: tuple[Key, ...]) -> Key | None:
        """Return the series with the largest median of those that have one."""
        found = [(value, key) for key in keys if (value := self.median(key)) is not None]
        return max(found)[1] if found else None


def percentile(values: list[float], percent: int) -> float:
    """Return the value that so many percent of the values do not exceed."""
    return quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]
