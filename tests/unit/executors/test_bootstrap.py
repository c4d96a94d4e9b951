"""How children come to know the definitions."""

import sys
import types
from pathlib import Path

import pytest

from rota.definitions.registry import Registry
from rota.executors.bootstrap import (
    import_main,
    is_main,
    load_definitions,
    loading,
    main_of_this_process,
    refuse_while_loading,
)
from rota.executors.processes import ProcessExecutor
from rota.model.errors import ConfigurationError


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A main module of the test's own; the real one comes back after it."""
    module = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    monkeypatch.delitem(sys.modules, "__mp_main__", raising=False)
    return module


@pytest.mark.parametrize(
    ("argument", "found"),
    [("", True), ("__main__:app", True), ("__main__", True), ("app", False), ("pkg.__main__:app", False)],
)
def test_the_script_that_was_started_is_recognised(argument: str, found: bool) -> None:
    assert is_main(argument) is found


def test_a_script_is_named_by_its_path(main: types.ModuleType) -> None:
    main.__file__ = "/srv/main.py"

    assert main_of_this_process() == (None, "/srv/main.py")


def test_a_module_is_named_by_its_name(main: types.ModuleType) -> None:
    import importlib.machinery

    main.__file__ = "/srv/package/main.py"
    main.__spec__ = importlib.machinery.ModuleSpec("package.main", None)

    assert main_of_this_process() == ("package.main", None)


@pytest.mark.usefixtures("main")
def test_an_app_in_a_shell_is_refused_in_words() -> None:
    assert main_of_this_process() == (None, None)
    with pytest.raises(ConfigurationError, match="typed into a shell or notebook"):
        ProcessExecutor(1, loader="a:b", argument="")
    ProcessExecutor(1, loader="a:b", argument="module:app")


def test_an_imported_main_module_takes_the_place_of_our_own(main: types.ModuleType, tmp_path: Path) -> None:
    script = tmp_path / "main.py"
    script.write_text("class App: ...\n\ndef app():\n    return App.__module__\n")

    import_main(None, str(script))

    found = sys.modules["__main__"]
    assert found is sys.modules["__mp_main__"]
    assert found is not main
    assert found.app() == "__mp_main__"


def test_a_loader_is_called_with_its_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("a_loader")
    registries = {"app": Registry(), "other": Registry()}
    module.load = registries.get  # type: ignore[attr-defined]  # a module made by hand
    monkeypatch.setitem(sys.modules, "a_loader", module)

    assert load_definitions("a_loader:load", "app") is registries["app"]


def test_a_worker_is_refused_while_definitions_are_loaded_and_only_then() -> None:
    with loading("/srv/main.py"), pytest.raises(ConfigurationError, match=r"^/srv/main\.py starts a worker"):
        ProcessExecutor(1, loader="a:b", argument="module:app")

    refuse_while_loading()
