"""What people see of a run: the same figures in the terminal, in the documents, in the picture."""

import io
from pathlib import Path
from xml.etree import ElementTree as ET

from rich.console import Console

from bench.figures import Figures
from bench.report.chart import draw
from bench.report.markdown import PAGE, fill_page
from bench.report.terminal import show
from bench.report.words import number
from bench.results import FOLDER, Results, load, save
from bench.targets import SHORT, judge


def results() -> Results:
    figures = Figures()
    for round_ in (1.0, 1.1, 0.9):
        figures.add("PostgreSQL: drain", "raw", "jobs/s", 40_000 * round_)
        figures.add("PostgreSQL: drain", "rota", "jobs/s", 20_000 * round_)
        figures.add("PostgreSQL: drain", "pgqueuer (100)", "jobs/s", 8_000 * round_)
        figures.add("PostgreSQL: drain", "pgqueuer (default)", "jobs/s", 3_000 * round_, "10,000 jobs")
        figures.add("PostgreSQL: latency p50", "rota", "ms", 3.1 * round_)
    figures.fail("Redis: drain", "celery (100)", "ModuleNotFoundError: No module named 'celery'")
    return Results(
        form="latest",
        day="2026-01-31",
        minutes=9.5,
        rounds=3,
        machine={"cores": "2"},
        durability="fsync on",
        targets=judge(figures, SHORT),
        series=figures.series,
    )


def printed() -> str:
    console = Console(width=130, record=True, file=io.StringIO())
    console.print(show(results()))
    return console.export_text()


def test_the_terminal_shows_ratios_spreads_and_verdicts() -> None:
    lines = [" ".join(line.split()) for line in printed().splitlines()]

    assert "raw loop 40,000 jobs/s 36,000 – 44,000 0.50 ×" in lines
    assert "PostgreSQL: drain, to PgQueuer (batch 100) ≥ 2 × 2.50 × met" in lines
    assert "PostgreSQL: idle worker, CPU ≤ 1 not measured" in lines


def test_who_fails_is_named_everywhere() -> None:
    why = "ModuleNotFoundError: No module named 'celery'"

    assert why in printed()
    assert f"| Redis: drain | Celery (100) | failed | | | {why} |" in _page("latest")


def test_the_tables_of_one_form_leave_the_other_alone() -> None:
    assert "kept" in _page("latest")
    assert "| target | wanted |" not in _page("long")


def test_a_picture_is_well_formed_and_shows_the_better_setup_of_each() -> None:
    root = ET.fromstring(draw(results()))  # noqa: S314 - our own text
    texts = ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]
    lengths = [float(bar.get("width", "0")) for bar in root.iter("{http://www.w3.org/2000/svg}rect")][1:4]

    assert texts[1:7] == ["raw loop", "40,000", "Rota", "20,000", "PgQueuer", "8,000"]
    assert lengths == [480, 240, 96]
    assert "3,000" not in texts


def test_numbers_show_what_a_reader_can_use() -> None:
    assert [number(value) for value in (20_134.4, 42.26, 4.211, 0.0549, 0)] == [
        "20,134",
        "42.3",
        "4.21",
        "0.055",
        "0.00",
    ]


def test_results_are_kept_whole(tmp_path: Path) -> None:
    save(results(), tmp_path)

    assert load("latest", tmp_path) == results()


def test_the_document_shows_the_results_that_are_kept() -> None:
    kept = [load(file.stem) for file in FOLDER.glob("*.json")]

    assert kept, "no results are kept: run make bench"
    for one in kept:
        assert fill_page(PAGE.read_text(), one) == PAGE.read_text(), (
            f"make bench wrote {one.form}, and not the page"
        )


def _page(form: str) -> str:
    page = f"kept\n<!-- {form}: made by `make bench` -->\nold\n<!-- end of {form} -->\n"
    return fill_page(page, results())
