"""The tables that `make bench` prints."""

from itertools import groupby

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bench.figures import Series
from bench.report.words import mark, number, rounds, shown, spread
from bench.results import Results

__all__ = ["show"]

STYLES = {True: "green", False: "red", None: "yellow"}


def show(results: Results) -> Group:
    """Return what was measured, then what of it was promised."""
    machine = results.machine
    where = ", ".join(f"{name} {value}" for name, value in machine.items() if value)
    return Group(
        _figures(results),
        _targets(results),
        Text(f"{rounds(results.rounds)}, {results.minutes:.1f} minutes. {results.durability}.", style="dim"),
        Text(where, style="dim"),
    )


def _figures(results: Results) -> Table:
    table = Table(title="Rota, its peers and the raw drivers, in turn", title_justify="left", box=None)
    for name in ("", "median", "", "spread", "Rota is", ""):
        table.add_column(name, justify="right" if name in {"median", "Rota is"} else "left")
    figures = results.figures
    for case, group in groupby(figures.series, key=lambda one: one.case):
        table.add_row(Text(case, style="bold"))
        for one in group:
            if one.failure:
                table.add_row(f"  {shown(one.contender)}", Text("failed", style="red"), "", one.failure)
            if one.values:
                table.add_row(*_row(one, figures.beside(one)))
    return table


def _row(one: Series, ratio: float | None) -> tuple[Text | str, ...]:
    name = Text(f"  {shown(one.contender)}", style="cyan" if one.contender == "rota" else "")
    beside = f"{number(ratio)} ×" if ratio is not None else ""
    return name, number(one.median), one.unit, spread(one.values), beside, Text(one.note, style="dim")


def _targets(results: Results) -> Table:
    table = Table(title="\nTargets", title_justify="left", box=None)
    for name in ("", "wanted", "measured", ""):
        table.add_column(name, justify="right" if name in {"wanted", "measured"} else "left")
    for one in results.targets:
        measured = "" if one.measured is None else f"{number(one.measured)} {one.unit}"
        table.add_row(one.name, one.wanted, measured, Text(mark(one.met), style=STYLES[one.met]))
    return table
