"""Milliseconds that an import takes in a new process."""

import subprocess
import sys

from bench.cases.step import Party, Step
from bench.figures import Figures
from bench.places import Places
from bench.processes import ContenderFailedError

__all__ = ["imports"]

CODE = "import time; began = time.perf_counter(); {}; print((time.perf_counter() - began) * 1000)"


def imports() -> list[Step]:
    """Import the package, and the one name that every user imports."""
    return [_import("import rota"), _import("from rota import Rota")]


def _import(statement: str) -> Step:
    def measure(_: Places, figures: Figures) -> None:
        done = subprocess.run(
            [sys.executable, "-c", CODE.format(statement)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise ContenderFailedError(done.stderr.strip().splitlines()[-1])
        figures.add(statement, "rota", "ms", float(done.stdout))

    return Step(statement, Party("rota", ""), measure)
