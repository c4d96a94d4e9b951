"""An empty folder to work in, for either store."""

from pathlib import Path

import pytest

from tests.acceptance.cli.commands import UserFolder


@pytest.fixture
def folder(tmp_path: Path) -> UserFolder:
    """An empty folder; jobs go to SQLite in it."""
    return UserFolder(tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def any_folder(request: pytest.FixtureRequest, tmp_path: Path) -> UserFolder:
    """An empty folder; jobs go to either store."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    return UserFolder(tmp_path, url)
