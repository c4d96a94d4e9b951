"""What the README promises: on a fresh clone two commands do all the set-up. Long, so by `make soak`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tooling.terminal import CTRL_C, in_terminal

REPOSITORY = Path(__file__).parents[2]


pytestmark = pytest.mark.soak


@pytest.fixture(autouse=True)
def stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the machine of a developer sets."""
    for name in [name for name in os.environ if name.startswith(("ROTA_", "PYTEST", "MAKE", "VIRTUAL_ENV"))]:
        monkeypatch.delenv(name)


def test_make_run_works_twice_on_a_fresh_clone(tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(tmp_path / "clone")], check=True)

    for _ in range(2):
        done = in_terminal(
            ["make", "run"], word="demo finished", keys=CTRL_C, folder=tmp_path / "clone", timeout=300
        )
        assert "demo finished" in done.stdout
        assert (done.returncode, done.stderr) == (0, "")


def test_a_plain_install_brings_everything_the_demo_needs(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    pip = [str(tmp_path / "venv" / "bin" / "python"), "-m", "pip", "--quiet", "install", str(REPOSITORY)]
    subprocess.run(pip, check=True)
    empty = tmp_path / "empty"
    empty.mkdir()

    reports = [
        subprocess.run(
            [str(tmp_path / "venv" / "bin" / "rota"), "demo", "--once"],
            cwd=empty,
            capture_output=True,
            check=False,
        )
        for _ in range(2)
    ]

    assert [report.returncode for report in reports] == [0, 0]
    assert reports[0].stdout == reports[1].stdout != b""
