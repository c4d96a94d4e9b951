"""Puts a run's results where people read them: the page in the documents, and the picture."""

from bench.report.chart import draw
from bench.report.markdown import PAGE, fill_page
from bench.results import FOLDER, Results

__all__ = ["publish"]


def publish(results: Results) -> None:
    """Write the tables into the page, and draw the picture where the run has what it shows."""
    PAGE.write_text(fill_page(PAGE.read_text(), results))
    if picture := draw(results):
        (FOLDER / f"{results.form}.svg").write_text(picture)
