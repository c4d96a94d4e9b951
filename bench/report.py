"""Figures as a table, as ratios, and as a chart."""

from statistics import median

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bench.measure import Figures

__all__ = ["chart", "ratios", "table"]

WIDTH = 50


def table(figures: Figures) -> Table:
    """Return medians and spreads, with each contender's ratio to Rota."""
    shown = Table(
        "scenario", "contender", "median", "spread", "Rota is", title="Rota, its peers and the raw drivers"
    )
    for scenario, contenders in figures.values.items():
        unit = figures.units[scenario]
        for name, values in contenders.items():
            ratio = ratios(figures).get(scenario, {}).get(name)
            shown.add_row(
                scenario,
                name,
                f"{median(values):,.1f} {unit}",
                f"{min(values):,.1f} - {max(values):,.1f}",
                f"{ratio:.2f} x" if ratio is not None else "",
            )
    return shown


def ratios(figures: Figures) -> dict[str, dict[str, float]]:
    """Return, per scenario, Rota's median divided by each other's."""
    found: dict[str, dict[str, float]] = {}
    for scenario, contenders in figures.values.items():
        if "rota_store" not in contenders:
            continue
        own = figures.median(scenario, "rota_store")
        found[scenario] = {
            name: round(own / figures.median(scenario, name), 3)
            for name in contenders
            if name != "rota_store"
        }
    return found


def chart(figures: Figures) -> Group:
    """Return bars: per scenario, each contender beside the largest."""
    lines: list[Text] = []
    for scenario, contenders in figures.values.items():
        largest = max(median(values) for values in contenders.values())
        lines.append(Text(f"\n{scenario} ({figures.units[scenario]})", style="bold"))
        for name, values in contenders.items():
            bar = "█" * max(1, round(WIDTH * median(values) / largest))
            lines.append(Text(f"  {name:14} {bar} {median(values):,.1f}"))
    return Group(*lines)
