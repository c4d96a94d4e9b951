"""What figures were measured on, and with which versions."""

import os
import platform
import re
import sqlite3
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.servers.postgres import find_binaries
from tests.servers.redis import RedisMissingError, find_redis

__all__ = ["DURABILITY", "describe_machine"]

DURABILITY = (
    "PostgreSQL: fsync and synchronous_commit on; SQLite: WAL, synchronous FULL; "
    "Redis: its own snapshots, so nothing is on the disk before an answer"
)
PACKAGES = ("rota", "asyncpg", "psycopg", "uvloop", "pgqueuer", "huey", "taskiq", "dramatiq", "celery", "rq")


def describe_machine() -> dict[str, str]:
    """Return the machine and the versions, for the reader of the figures."""
    packages = {name: found for name in PACKAGES if (found := _version(name))}
    return {
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "postgresql": _asked(str(find_binaries() / "postgres")),
        "sqlite": sqlite3.sqlite_version,
        "redis": _redis(),
        **packages,
    }


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.processor()


def _redis() -> str:
    try:
        return _asked(find_redis())
    except RedisMissingError:
        return ""


def _asked(binary: str) -> str:
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+(\.\d+)+", said)
    return found[0] if found else said.strip()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
