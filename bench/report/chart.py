"""A picture of a run as SVG: bars, a panel a question, the same colours in each."""

from html import escape
from math import ceil
from string import Template

from msgspec import Struct

from bench.figures import Figures, Series
from bench.report.words import number, shown
from bench.results import Results

__all__ = ["draw"]

WIDTH, LEFT, RIGHT = 760, 190, 90
ROW, BAR, HEAD, FOOT = 24, 14, 44, 40
INK, FAINT, GROUND = "#24292f", "#6e7781", "#ffffff"
ROTA, PEER, LIMIT = "#2f6fde", "#c4ccd6", "#e7eaee"


class Panel(Struct, frozen=True):
    """One question, answered by the series of some cases."""

    title: str
    cases: tuple[str, ...]


PANELS = (
    Panel("Run queued jobs, one worker on PostgreSQL", ("PostgreSQL: drain",)),
    Panel(
        "Run queued jobs, one worker on SQLite; peers on SQLite and Redis", ("SQLite: drain", "Redis: drain")
    ),
    Panel("Enqueue one at a time", ("PostgreSQL: enqueue one", "SQLite: enqueue one", "Redis: enqueue one")),
    Panel(
        "From enqueue to the task's first line, p50: shorter is better",
        ("PostgreSQL: latency p50", "SQLite: latency p50"),
    ),
)

PAGE = Template("""\
<svg xmlns="http://www.w3.org/2000/svg" width="$width" height="$height" viewBox="0 0 $width $height" \
font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" role="img" aria-label="$label">
<rect width="$width" height="$height" rx="10" fill="$ground"/>
$panels
<text x="24" y="$foot" font-size="11" fill="$faint">$footer</text>
</svg>
""")
TITLE = Template('<text x="24" y="$y" font-size="15" font-weight="600" fill="$ink">$text</text>')
LINE = Template("""\
<text x="$name_x" y="$text_y" font-size="12" text-anchor="end" fill="$ink" font-weight="$weight">$name</text>
<rect x="$left" y="$y" width="$length" height="$bar" rx="3" fill="$colour"/>
<text x="$value_x" y="$text_y" font-size="12" fill="$faint">$value</text>""")


def draw(results: Results) -> str:
    """Return the SVG; nothing where the run has none of its panels."""
    parts: list[str] = []
    y = 12
    for panel in PANELS:
        rows = _rows(results.figures, panel)
        if not rows:
            continue
        parts.append(TITLE.substitute(y=y + 24, ink=INK, text=escape(panel.title)))
        parts += _bars(panel, rows, y + HEAD)
        y += HEAD + ROW * len(rows) + 8
    if not parts:
        return ""
    footer = (
        f"Medians of {results.rounds} rounds in turn, {results.machine['cores']} cores, default durability, "
        f"{results.day}. Jobs per second, or ms. The raw loop has no features."
    )
    return PAGE.substitute(
        width=WIDTH,
        height=y + FOOT,
        foot=y + FOOT - 16,
        ground=GROUND,
        faint=FAINT,
        label="Rota, its peers and the raw drivers",
        panels="\n".join(parts),
        footer=escape(footer),
    )


def _rows(figures: Figures, panel: Panel) -> list[Series]:
    """Return who is in a panel: the better setup of each, the best first."""
    best: dict[str, Series] = {}
    for one in figures.series:
        if one.case in panel.cases and one.values:
            name = _name(panel, one)
            if name not in best or one.median > best[name].median:
                best[name] = one
    return sorted(best.values(), key=lambda one: one.median, reverse=_are_rates(best))


def _are_rates(rows: dict[str, Series]) -> bool:
    """Whether more is better."""
    return all(one.unit == "jobs/s" for one in rows.values())


def _bars(panel: Panel, rows: list[Series], top: int) -> list[str]:
    largest = max(one.median for one in rows)
    return [
        LINE.substitute(
            name_x=LEFT - 10,
            text_y=top + place * ROW + BAR - 3,
            y=top + place * ROW,
            name=escape(_name(panel, one)),
            weight="600" if one.contender == "rota" else "400",
            left=LEFT,
            length=max(2, ceil((WIDTH - LEFT - RIGHT) * one.median / largest)),
            bar=BAR,
            colour=_colour(one),
            value_x=LEFT + 8 + max(2, ceil((WIDTH - LEFT - RIGHT) * one.median / largest)),
            value=f"{number(one.median)}{' ms' if one.unit == 'ms' else ''}",
            ink=INK,
            faint=FAINT,
        )
        for place, one in enumerate(rows)
    ]


def _name(panel: Panel, one: Series) -> str:
    """Return the contender, and its store where a panel has several."""
    name = shown(one.contender.partition(" (")[0])
    return f"{name}, {one.case.partition(':')[0]}" if len(panel.cases) > 1 else name


def _colour(one: Series) -> str:
    return {"rota": ROTA, "raw": LIMIT}.get(one.contender, PEER)
