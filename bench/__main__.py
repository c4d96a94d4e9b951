"""`make bench`: Rota, its peers and the raw drivers in turn, in one run, as ratios.

Figures of one machine at one time mean little; the ratios between contenders that ran in turn mean more.
"""

import argparse
import itertools
import time
from datetime import date
from pathlib import Path

from msgspec import structs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import plan, targets
from bench.machine import DURABILITY, describe_machine
from bench.places import Places
from bench.plan import Form, steps
from bench.report.publishing import publish
from bench.report.terminal import show
from bench.results import FOLDER, Results, save
from bench.runner import count_steps, run_rounds

__all__ = ["main", "measure"]

WIDTH = 130  # of a table that no terminal bounds
# What the long form asks PostgreSQL for; both of a pair pay the same for it.
COUNTING = {"shared_preload_libraries": "pg_stat_statements"}


def main() -> None:
    """Run a form of the benchmark, print it, and keep it."""
    chosen = _arguments()
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    form = _form(chosen)
    results = measure(form, console, only=chosen.only)
    console.print(show(results))
    whole = not chosen.only and form in {plan.SHORT, plan.LONG}
    file = save(results, FOLDER if whole else FOLDER / "local")
    if whole:
        publish(results)
    console.print(f"Kept in {file.relative_to(Path.cwd())}")


def measure(form: Form, console: Console, *, only: str = "") -> Results:
    """Run a form and judge it.

    Args:
        form: how much of everything.
        console: where the progress is shown, if it is a terminal.
        only: part of the name of the cases to run.
    """
    began = time.monotonic()
    chosen = [step for step in steps(form) if only.lower() in f"{step.case}: {step.party.label}".lower()]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        Places(COUNTING if form.stored else None) as places,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        bar = progress.add_task("", total=count_steps(chosen, form.rounds))
        done = itertools.count()
        figures = run_rounds(
            chosen,
            form.rounds,
            places,
            tell=lambda what: progress.update(bar, description=what, completed=next(done)),
        )
    verdicts = targets.judge(figures, targets.LONG if form.stored else targets.SHORT)
    return Results(
        form=form.name,
        day=f"{date.today():%Y-%m-%d}",  # noqa: DTZ011 - the reader's day
        minutes=round((time.monotonic() - began) / 60, 2),
        rounds=form.rounds,
        machine=describe_machine(),
        durability=DURABILITY,
        targets=[one for one in verdicts if not only or one.measured is not None],
        series=figures.series,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--long", action="store_true", help="a million jobs, full stores, retention: a quarter of an hour"
    )
    forms.add_argument("--smallest", action="store_true", help="Rota and the raw loops for some seconds")
    parser.add_argument("--rounds", type=int, help="how often each step is repeated")
    parser.add_argument("--jobs", type=int, help="jobs of a drain")
    parser.add_argument("--stored", type=int, help="jobs of the long form")
    parser.add_argument(
        "--only", default="", help="run what has this in its name, as 'sqlite: drain' or 'huey'"
    )
    return parser.parse_args()


def _form(chosen: argparse.Namespace) -> Form:
    """Return the form with what was asked to be different; such a run is kept apart."""
    form = plan.LONG if chosen.long else plan.SMALLEST if chosen.smallest else plan.SHORT
    other = {
        name: value for name in ("rounds", "jobs", "stored") if (value := getattr(chosen, name)) is not None
    }
    return structs.replace(form, **other)


if __name__ == "__main__":
    main()
