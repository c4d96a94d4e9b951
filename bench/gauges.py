"""What the system knows of a process, and a SQLite file of itself."""

import os
import struct
from pathlib import Path

__all__ = ["cpu_seconds_of", "memory_of", "sqlite_transactions"]

_TICKS = os.sysconf("SC_CLK_TCK")
_CHANGES = struct.Struct("@8xI")  # WalIndexHdr of sqlite.org/walformat.html: iVersion, unused, iChange


def memory_of(pid: int | str) -> float:
    """Return the resident memory of a process in MB; pid may be "self"."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_seconds_of(pid: int) -> float:
    """Return how long a process has computed, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def sqlite_transactions(file: Path) -> int:
    """Return SQLite's own count of the transactions that wrote to a file in WAL mode."""
    with file.with_name(f"{file.name}-shm").open("rb") as index:
        return int(_CHANGES.unpack(index.read(_CHANGES.size))[0])
