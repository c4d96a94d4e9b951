"""Fixtures for pytest.

In the `conftest.py` at the root of your tests:

    pytest_plugins = ["rota.testing.plugin"]

and in pytest's configuration, unless the app is the first one that your tests import:

    rota_app = "main:app"
"""

from collections.abc import Iterator

import pytest

from rota.app.locate import default_app, load_app
from rota.app.rota import Rota
from rota.testing.clock import FakeClock
from rota.testing.inlining import inline
from rota.testing.isolation import START, isolated

__all__ = ["pytest_addoption", "rota_app", "rota_clock", "rota_inline"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the app."""
    parser.addini("rota_app", "the app under test, as MODULE:attribute", default="")


@pytest.fixture
def rota_clock() -> FakeClock:
    """The clock of `rota_app`: it stands at Monday 2026-01-05 12:00 UTC until the test moves it."""
    return FakeClock(START)


@pytest.fixture
def rota_app(request: pytest.FixtureRequest, rota_clock: FakeClock) -> Iterator[Rota]:
    """The app, on an empty store of its own: what is enqueued waits for `drain`."""
    locator = request.config.getini("rota_app")
    app = load_app(locator) if locator else default_app()
    with isolated(app, clock=rota_clock):
        yield app


@pytest.fixture
def rota_inline(rota_app: Rota) -> Iterator[Rota]:
    """The app in inline mode: what is enqueued runs at once."""
    with inline(rota_app):
        yield rota_app
