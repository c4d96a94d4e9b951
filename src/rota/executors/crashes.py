"""What is known of a child process that died by itself."""

import signal

from rota.model.errors import RotaError

__all__ = ["WorkerCrashedError", "describe_exit"]


class WorkerCrashedError(RotaError):
    """The process of an attempt died before the attempt had ended.

    Args:
        pid: of the process.
        code: its exit code; negative: the signal that killed it.
    """

    def __init__(self, pid: int, code: int) -> None:
        self.pid, self.code = pid, code
        super().__init__(f"the process of this attempt (pid {pid}) {describe_exit(code)}")


def describe_exit(code: int) -> str:
    """Say how a process ended; `code` is negative for a signal, as `subprocess` has it."""
    if code >= 0:
        return f"exited with code {code} before the attempt had ended (os._exit, or a library that gave up)"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = _HINTS.get(name, "")
    return f"was killed by {name}{hint}"


_HINTS = {
    "SIGKILL": ": from outside, or by the system for want of memory",
    "SIGSEGV": ": a fault in a C extension, or too deep a recursion",
    "SIGABRT": ": a C extension gave up",
    "SIGBUS": ": a fault in a C extension, or a mapped file that shrank",
}
