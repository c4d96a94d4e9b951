"""The tables of docs/performance.md, between marks that name the form of the run."""

import re
from itertools import groupby
from pathlib import Path

from bench.report.words import mark, number, rounds, shown, spread
from bench.results import Results

__all__ = ["PAGE", "fill_page", "render"]

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


def fill_page(text: str, results: Results) -> str:
    """Return the page with the tables of a form in their place."""
    begin, end = f"<!-- {results.form}: made by `make bench` -->", f"<!-- end of {results.form} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n{render(results)}\n{end}", text)


def render(results: Results) -> str:
    """Return the targets, all figures, and what they were measured on."""
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items() if value)
    measured = (
        f"Measured {results.day} in {results.minutes:.0f} minutes, {rounds(results.rounds)}. "
        f"{results.durability}. Machine and versions: {machine}."
    )
    return "\n".join(
        [
            *_targets(results),
            "",
            *_figures(results),
            "",
            measured,
        ]
    )


def _targets(results: Results) -> list[str]:
    lines = ["| target | wanted | measured | |", "|---|--:|--:|---|"]
    for one in results.targets:
        measured = "" if one.measured is None else f"{number(one.measured)} {one.unit}"
        lines.append(f"| {one.name} | {one.wanted} | {measured} | {mark(one.met)} |")
    return lines


def _figures(results: Results) -> list[str]:
    lines = ["| case | contender | median | spread | Rota is | |", "|---|---|--:|--:|--:|---|"]
    figures = results.figures
    for case, group in groupby(figures.series, key=lambda one: one.case):
        for place, one in enumerate(group):
            head = f"| {'' if place else case} | {shown(one.contender)} "
            if not one.values:
                lines.append(f"{head}| failed | | | {one.failure} |")
                continue
            ratio = figures.beside(one)
            beside = f"{number(ratio)} ×" if ratio is not None else ""
            lines.append(
                f"{head}| {number(one.median)} {one.unit} | {spread(one.values)} | {beside} | {one.note} |"
            )
    return lines
