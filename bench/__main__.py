"""`make bench`: Rota, its peers and the raw drivers in turn, in one run, as ratios.

Figures of one machine at one time mean little; the ratios between contenders that ran in turn mean more.
"""

import argparse
import json
import platform
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench.measure import Figures, latency, run, run_pair
from bench.report import chart, ratios, table
from tests.servers.postgres import PostgresServer

RESULTS = Path(__file__).parent / "results"

Fresh = Callable[[], str]


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--jobs", type=int, default=20_000, help="jobs of a drain")
    parser.add_argument("--singles", type=int, default=2_000, help="jobs that are enqueued one at a time")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="run scenarios whose name contains this")
    parser.add_argument("--save", default="latest", help="name of the JSON file under bench/results")
    chosen = parser.parse_args()
    console = Console()
    figures = Figures()
    with ExitStack() as stack:
        server = stack.enter_context(PostgresServer(durable=True))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stores = {"postgres": server.create_database, "sqlite": _files(folder)}
        steps = [step for step in _steps(stores, chosen) if chosen.only in step[0]]
        with Progress(console=console, transient=True) as progress:
            bar = progress.add_task("bench", total=len(steps) * chosen.rounds)
            for _ in range(chosen.rounds):
                for name, contender, step in steps:
                    progress.update(bar, description=f"{name}: {contender}")
                    step(figures)
                    progress.advance(bar)
    console.print(table(figures))
    console.print(chart(figures))
    RESULTS.mkdir(exist_ok=True)
    machine = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "sqlite": sqlite3.sqlite_version,
    }
    saved = {
        "machine": machine,
        "options": vars(chosen),
        "figures": figures.as_dict(),
        "ratios": ratios(figures),
    }
    (RESULTS / f"{chosen.save}.json").write_text(json.dumps(saved, indent=1) + "\n")


def _files(folder: Path) -> Fresh:
    numbers = iter(range(10_000))
    return lambda: f"sqlite:///{folder}/{next(numbers)}.db"


def _steps(
    stores: dict[str, Fresh], chosen: argparse.Namespace
) -> Iterator[tuple[str, str, Callable[[Figures], None]]]:
    for store, fresh in stores.items():
        contenders = (
            ["raw_postgres", "pgqueuer", "rota_store"]
            if store == "postgres"
            else ["raw_sqlite", "rota_store"]
        )
        for contender in contenders:
            yield f"{store} drain", contender, _drain(store, contender, fresh, chosen.jobs)
            yield f"{store} enqueue one", contender, _one(store, contender, fresh, chosen.singles)
        yield f"{store} drain 2 workers", "rota_store", _drain_two(store, fresh, 2 * chosen.jobs)
        for contender in contenders:
            if contender in {"rota_store", "raw_postgres"}:
                yield f"{store} latency", contender, _latency(store, contender, fresh)


def _drain(store: str, contender: str, fresh: Fresh, jobs: int) -> Callable[[Figures], None]:
    def step(figures: Figures) -> None:
        url = fresh()
        figures.add(f"{store} enqueue bulk", contender, "jobs/s", run(contender, "fill", url, jobs))
        figures.add(f"{store} drain", contender, "jobs/s", run(contender, "drain", url, jobs))

    return step


def _drain_two(store: str, fresh: Fresh, jobs: int) -> Callable[[Figures], None]:
    def step(figures: Figures) -> None:
        url = fresh()
        run("rota_store", "fill", url, jobs)
        figures.add(f"{store} drain 2 workers", "rota_store", "jobs/s", run_pair("rota_store", url, jobs))

    return step


def _one(store: str, contender: str, fresh: Fresh, jobs: int) -> Callable[[Figures], None]:
    return lambda figures: figures.add(
        f"{store} enqueue one", contender, "jobs/s", run(contender, "one", fresh(), jobs)
    )


def _latency(store: str, contender: str, fresh: Fresh) -> Callable[[Figures], None]:
    def step(figures: Figures) -> None:
        half, most = latency(contender, fresh(), 100)
        figures.add(f"{store} latency p50", contender, "ms", half)
        figures.add(f"{store} latency p99", contender, "ms", most)

    return step


if __name__ == "__main__":
    main()
