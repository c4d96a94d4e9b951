"""Coming in, and what a stranger sees."""

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, expect

from tests.browser.conftest import Site

pytestmark = pytest.mark.xdist_group("browser")


def test_a_stranger_logs_in_and_comes_where_he_wanted(context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    page.goto(f"{site.url}queues")
    expect(page).to_have_url(f"{site.url}login?next=%2Fqueues")
    page.fill("input[name=secret]", "rota_guess")
    page.click("button.main")
    expect(page.get_by_role("alert")).to_contain_text("opens nothing")
    page.fill("input[name=secret]", site.token)
    page.click("button.main")
    expect(page).to_have_url(f"{site.url}queues")
    expect(page.locator(".foot")).to_contain_text("ada-admin · admin")
    # Who logs out is a stranger again.
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{site.url}login")
    page.goto(site.url)
    expect(page).to_have_url(f"{site.url}login?next=%2F")


def test_a_page_asks_nobody_else_and_breaks_no_policy(page: Page, site: Site) -> None:
    faults: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith(site.url):
            faults.append(request.url)

    page.on("console", said)
    page.on("request", asked)
    for path in ("", "timeline", "jobs", "queues"):
        page.goto(f"{site.url}{path}")
        page.wait_for_load_state("domcontentloaded")
    assert faults == []
