"""What import-linter cannot say: who may import the package's root, and which floors only compute."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import SOURCE, modules, parsed, place

# The demo is an app like any other: it writes what a user writes.
USES_THE_ROOT = ("demo",)
PURE = ("model", "triggers", "policy")


def test_no_module_imports_the_root() -> None:
    assert [
        place(path, line)
        for path in modules()
        if path.relative_to(SOURCE).parts[0] not in USES_THE_ROOT
        for line in imports_of_the_root(path, parsed(path))
    ] == []


def test_the_pure_floors_never_wait() -> None:
    waiting = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)

    assert [
        place(path, node.lineno)
        for path in modules(*PURE)
        for node in ast.walk(parsed(path))
        if isinstance(node, waiting)
    ] == []


def imports_of_the_root(path: Path, tree: ast.Module) -> Iterator[int]:
    """Yield the lines that import `rota` itself, whatever they take from it."""
    depth = len(path.relative_to(SOURCE).parts)
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(alias.name == "rota" for alias in names):
                yield node.lineno
            case ast.ImportFrom(module="rota", level=0):
                yield node.lineno
            case ast.ImportFrom(module=None, level=level) if level == depth:
                yield node.lineno


@pytest.mark.parametrize(
    ("where", "line", "found"),
    [
        ("model/job.py", "import rota", True),
        ("model/job.py", "import rota as r", True),
        ("model/job.py", "from rota import Job", True),
        ("model/job.py", "from .. import Job", True),
        ("app.py", "from . import Job", True),
        ("model/job.py", "def late():\n    import rota", True),
        ("model/job.py", "from . import states", False),
        ("model/job.py", "from rota.model import states", False),
        ("model/job.py", "import rota.model.states", False),
        ("model/job.py", '"""from rota import Rota"""', False),
    ],
)
def test_an_import_of_the_root_is_seen(where: str, line: str, found: bool) -> None:
    assert bool(list(imports_of_the_root(SOURCE / where, ast.parse(line)))) is found
