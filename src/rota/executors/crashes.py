"""What is known of a child process that died by itself."""

import signal
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from rota.definitions.invocation import fault_of
from rota.model.errors import WorkerCrashedError
from rota.model.outcome import Crash, Fault

__all__ = ["Exit", "crash_fault", "describe_exit", "oom_kills", "own_peak"]

MEGABYTE = 1024 * 1024


class Exit(NamedTuple):
    """How a process ended: `code` is negative for a signal, as `subprocess` has it; the peak is in bytes."""

    code: int
    memory_peak: int | None = None

    @classmethod
    def of_wait(cls, status: int, peak: int) -> "Exit":
        """Read what `os.wait4` says: the status and `ru_maxrss`, in KiB but on macOS (getrusage(2))."""
        code = -(status & 0x7F) if status & 0x7F else status >> 8
        return cls(code, peak if sys.platform == "darwin" else peak * 1024)


def describe_exit(code: int, *, out_of_memory: bool = False) -> str:
    """Say how a process ended; `code` is negative for a signal, as `subprocess` has it."""
    if code >= 0:
        return f"exited with code {code} before the attempt had ended (os._exit, or a library that gave up)"
    name = _signal(code) or f"signal {-code}"
    hint = ": by the system, for want of memory" if out_of_memory else _HINTS.get(name, "")
    return f"was killed by {name}{hint}"


def crash_fault(
    pid: int, end: Exit, *, out_of_memory: bool = False, log: Sequence[str] = (), stderr: str = ""
) -> Fault:
    """Return the death of a process as a fault, with the evidence both as fields and in words."""
    crash = Crash(
        pid=pid,
        exit_code=end.code if end.code >= 0 else None,
        signal=_signal(end.code),
        out_of_memory=out_of_memory,
        memory_peak=end.memory_peak,
        log=tuple(log),
        stderr=stderr,
    )
    how = describe_exit(end.code, out_of_memory=out_of_memory)
    peak = f"; its memory peak was {end.memory_peak // MEGABYTE} MB" if end.memory_peak else ""
    fault = fault_of(WorkerCrashedError(pid, how + peak))
    return structs.replace(fault, traceback=_last_words(crash), crash=crash)


def oom_kills() -> int:
    """Return how many processes the system has killed for want of memory, as far as it counts them here.

    The control group's own count (`oom_kill` in memory.events, cgroup v2) where there is one, else that of
    the whole machine (/proc/vmstat); 0 where neither can be read.
    """
    for path in _oom_counters():
        try:
            for line in path.read_text().splitlines():
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
        except (OSError, ValueError):
            continue
    return 0


def own_peak() -> int:
    """Return the largest resident size of this process since it was started, in bytes."""
    try:
        # Unlike `ru_maxrss` it does not begin with the size of the process that started this one (proc(5)).
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    import resource  # noqa: PLC0415 - POSIX only

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@cache
def _oom_counters() -> tuple[Path, ...]:
    group = Path("/sys/fs/cgroup")
    try:
        own = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        own = []
    # "0::/path" is the line of version 2.
    paths = [group / line[4:] / "memory.events" for line in own if line.startswith("0::/")]
    return (*paths, Path("/proc/vmstat"))


def _last_words(crash: Crash) -> str:
    parts = []
    if crash.log:
        parts += ["Last log lines:", *(f"  {line}" for line in crash.log)]
    if crash.stderr:
        parts += ["Standard error ended with:", *(f"  {line}" for line in crash.stderr.splitlines())]
    return "\n".join(parts)


def _signal(code: int) -> str | None:
    if code >= 0:
        return None
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


_HINTS = {
    "SIGKILL": ": from outside, or by the system for want of memory",
    "SIGSEGV": ": a fault in a C extension, or too deep a recursion",
    "SIGABRT": ": a C extension gave up",
    "SIGBUS": ": a fault in a C extension, or a mapped file that shrank",
}
