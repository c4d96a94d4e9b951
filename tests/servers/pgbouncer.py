"""A real PgBouncer in transaction mode, before a database of a test server.

with PgBouncer(url, size=3) as pooler:
    connection = await asyncpg.connect(pooler.url, statement_cache_size=0)
"""

import os
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import psycopg

__all__ = ["PgBouncer", "PgBouncerMissingError", "find_pgbouncer"]

_NOBODY: Final = 65534
_PORTS: Final = range(30000, 32000)
_PATIENCE: Final = 20.0
_CONFIGURATION: Final = """
[databases]
{database} = host={host} port={port} dbname={database} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
server_round_robin = 1
logfile = {folder}/log
pidfile =
"""


class PgBouncerMissingError(RuntimeError):
    """No PgBouncer found: `scripts/servers` installs it as root on Debian; else take your system's."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def find_pgbouncer() -> str:
    """Return the program's path."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise PgBouncerMissingError
    return found


class PgBouncer:
    """A few connections to a database, shared by any number of clients, transaction by transaction.

    Args:
        url: the database; its server must trust the user.
        size: how many connections to the server; they take turns.
    """

    def __init__(self, url: str, size: int = 3) -> None:
        self._parts = urlsplit(url)
        self._size = size
        self._folder = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.url = ""

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="rota-pgbouncer-"))
        self.start()
        return self

    def start(self) -> None:
        """Start it, on a free port."""
        program = find_pgbouncer()
        # It refuses to run as root.
        identity: dict[str, Any] = {}
        if os.geteuid() == 0:
            os.chown(self._folder, _NOBODY, _NOBODY)
            identity = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        for port in random.sample(_PORTS, 5):
            if self._start(program, port, identity):
                return
        raise RuntimeError((self._folder / "log").read_text())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def stop(self) -> None:
        """End it at once; clients lose their connections."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_PATIENCE)
            self._process = None

    def transactions(self) -> int:
        """Count the transactions that it has carried."""
        console = f"postgresql://postgres@127.0.0.1:{self.port}/pgbouncer"
        with psycopg.connect(console, autocommit=True) as admin:
            cursor = psycopg.ClientCursor(admin)
            cursor.execute("show stats_totals")
            assert cursor.description is not None
            names = [column.name for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return sum(int(row["xact_count"]) for row in rows if row["database"] != "pgbouncer")

    def _start(self, program: str, port: int, identity: dict[str, Any]) -> bool:
        database = self._parts.path.lstrip("/")
        configuration = self._folder / "pgbouncer.ini"
        configuration.write_text(
            _CONFIGURATION.format(
                database=database,
                host=self._parts.hostname,
                port=self._parts.port,
                user=self._parts.username,
                own=port,
                size=self._size,
                folder=self._folder,
            )
        )
        configuration.chmod(0o644)
        ending = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
        self._process = subprocess.Popen(
            [*ending, program, "-q", str(configuration)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            process_group=0,
            **identity,
        )
        self.port = port
        self.url = f"postgresql://{self._parts.username}@127.0.0.1:{port}/{database}"
        return self._wait_until_ready()

    def _wait_until_ready(self) -> bool:
        ends = time.monotonic() + _PATIENCE
        while time.monotonic() < ends and self._process is not None and self._process.poll() is None:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.02)  # it tells nobody when it is ready
            else:
                return True
        self.stop()
        return False
