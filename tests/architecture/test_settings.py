"""`.env-dist` lists every setting, with its purpose and its default."""

from pathlib import Path

from rota.settings import PREFIX, Settings, load_settings
from scripts.env_dist import FILE, render


def listed() -> dict[str, str]:
    lines = FILE.read_text().splitlines()
    return dict(line.removeprefix("#").split("=", 1) for line in lines if line.startswith(f"#{PREFIX}"))


def test_every_setting_is_listed_and_nothing_else() -> None:
    assert list(listed()) == [PREFIX + name.upper() for name in Settings.__struct_fields__]


def test_the_listed_values_are_the_defaults(tmp_path: Path) -> None:
    assert load_settings(environment=listed(), folder=tmp_path) == Settings()


def test_the_purposes_are_those_of_the_settings() -> None:
    assert FILE.read_text() == render(), "run `make format`"
