"""`make run` must end with exit code 0 on Ctrl-C, although make itself would end with an error."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tooling.terminal import CTRL_C, CTRL_Z, in_terminal

SCRIPT = Path(__file__).parents[2] / "scripts" / "foreground.py"

# Ends well on SIGINT, and says so; with an argument it ends with that exit code at once.
PROGRAM = """
import signal, sys
if len(sys.argv) > 1:
    sys.exit(int(sys.argv[1]))
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
print("ready", flush=True)
print("stopped by", signal.sigwait({signal.SIGINT, signal.SIGTERM}).name, flush=True)
"""


@pytest.fixture
def makefile(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM)
    path = tmp_path / "Makefile"
    path.write_text(
        f"run:\n\t@{sys.executable} {SCRIPT} {sys.executable} program.py $(args)\n"
        f"plain:\n\t@{sys.executable} program.py\n"
    )
    return path


def make(makefile: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return in_terminal(["make", *arguments], word="ready", keys=CTRL_Z + CTRL_C, folder=makefile.parent)


def test_ctrl_c_in_a_terminal_ends_make_with_success(makefile: Path) -> None:
    done = make(makefile, "run")

    assert "stopped by SIGINT" in done.stdout
    assert (done.returncode, done.stderr) == (0, "")


def test_without_it_make_ends_with_an_error(makefile: Path) -> None:
    """The reason for the script: when this fails, make has learnt better and the script may go."""
    assert make(makefile, "plain").returncode != 0


def test_the_exit_code_of_the_command_is_kept(makefile: Path) -> None:
    done = make(makefile, "run", "args=3")

    assert "Error 3" in done.stdout
    assert done.returncode == 2  # as make says "failed"


def test_without_a_terminal_the_command_takes_its_place(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), sys.executable, "program.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, signal.SIGTERM)
        assert process.stdout.readline() == "stopped by SIGTERM\n"
    assert process.returncode == 0
