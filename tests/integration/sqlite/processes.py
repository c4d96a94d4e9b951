"""Other processes, run by a test."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.architecture.sources import REPOSITORY


class Child:
    """A process of `children.py`, which has said that it is ready."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert self._read() == "ready"

    def go(self) -> None:
        """Let it work."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """Return what it found."""
        answer = json.loads(self._read())
        assert self._process.wait(30) == 0
        return answer

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def child(verb: str, path: Path) -> Iterator[Child]:
    command = [sys.executable, "-m", "tests.integration.sqlite.children", verb, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as process:
        try:
            yield Child(process)
        finally:
            process.kill()


def run_together(verb: str, path: Path, number: int) -> list[Any]:
    """Run a verb in several processes that begin at the same moment."""
    with ExitStack() as stack:
        children = [stack.enter_context(child(verb, path)) for _ in range(number)]
        for one in children:
            one.go()
        return [one.answer() for one in children]
