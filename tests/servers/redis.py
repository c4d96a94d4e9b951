"""A real Redis for benchmarks, started from the installed binary on a free port.

    with RedisServer() as server:
        url = server.fresh()

Start it from the main thread: on Linux the server ends with the thread that started it.
"""

import random
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_PORTS: Final = range(15000, 30000)
_PATIENCE: Final = 10.0


class RedisMissingError(RuntimeError):
    """No Redis found: `scripts/servers bench` installs it, or have `redis-server` on the PATH."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class RedisStartError(RuntimeError):
    """Redis did not start; the message is what it said."""


def find_redis() -> str:
    """Return the server's binary."""
    found = shutil.which("redis-server")
    if found is None:
        raise RedisMissingError
    return found


class RedisServer:
    """One server in a folder of its own, with Redis's own default settings: snapshots now and then."""

    def __init__(self) -> None:
        self.port = 0
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start on a free port and wait until it answers."""
        binary = find_redis()
        self._folder = Path(tempfile.mkdtemp(prefix="rota-redis-"))
        for port in random.sample(_PORTS, 5):
            if self._start_on(binary, port):
                self.port = port
                return
        said = (self._folder / "log").read_text(errors="replace")
        self.close()
        raise RedisStartError(said)

    def close(self) -> None:
        """Stop the server and remove its folder."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    @property
    def pid(self) -> int:
        """The server's process id."""
        if self._process is None:
            raise RedisStartError("the server was not started")
        return self._process.pid

    @property
    def folder(self) -> Path:
        """Where its snapshots go."""
        if self._folder is None:
            raise RedisStartError("the server was not started")
        return self._folder

    def url(self) -> str:
        """Return the address of the first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    def fresh(self) -> str:
        """Forget everything, and return the address."""
        self.ask("FLUSHALL")
        return self.url()

    def ask(self, command: str) -> str:
        """Send a command without arguments that hold blanks, and return the first line of the answer."""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE) as connection,
            connection.makefile("rwb") as lines,
        ):
            lines.write(f"{command}\r\n".encode())
            lines.flush()
            return lines.readline().decode().strip()

    def _start_on(self, binary: str, port: int) -> bool:
        ending = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*ending, binary, "--bind", "127.0.0.1", "--port", str(port)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                process_group=0,  # Ctrl-C in a terminal ends the benchmark, which then ends its server
            )
        return self._answers(port)

    def _answers(self, port: int) -> bool:
        deadline = time.monotonic() + _PATIENCE
        self.port = port
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            try:
                return self.ask("PING") == "+PONG"
            except OSError:
                time.sleep(0.01)  # it does not say when it is ready
        return False
