"""Finding an app: the default one of this process, or "module:attribute"."""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from rota.app.tracing import trace_attempts
from rota.model.errors import ConfigurationError, RotaError

if TYPE_CHECKING:
    from rota.app.rota import Rota
    from rota.definitions.registry import Registry

__all__ = ["calling_module", "default_app", "load_app", "load_registry", "remember"]

_made: "list[Rota]" = []


def remember(app: "Rota") -> None:
    """Note an app that was made; the first of a process is its default."""
    _made.append(app)


def default_app() -> "Rota":
    """Return the first `Rota` made in this process, else one made from the settings."""
    if not _made:
        from rota.app.rota import Rota  # noqa: PLC0415 - that module registers its apps here

        return Rota()
    return _made[0]


def calling_module() -> str:
    """Return the name of the module that makes an app: what called the caller; "" for one of Rota's own.

    A script is known by its file's name.
    """
    frame = sys._getframe(2)  # noqa: SLF001 - what `warnings` uses too
    name = str(frame.f_globals.get("__name__", ""))
    if name == "__main__":
        spec, file = frame.f_globals.get("__spec__"), frame.f_globals.get("__file__", "")
        name = spec.name if spec is not None else Path(file).stem
    return "" if name.startswith("rota.app.") else name


def load_app(locator: str) -> "Rota":
    """Return the app of "module:attribute" ("module" alone: its one `Rota`).

    Raises:
        ConfigurationError: the module cannot be imported, or holds no such app.
    """
    from rota.app.rota import Rota  # noqa: PLC0415 - as above

    module_name, _, attribute = locator.partition(":")
    module = _imported(locator, module_name)
    apps = {name: value for name, value in vars(module).items() if isinstance(value, Rota)}
    if attribute:
        if attribute not in apps:
            names = f" It has: {', '.join(apps)}" if apps else ""
            raise ConfigurationError(
                [f"app {locator!r}: {module_name} has no Rota named {attribute!r}.{names}"]
            )
        return apps[attribute]
    if len(apps) != 1:
        raise ConfigurationError(
            [f"app {locator!r}: {module_name} has {len(apps)} Rota apps; give MODULE:name"]
        )
    return next(iter(apps.values()))


def load_registry(locator: str) -> "Registry":
    """Return the definitions of an app, in a child process; "" is the app of the script that was started."""
    app = load_app(locator) if locator else default_app()
    trace_attempts(app.registry)
    return app.registry


def _imported(locator: str, module_name: str) -> ModuleType:
    if not module_name or module_name.startswith("."):
        raise ConfigurationError([f"app {locator!r} names no module; give MODULE:app, for example main:app"])
    if os.getcwd() not in sys.path:  # noqa: PTH109 - what Python puts there is text
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
    try:
        return importlib.import_module(module_name)
    except RotaError:
        raise
    except Exception as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing is not None and (module_name + ".").startswith(missing + "."):
            reason = f"there is no module {module_name!r} here; give MODULE:app"
        else:
            reason = (
                f"importing {module_name} failed: {error!r}. `python -c 'import {module_name}'` shows where"
            )
        raise ConfigurationError([f"app {locator!r}: {reason}"]) from error
