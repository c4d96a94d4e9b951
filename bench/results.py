"""A run's results as they are kept: figures, verdicts, and what they were measured on."""

from pathlib import Path

import msgspec
from msgspec import Struct

from bench.figures import Figures, Series
from bench.targets import Verdict

__all__ = ["FOLDER", "Results", "load", "save"]

FOLDER = Path(__file__).parent / "results"


class Results(Struct, frozen=True):
    """One run. `minutes` says how long it took."""

    form: str
    day: str
    minutes: float
    rounds: int
    machine: dict[str, str]
    durability: str
    targets: list[Verdict]
    series: list[Series]

    @property
    def figures(self) -> Figures:
        """The series, to be asked for ratios."""
        return Figures(self.series)


def save(results: Results, folder: Path = FOLDER) -> Path:
    """Write a run to the file of its form."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{results.form}.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
    return file


def load(form: str, folder: Path = FOLDER) -> Results:
    """Read the last run of a form."""
    return msgspec.json.decode((folder / f"{form}.json").read_bytes(), type=Results)
