"""A terminal with a person before it: starts a command, waits for a word, presses keys, waits for the end."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CTRL_C = "\x03"
CTRL_Z = "\x1a"

_TERMINAL = """
import os, pty, sys
word, keys, *command = sys.argv[1:]
child, screen = pty.fork()
if child == 0:
    os.execvp(command[0], command)
seen, waiting = b"", True
try:
    while chunk := os.read(screen, 1024):
        seen += chunk
        if waiting and word.encode() in seen:
            waiting = False
            os.write(screen, keys.encode())
except OSError:
    pass  # the terminal closes with its last process
print(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def in_terminal(
    command: Sequence[str], *, word: str, keys: str, folder: Path, timeout: float = 30
) -> subprocess.CompletedProcess[str]:
    """Run a command in a terminal and press keys when it has printed a word."""
    return subprocess.run(
        [sys.executable, "-c", _TERMINAL, word, keys, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
