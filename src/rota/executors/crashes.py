"""What is known of a child process that died by itself."""

import signal

__all__ = ["describe_exit"]


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
