"""A real browser on a real Rota: headless Chromium, and `rota run` as a user starts it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.acceptance.cli.commands import UserFolder

APP = """
import asyncio
from datetime import timedelta

from rota import Rota, cron, current, every

app = Rota()


@app.task(queue="mail")
async def send(to: str) -> str:
    current().log.info("sending to %s", to)
    return to


@app.task(queue="mail")
def broken(number: int) -> None:
    raise ValueError("boom")


@app.task(queue="slow")
async def counting(total: int) -> int:
    for number in range(total):
        current().log.info("line %d", number)
        await current().progress(number + 1, total)
        await asyncio.sleep(0.2)  # slow enough to be watched
    return total


@app.schedule(cron("0 1 * * *", tz="Europe/Amsterdam"), id="nightly-sync", queue="mail")
def nightly() -> None:
    pass


if __name__ == "__main__":
    app.cli()
"""
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Site:
    """A running Rota, and where it is."""

    def __init__(self, folder: UserFolder, url: str, token: str) -> None:
        self.folder, self.url, self.token = folder, url, token


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    assert CHROMIUM, "no Chromium found: scripts/servers installs it (apt-get install chromium)"
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    started = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
    yield started
    started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, site: Site) -> Page:
    """A page that has logged in as an admin."""
    opened = context.new_page()
    opened.goto(f"{site.url}login")
    opened.fill("input[name=secret]", site.token)
    opened.click("button.main")
    opened.wait_for_selector("nav.places")
    return opened


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Rota on SQLite with an app, everything in one process."""
    folder = UserFolder(tmp_path, f"sqlite:///{tmp_path}/rota.db")
    folder.environment["ROTA_PORT"] = "0"
    folder.write(APP)
    token = folder.json("tokens", "create", "ada", "--role", "admin")["secret"]
    with folder.started("run") as process:
        line = process.wait_for("dashboard at ")
        yield Site(folder, line.split("dashboard at ")[1].split(";")[0], token)
        assert process.stop() == 0
