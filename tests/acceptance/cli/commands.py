"""An empty folder in which a user works: writes `main.py`, types commands, starts and stops processes."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Process", "UserFolder"]

ROTA = str(Path(sys.executable).with_name("rota"))
PATIENCE = 40


class Process:
    """A process that was started and keeps running; what it prints is kept."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self._popen = popen
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(stream,)) for stream in (popen.stdout, popen.stderr)
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._popen.pid

    def wait_for(self, word: str) -> str:
        """Wait until it has printed a line with a word, and return the line."""

        def found() -> str | None:
            return next((line for line in self.lines if word in line), None)

        with self._changed:
            assert self._changed.wait_for(found, PATIENCE), f"no line with {word!r} in {self.lines}"
            return found() or ""

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self._popen.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Wait until it has ended and return the exit code."""
        code = self._popen.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def end_anyway(self) -> None:
        """Leave nothing behind."""
        if self._popen.poll() is None:
            self._popen.kill()
        self.ended()

    def _read(self, stream: Any) -> None:
        with stream:
            for line in stream:
                with self._changed:
                    self.lines.append(line.rstrip("\n"))
                    self._changed.notify_all()


class UserFolder:
    """A folder with an app in `main.py`, and the environment of its commands."""

    def __init__(self, path: Path, url: str | None = None) -> None:
        self.path = path
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ROTA_", "PYTEST", "COLUMNS", "NO_COLOR", "FORCE_COLOR"))
        }
        if url is not None:
            self.environment["ROTA_URL"] = url

    def write(self, text: str, name: str = "main.py") -> None:
        """Write a file."""
        (self.path / name).write_text(text)

    def rota(
        self, *words: str, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `rota …` to its end."""
        return self._run([ROTA, *words], environment)

    def python(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `python …` to its end."""
        return self._run([sys.executable, *words], None)

    def json(self, *words: str) -> Any:
        """Run `rota … --json`, which has to succeed, and return its document."""
        done = self.rota(*words, "--json")
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    def code(self, text: str) -> str:
        """Run Python code beside the app and return what it prints."""
        done = self.python("-c", text)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextmanager
    def started(self, *words: str) -> Iterator[Process]:
        """Start `python main.py …`, or `rota …` where the first word says so; ends it at last."""
        command = [ROTA, *words[1:]] if words[0] == "rota" else [sys.executable, "main.py", *words]
        process = Process(
            subprocess.Popen(
                command,
                cwd=self.path,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        try:
            yield process
        finally:
            process.end_anyway()

    def _run(
        self, command: list[str], environment: dict[str, str] | None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.path,
            env=self.environment | (environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
