"""Small charts as geometry: what templates draw as SVG."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

__all__ = ["HEIGHT", "WIDTH", "Bar", "Chart", "Part", "bars", "line"]

WIDTH = 600
HEIGHT = 120
FOOT = 100  # below it stand the labels
TOP = 8


class Part(Struct, frozen=True):
    """A part of a bar."""

    kind: str
    y: float
    height: float


class Bar(Struct, frozen=True):
    """All of one moment."""

    x: float
    width: float
    parts: Sequence[Part]
    text: str


class Chart(Struct, frozen=True):
    """A chart.

    Args:
        bars: one for each moment.
        paths: a line of each kind, as the `d` of an SVG path.
        top: what the upper edge stands for.
        ends: the labels of the first and the last moment.
        text: what it shows, for those who do not see it.
    """

    bars: Sequence[Bar]
    paths: Mapping[str, str]
    top: float
    ends: tuple[str, str]
    text: str


def bars(
    series: Mapping[str, Sequence[float]], labels: Sequence[str], ends: tuple[str, str], text: str
) -> Chart:
    """Stack the series of numbers upon one another.

    Args:
        series: by kind, from the bottom up, all of one length.
        labels: what each moment is called when it is pointed at.
        ends: the labels below.
        text: what the chart shows.
    """
    sums = [sum(moment) for moment in zip(*series.values(), strict=True)]
    top = _round_up(max(sums, default=0))
    step = WIDTH / max(1, len(labels))
    drawn = []
    for place, label in enumerate(labels):
        parts, y = [], float(FOOT)
        for kind, numbers in series.items():
            height = round((FOOT - TOP) * numbers[place] / top, 1)
            if height:
                y = round(y - height, 1)
                parts.append(Part(kind, y, height))
        drawn.append(Bar(round(place * step, 1), round(step * 0.8, 1), parts, label))
    return Chart(drawn, {}, top, ends, text)


def line(
    series: Mapping[str, Sequence[float | None]], labels: Sequence[str], ends: tuple[str, str], text: str
) -> Chart:
    """Draw series of numbers as lines; None is a gap. Arguments as for `bars`."""
    top = _round_up(
        max((one for numbers in series.values() for one in numbers if one is not None), default=0)
    )
    step = WIDTH / max(1, len(labels))
    paths = {}
    for kind, numbers in series.items():
        words, pen = [], "M"
        for place, value in enumerate(numbers):
            if value is None:
                pen = "M"
                continue
            x, y = round((place + 0.4) * step, 1), round(FOOT - (FOOT - TOP) * value / top, 1)
            # A single moment between gaps is a dot: a line of no length with round ends.
            words.append(f"{pen}{x} {y}" + (f"L{x} {y}" if pen == "M" else ""))
            pen = "L"
        paths[kind] = "".join(words)
    pointed = [Bar(round(place * step, 1), round(step, 1), (), label) for place, label in enumerate(labels)]
    return Chart(pointed, paths, top, ends, text)


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, 50 …, below 1 of 0.5, 0.2 …, so that the scale jumps rarely."""
    if value <= 0:
        return 1.0
    size = 1e-6
    while True:
        for step in (1, 2, 5):
            if value <= size * step:
                return size * step
        size *= 10
