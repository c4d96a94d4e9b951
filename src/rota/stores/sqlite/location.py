"""Where the database file is."""

import shutil
import tempfile
import weakref
from pathlib import Path

from rota.model.errors import ConfigurationError, StoreUnavailableError

__all__ = ["Location"]

_SCHEME = "sqlite:"
_EXAMPLES = "Use sqlite:///relative.db, sqlite:////absolute.db, or sqlite:// for a private temporary file"


class Location:
    """The path of a database file; `sqlite://` alone is a private file that goes with `release`.

    Args:
        text: a url or a plain path.

    Raises:
        ConfigurationError: the url cannot be read.
    """

    def __init__(self, text: str) -> None:
        self.url = text
        # Absolute: a process may change its working directory later.
        given = _path_of(text)
        self._private = given is None
        self.path = Path(tempfile.mkdtemp(prefix="rota-"), "rota.db") if given is None else given
        if self._private:
            weakref.finalize(self, shutil.rmtree, self.path.parent, ignore_errors=True)

    def check(self) -> None:
        """Say in plain words why the file cannot be there.

        Raises:
            StoreUnavailableError: it is a folder, or its folder does not exist.
        """
        path = self.path
        if self._private:
            path.parent.mkdir(mode=0o700, exist_ok=True)
        if path.is_dir():
            raise StoreUnavailableError(
                f"{path} is a folder. Give the path of a file, such as {path / 'rota.db'}"
            )
        if not path.parent.is_dir():
            raise StoreUnavailableError(
                f"{path} cannot be made: its folder does not exist. Make {path.parent}, or correct the path"
            )

    def release(self) -> None:
        """Remove a private file."""
        if self._private:
            shutil.rmtree(self.path.parent, ignore_errors=True)


def _path_of(text: str) -> Path | None:
    if not text.startswith(_SCHEME):
        return Path(text).absolute()
    rest = text.removeprefix(_SCHEME)
    if not rest.startswith("//") or "?" in rest:
        raise ConfigurationError([f"url: {text!r} names no SQLite file. {_EXAMPLES}"])
    rest = rest.removeprefix("//")
    if rest in {"", "/", "/:memory:"}:
        return None
    if not rest.startswith("/"):
        raise ConfigurationError([f"url: {text!r} names a host, and SQLite has none. {_EXAMPLES}"])
    path = Path(rest[1:]).absolute()
    if not path.name:
        raise ConfigurationError([f"url: {text!r} names no SQLite file. {_EXAMPLES}"])
    return path
