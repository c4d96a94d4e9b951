"""How a child process comes to know the worker's definitions without a fork or a pickle."""

import importlib
import runpy
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager

from rota.definitions.registry import Registry
from rota.model.errors import ConfigurationError

__all__ = [
    "import_main",
    "is_main",
    "load_definitions",
    "loading",
    "main_of_this_process",
    "refuse_while_loading",
]

_MAIN = "__main__"
_MAIN_IN_CHILD = "__mp_main__"
_GUARD = "Put what starts the program (app.cli(), a worker) under `if __name__ == '__main__':`"
_loading: list[str] = []


def is_main(argument: str) -> bool:
    """Tell whether a loader's argument stands for the script that was started: "" or "__main__:app"."""
    return argument.partition(":")[0] in {"", _MAIN}


def main_of_this_process() -> tuple[str | None, str | None]:
    """Return the main module's name (under `python -m`) or else its path (a script); neither in a shell."""
    main = sys.modules[_MAIN]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return spec.name, None
    return None, getattr(main, "__file__", None)


def import_main(name: str | None, path: str | None) -> None:
    """Import another process's main module, as `multiprocessing` does: named `__mp_main__`, in place of ours.

    Raises:
        ConfigurationError: the module starts the program when it is imported.
    """
    try:
        if name is not None:
            content = runpy.run_module(name, run_name=_MAIN_IN_CHILD, alter_sys=True)
        elif path is not None:
            content = runpy.run_path(path, run_name=_MAIN_IN_CHILD)
        else:
            return
    except SystemExit as error:
        raise ConfigurationError(
            [f"{name or path} ends the process ({error.code}) when a child process imports it. {_GUARD}"]
        ) from None
    module = types.ModuleType(_MAIN_IN_CHILD)
    module.__dict__.update(content)
    sys.modules[_MAIN] = sys.modules[_MAIN_IN_CHILD] = module


def load_definitions(loader: str, argument: str) -> Registry:
    """Call the function that `loader` ("module:function") names and return the registry that it gives."""
    module, _, function = loader.partition(":")
    registry: Registry = getattr(importlib.import_module(module), function)(argument)
    return registry


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Mark the time in which a child imports the user's code."""
    _loading.append(what)
    try:
        yield
    finally:
        _loading.clear()


def refuse_while_loading() -> None:
    """Refuse to start a worker inside the import that a worker's child makes: it would have children itself.

    Raises:
        ConfigurationError: this is such a child, and it is loading.
    """
    if _loading:
        raise ConfigurationError(
            [f"{_loading[0]} starts a worker while a worker's child process imports it. {_GUARD}"]
        )
