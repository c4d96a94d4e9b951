"""Every page on real data, in light, dark and on a phone: it shows, it is accessible, and it is pictured."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site

pytestmark = pytest.mark.xdist_group("browser")

AXE = Path(__file__).with_name("axe.min.js").read_text()
PAGES = {
    "overview": "",
    "timeline": "timeline",
    "jobs": "jobs",
    "schedules": "schedules",
    "schedule": "schedules/nightly-sync",
    "schedule-change": "schedules/nightly-sync/edit",
    "schedule-new": "schedules/new",
    "queues": "queues",
    "workers": "workers",
    "dead-letters": "dead",
    "tokens": "tokens",
    "audit": "audit",
    "cancel-all": "jobs/all/cancel?queue=parked",
}
LOOKS = {"light": (1280, "light"), "dark": (1280, "dark"), "phone": (390, "light")}
DOCS = Path(__file__).parents[2] / "docs" / "images"
IN_DOCS = {"overview-light", "timeline-dark", "job-running-light", "overview-phone"}


@pytest.fixture
def paths(site: Site) -> dict[str, str]:
    found = site.folder.json("jobs", "list", "--task", "load", "--state", "failed", "--limit", "1")["jobs"]
    running = site.folder.json("jobs", "list", "--task", "counting", "--limit", "1")["jobs"]
    return PAGES | {"job-failed": f"jobs/{found[0]['id']}", "job-running": f"jobs/{running[0]['id']}"}


@pytest.mark.timeout(240)  # fifteen pages, each looked through by axe-core
@pytest.mark.parametrize("look", LOOKS)
def test_pages_are_accessible_and_pictured(
    look: str, site: Site, paths: dict[str, str], open_as: Callable[..., Page], shots: Path
) -> None:
    width, scheme = LOOKS[look]
    page = open_as("admin", width=width, scheme=scheme)
    faults: dict[str, Any] = {}
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    for name, path in paths.items():
        page.goto(f"{site.url}{path}")
        expect(page.locator("h1")).to_be_visible()
        if found := serious(page):
            faults[name] = found
        # No page is wider than the screen: what is wide scrolls within itself.
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if overflow > 0:
            faults[f"{name}, too wide"] = overflow
        page.screenshot(path=shots / f"{name}-{look}.png", full_page=True)
        if os.environ.get("ROTA_README_SHOTS") and f"{name}-{look}" in IN_DOCS:
            page.mouse.move(0, 0)
            page.screenshot(path=DOCS / f"{name}-{look}.png")
    assert faults == {}
    assert errors == []


def serious(page: Page) -> list[str]:
    """Return what axe-core finds that is serious or critical."""
    # Through the debugger, which the page's own policy does not bind.
    page.evaluate(AXE + "; undefined")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("tags => axe.run({runOnly: tags})", tags)
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"][:3]
    ]
