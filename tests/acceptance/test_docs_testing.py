"""The examples of docs/testing.md run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
BLOCK = re.compile(r"^```\w+\n# (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_example_runs(tmp_path: Path) -> None:
    blocks = BLOCK.findall(PAGE.read_text())
    for name, text in blocks:
        (tmp_path / name).write_text(text)
    assert PAGE.read_text().count("```") == 2 * len(blocks), "every example names its file"

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "11 passed" in done.stdout
