"""`make utest` and `make itest` take a file and a function, in the ways people type them."""

import os
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the project; pytest only lists what it would run."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "MAKE"))}
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env=outer | {"PYTEST_ADDOPTS": "--collect-only -q"},
        capture_output=True,
        text=True,
        check=False,
    )


def collected(*arguments: str) -> list[str]:
    lines = run("scripts/tests", *arguments, "tests/tooling").stdout.splitlines()
    return [line.rpartition("/")[2] for line in lines if "::" in line]


@pytest.mark.parametrize(
    "arguments",
    [
        ["file=test_x.py", "function=test_y", "utest"],
        ["utest", "file=test_x.py", "function='-k test_y'"],
        ["file=test_x.py", "function=-k", "test_y", "utest"],  # unquoted, as the docs of old print it
        ["file=test_x.py", "function=-k", "test_y", "itest"],
    ],
    ids=" ".join,
)
def test_make_passes_file_and_function_on(arguments: list[str]) -> None:
    printed = run("make", "--dry-run", *arguments).stdout.replace("-k ", "").replace("''", "'")

    assert "scripts/tests 'test_x.py' 'test_y' tests/" in printed


@pytest.mark.parametrize(
    "file", ["test_foreground.py", "tooling/test_foreground.py", "tests/tooling/test_foreground.py"]
)
@pytest.mark.parametrize("function", ["test_ctrl_c", "-k test_ctrl_c"])
def test_one_function_of_one_file_is_picked(file: str, function: str) -> None:
    assert collected(file, function) == [
        "test_foreground.py::test_ctrl_c_in_a_terminal_ends_make_with_success"
    ]


def test_without_a_file_the_whole_folder_is_taken() -> None:
    assert {line.partition("::")[0] for line in collected("", "")} >= {
        "test_commands.py",
        "test_container.py",
    }


def test_an_unknown_file_is_named() -> None:
    done = run("scripts/tests", "test_no_such.py", "", "tests/tooling")

    assert (done.returncode, done.stderr) == (2, "No test file 'test_no_such.py' in: tests/tooling\n")
