"""Finding an app."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rota.app.locate import default_app, load_app, load_registry
from rota.app.rota import Rota
from rota.model.errors import ConfigurationError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_by_module_and_name_or_by_module_alone(folder: Path) -> None:
    (folder / "shop.py").write_text("from rota import Rota\nmine = Rota()\n@mine.task\ndef work(): ...\n")

    app = load_app("shop:mine")

    assert list(app.tasks) == ["work"]
    assert load_app("shop") is app
    assert load_registry("shop:mine") is app.registry


@pytest.mark.parametrize(
    ("locator", "words"),
    [
        (":app", "app ':app' names no module; give MODULE:app"),
        (".shop:app", "names no module"),
        ("nowhere:app", "there is no module 'nowhere' here; give MODULE:app"),
        ("shop:other", "shop has no Rota named 'other'. It has: one, two"),
        ("shop:number", "shop has no Rota named 'number'"),
        ("shop", "shop has 2 Rota apps; give MODULE:name"),
        ("empty", "empty has 0 Rota apps"),
    ],
)
def test_what_is_not_there_is_told(folder: Path, locator: str, words: str) -> None:
    (folder / "shop.py").write_text("from rota import Rota\none, two, number = Rota(), Rota(), 7\n")
    (folder / "empty.py").write_text("")

    with pytest.raises(ConfigurationError) as caught:
        load_app(locator)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import no_such_thing\n", "ModuleNotFoundError(\"No module named 'no_such_thing'\")"),
        ("undefined\n", "NameError("),
        ("def\n", "SyntaxError("),
    ],
)
def test_a_module_that_cannot_be_imported_says_why(folder: Path, text: str, words: str) -> None:
    (folder / "shop.py").write_text(text)

    with pytest.raises(ConfigurationError, match="importing shop failed: ") as caught:
        load_app("shop:app")
    assert words in str(caught.value)
    assert "`python -c 'import shop'` shows where" in str(caught.value)


def test_what_rota_refuses_in_the_module_is_told_as_it_is(folder: Path) -> None:
    (folder / "shop.py").write_text("from rota import Rota\napp = Rota(threds=3)\n")

    with pytest.raises(ConfigurationError, match=r"there is no setting 'threds'\. Did you mean 'threads'"):
        load_app("shop:app")


def test_the_default_app_is_the_first_of_the_process() -> None:
    program = (
        "from rota import Rota, default_app\n"
        "first, second = Rota('sqlite:///first.db'), Rota()\n"
        "assert default_app() is first\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_any_it_is_made_from_the_settings(folder: Path) -> None:
    program = (
        "from rota import default_app\nprint(default_app().settings.url, default_app() is default_app())\n"
    )
    for environment, url in (
        ({}, "sqlite:///rota.db"),
        ({"ROTA_URL": "sqlite:///mine.db"}, "sqlite:///mine.db"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [url, "True"]


def test_in_this_process_there_is_one() -> None:
    Rota()
    assert isinstance(default_app(), Rota)
