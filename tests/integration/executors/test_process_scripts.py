"""An app in the script that was started: children import it, as `multiprocessing` does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

APP = """
import asyncio, os, sys
from rota.definitions.registry import Registry
from rota.definitions.task import Task
from rota.executors.processes import ProcessExecutor
from tests.unit.executors.attempts import attempt_at

with open(os.environ["IMPORTS"], "a") as imports:
    imports.write(f"{__name__}\\n")

registry = Registry()

def whence() -> str:
    return " ".join([__name__, *sys.argv[1:]])

registry.add(Task(registry, whence, executor="process"))

async def main() -> None:
    executor = ProcessExecutor(2, loader="kit:load", argument="")
    print(await executor.run(attempt_at(registry.get("whence"))))
    await executor.stop()
"""
GUARDED = APP + "\nif __name__ == '__main__':\n    asyncio.run(main())\n"
UNGUARDED = APP + "\nasyncio.run(main())\n"
LEAVING = APP + "\nif __name__ == '__main__':\n    asyncio.run(main())\nelse:\n    sys.exit(4)\n"
KIT = "import sys\n\ndef load(argument):\n    return sys.modules['__main__'].registry\n"


def run(folder: Path, *command: str) -> tuple[str, list[str]]:
    """Run a script in its folder; returns what it printed, and under which names it was imported."""
    (folder / "kit.py").write_text(KIT)
    done = subprocess.run(
        [sys.executable, *command, "an", "argument"],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
            "IMPORTS": str(folder / "imports"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, (folder / "imports").read_text().split()


def test_a_script_is_imported_by_each_child(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(GUARDED)

    printed, imports = run(tmp_path, "main.py")

    assert "__mp_main__ an argument" in printed
    assert imports == ["__main__", "__mp_main__"]


@pytest.mark.parametrize("module", ["__main__", "main"])
def test_so_is_a_module_that_was_started_by_name(tmp_path: Path, module: str) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "package" / f"{module}.py").write_text("from . import __path__\n" + GUARDED)

    printed, imports = run(tmp_path, "-m", "package" if module == "__main__" else f"package.{module}")

    assert "__mp_main__ an argument" in printed
    assert imports == ["__main__", "__mp_main__"]


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (UNGUARDED, "starts a worker while a worker's child process imports it"),
        (LEAVING, "ends the process (4) when a child process imports it"),
    ],
)
def test_a_script_without_the_guard_fails_in_words_and_multiplies_no_further(
    tmp_path: Path, script: str, text: str
) -> None:
    (tmp_path / "main.py").write_text(script)

    printed, imports = run(tmp_path, "main.py")

    assert "kind='ConfigurationError'" in printed
    assert text in printed
    assert "under `if __name__ ==" in printed
    assert imports == ["__main__", "__mp_main__"]
