"""The sources that the tests of architecture read."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SOURCE = REPOSITORY / "src" / "rota"


def modules(*folders: str) -> Iterator[Path]:
    """Yield the modules of Rota, or of some of its folders."""
    for root in [SOURCE / folder for folder in folders] or [SOURCE]:
        yield from sorted(root.rglob("*.py"))


def files_of_tests() -> Iterator[Path]:
    """Yield every file of the tests."""
    yield from sorted((REPOSITORY / "tests").rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(), str(path))


def place(path: Path, line: int = 0) -> str:
    """Name a place as an editor can open it."""
    return f"{path.relative_to(REPOSITORY)}:{line}" if line else str(path.relative_to(REPOSITORY))
