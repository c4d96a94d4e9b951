"""What the README promises: on a fresh clone two commands do all the set-up. Long, so by `make soak`."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.tooling.terminal import CTRL_C, in_terminal

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.soak
def test_make_run_on_a_fresh_clone_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("ROTA_", "PYTEST", "MAKE", "VIRTUAL_ENV"))]:
        monkeypatch.delenv(name)
    subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(tmp_path / "clone")], check=True)

    for _ in range(2):
        done = in_terminal(
            ["make", "run"], word="demo finished", keys=CTRL_C, folder=tmp_path / "clone", timeout=300
        )
        assert "demo finished" in done.stdout
        assert (done.returncode, done.stderr) == (0, "")
