"""A real browser on a real Rota: headless Chromium, and `rota run` as a user starts it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    StorageState,
    expect,
    sync_playwright,
)

from tests.acceptance.cli.commands import UserFolder
from tests.browser.world import APP, HISTORY

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 20_000  # milliseconds
expect.set_options(timeout=PATIENCE)


class Site:
    """A running Rota, where it is, and who may come in by which token."""

    def __init__(self, folder: UserFolder, url: str, tokens: dict[str, str]) -> None:
        self.folder, self.url, self.tokens = folder, url, tokens
        self.sessions: dict[str, StorageState] = {}

    @property
    def token(self) -> str:
        """An admin's."""
        return self.tokens["admin"]


# For each module anew: as long as it is open, Playwright keeps an event loop running in its thread, and no
# asynchronous test could run there.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    assert CHROMIUM, "no Chromium found: scripts/servers installs it (apt-get install chromium)"
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    started = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
    yield started
    started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that nobody has logged in with."""
    made = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    made.set_default_timeout(PATIENCE)
    yield made
    made.close()


@pytest.fixture
def open_as(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Open a page as somebody of a role; all of one role share a session, as tabs do."""
    contexts = []

    def open_page(role: str, *, width: int = 1280, scheme: str = "light") -> Page:
        made = browser.new_context(
            viewport={"width": width, "height": 800},
            reduced_motion="reduce",
            color_scheme="dark" if scheme == "dark" else "light",
            storage_state=site.sessions.get(role),
        )
        made.set_default_timeout(PATIENCE)
        contexts.append(made)
        page = made.new_page()
        if role not in site.sessions:
            page.goto(f"{site.url}login")
            page.fill("input[name=secret]", site.tokens[role])
            page.click("button.main")
            page.wait_for_selector("nav")
            site.sessions[role] = made.storage_state()
        return page

    yield open_page
    for one in contexts:
        one.close()


@pytest.fixture
def page(open_as: Callable[..., Page]) -> Page:
    """A page that has logged in as an admin."""
    return open_as("admin")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Rota on SQLite with an app and some history, everything in one process tree."""
    path = tmp_path_factory.mktemp("site")
    folder = UserFolder(path, f"sqlite:///{path}/rota.db")
    folder.environment |= {"ROTA_PORT": "0", "ROTA_GRACE": "1"}
    folder.write(APP)
    tokens = {
        role: folder.json("tokens", "create", f"ada-{role}", "--role", role)["secret"]
        for role in ("admin", "operator", "viewer")
    }
    folder.code(HISTORY)
    folder.rota("queues", "pause", "parked", "--app", "main:app")
    with folder.started("run") as process:
        line = process.wait_for("dashboard at ")
        yield Site(folder, line.split("dashboard at ")[1].split(";")[0], tokens)
        assert process.stop() == 0


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages are kept: the folder ROTA_SHOTS, else with pytest's other files."""
    folder = Path(os.environ.get("ROTA_SHOTS") or tmp_path_factory.mktemp("shots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
