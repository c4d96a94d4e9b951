"""Run a command alone in the terminal's foreground, so that Ctrl-C reaches it and nothing else.

GNU make, when Ctrl-C reaches it too, ends with an error whatever its command says; this way it waits, and
`make run` ends with the exit code of Rota.
"""

import os
import signal
import subprocess
import sys


def main(command: list[str]) -> int:
    """Run the command and return its exit code; without a terminal of our own, become the command."""
    terminal = _terminal()
    if terminal is None:
        os.execvp(command[0], command)
    return _run(command, terminal)


def _terminal() -> int | None:
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
        return terminal if os.tcgetpgrp(terminal) == os.getpgrp() else None
    except OSError:
        return None


def _run(command: list[str], terminal: int) -> int:
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # or taking the terminal back would stop us
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # inherited: nobody would continue what Ctrl-Z stopped
    child = subprocess.Popen(command, process_group=0)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: child.send_signal(received))
    os.tcsetpgrp(terminal, child.pid)
    try:
        return child.wait()
    finally:
        os.tcsetpgrp(terminal, os.getpgrp())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
