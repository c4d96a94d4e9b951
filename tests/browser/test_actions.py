"""What a person does on the pages, on a running Rota."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site

pytestmark = pytest.mark.xdist_group("browser")


def submit(site: Site, code: str) -> str:
    """Run code beside the app and return what it prints last."""
    return site.folder.code(f"from main import *\n{code}\napp.close()").splitlines()[-1]


def answer_yes(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Yes").click()


def test_a_running_job_is_followed_live(page: Page, site: Site) -> None:
    job = submit(site, "print(counting.enqueue(25, 0.1).id)")
    page.goto(f"{site.url}jobs/{job}")
    # Nothing is loaded again by hand: lines, progress and the end come by themselves.
    page.evaluate("window.loaded = 'once'")
    expect(page.get_by_role("log")).to_contain_text("line 3")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("line 24")
    expect(page.locator("#live .state").first).to_have_text("succeeded")
    expect(page.locator("#result-title + pre")).to_have_text("25")
    assert page.locator(".entry", has_text="line 7").count() == 1
    assert page.evaluate("window.loaded") == "once"


def test_a_running_job_is_cancelled_after_a_question(page: Page, site: Site) -> None:
    job = submit(site, "print(endless.enqueue().id)")
    page.goto(f"{site.url}jobs/{job}")
    expect(page.locator("#live .state").first).to_have_text("running")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("Ask the running task to stop?")
    page.get_by_role("dialog").get_by_role("button", name="No").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Cancel", exact=True).click()
    answer_yes(page)
    expect(page.get_by_role("status")).to_have_text("The job runs: its task was asked to stop")
    expect(page.locator("#live .state").first).to_have_text("cancelled")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("status")).to_have_text("The job will run again")
    site.folder.rota("jobs", "cancel", job)


def test_why_a_job_waits_is_said(page: Page, site: Site) -> None:
    page.goto(f"{site.url}jobs?queue=parked&state=ready")
    page.locator("tbody a.mono").first.click()
    expect(page.locator("ul.reasons")).to_contain_text("queue 'parked' was paused by")


def test_jobs_are_found_by_filters_that_stay_in_the_address(page: Page, site: Site) -> None:
    page.goto(f"{site.url}jobs")
    page.get_by_label("failed").check()
    page.get_by_label("Error").fill("ConnectionError")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"state=failed.*fault=ConnectionError"))
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_label("Since").fill("yesterday")
    page.get_by_role("button", name="Show").click()
    field = page.get_by_label("Since")
    expect(field).to_have_value("yesterday")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#since-fault")).to_contain_text("Write a length of time such as 2h")


def test_jobs_are_paged_by_cursor(page: Page, site: Site) -> None:
    submit(site, "print(len(send.enqueue_many([(f'p{n}',) for n in range(60)])))")
    page.goto(f"{site.url}jobs?task=send")
    expect(page.locator("tbody tr")).to_have_count(50)
    first = page.locator("tbody tr").first.get_attribute("id")
    page.get_by_role("link", name="Older").click()
    expect(page).to_have_url(re.compile(r"task=send.*before="))
    assert page.locator("tbody tr").first.get_attribute("id") != first
    page.get_by_role("link", name="Newest").click()
    expect(page.locator(f"#{first}")).to_be_visible()


def test_chosen_jobs_are_cancelled_and_run_again(page: Page, site: Site) -> None:
    submit(site, "print(len(parked.options(key='chosen').enqueue_many([(n,) for n in range(4)])))")
    page.goto(f"{site.url}jobs?key=chosen")
    boxes = page.locator("tbody input[type=checkbox]")
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Cancel 2 chosen").click()
    expect(page.get_by_role("dialog")).to_contain_text("Cancel 2 chosen jobs?")
    answer_yes(page)
    expect(page.get_by_role("status")).to_have_text("2 jobs cancelled")
    page.get_by_label("Choose all jobs of this page").check()
    page.get_by_role("button", name="Retry 4 chosen").click()
    answer_yes(page)
    expect(page.get_by_role("status")).to_contain_text(
        "2 jobs will run again, 2 jobs left alone: cannot redrive"
    )


def test_all_jobs_of_a_filter_are_cancelled_with_their_number_in_the_question(page: Page, site: Site) -> None:
    submit(site, "print(len(parked.options(key='bulk').enqueue_many([(n,) for n in range(70)])))")
    page.goto(f"{site.url}jobs?queue=parked&key=bulk")
    page.get_by_role("link", name="Cancel all that match").click()
    expect(page.locator(".question")).to_have_text("Cancel 70 jobs?")
    page.get_by_role("button", name="Yes, cancel 70 jobs").click()
    expect(page.get_by_role("status")).to_have_text("70 jobs cancelled")
    expect(page.locator("tbody .state").first).to_have_text("cancelled")
    counted = site.folder.json("jobs", "list", "--key", "bulk", "--state", "cancelled", "--limit", "100")
    assert len(counted["jobs"]) == 70
    page.goto(f"{site.url}audit")
    row = page.locator("tbody tr", has_text="queue=parked&key=bulk")
    expect(row).to_contain_text("ada-admin")
    expect(row).to_contain_text("cancel jobs")


def test_a_list_follows_what_happens_and_keeps_what_is_chosen(page: Page, site: Site) -> None:
    submit(site, "print(parked.options(key='watched').enqueue(1).id)")
    page.goto(f"{site.url}jobs?key=watched")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody input[type=checkbox]").check()
    submit(site, "print(parked.options(key='watched').enqueue(2).id)")
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody tr input[type=checkbox]:checked")).to_have_count(1)
    expect(page.get_by_role("button", name="Cancel 1 chosen")).to_be_enabled()


def test_a_hidden_page_closes_its_stream(page: Page, site: Site) -> None:
    page.goto(f"{site.url}queues")
    expect(page.locator("html")).to_have_attribute("data-live", "yes")
    hide = """hidden => {
        Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.evaluate(hide, arg=True)
    expect(page.locator("html")).not_to_have_attribute("data-live", "yes")
    page.evaluate(hide, arg=False)
    expect(page.locator("html")).to_have_attribute("data-live", "yes")


def test_dead_letters_are_run_again_by_group(page: Page, site: Site) -> None:
    submit(site, "print(len(load.options(key='retried').enqueue_many([(3 * n + 1,) for n in range(4)])))")
    page.goto(f"{site.url}dead?key=retried")
    row = page.locator("tbody tr", has_text="row 1 has no column")
    expect(row.get_by_role("link")).to_have_text("4", timeout=20_000)
    row.get_by_role("button", name="Retry 4").click()
    expect(page.get_by_role("dialog")).to_contain_text("of load again that failed by ValueError?")
    answer_yes(page)
    expect(page.get_by_role("status")).to_contain_text("of 1 group will run again")
    page.get_by_label("Choose all groups").check()
    page.get_by_role("button", name="chosen groups").click()
    answer_yes(page)
    expect(page.get_by_role("status")).to_contain_text("groups will run again")


def test_a_queue_is_paused_after_a_question(page: Page, site: Site) -> None:
    page.goto(f"{site.url}queues")
    page.get_by_role("button", name="Pause import").click()
    expect(page.get_by_role("dialog")).to_contain_text("Workers will claim no job of queue import")
    answer_yes(page)
    expect(page.get_by_role("status")).to_have_text("Queue import is paused")
    expect(page.locator("tr", has_text="import")).to_contain_text("paused by ada-admin")
    page.get_by_role("button", name="Resume import").click()
    expect(page.get_by_role("status")).to_have_text("Queue import is open again")


def test_a_token_is_shown_once_and_revoked(page: Page, site: Site) -> None:
    page.goto(f"{site.url}tokens")
    page.get_by_label("Name").fill("robot")
    page.get_by_label("Lifetime").fill("soon")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("#lifetime-fault")).to_contain_text("Write a length of time")
    expect(page.get_by_label("Name")).to_have_value("robot")
    page.get_by_label("Lifetime").fill("12h")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("pre.secret")).to_contain_text("rota_")
    page.goto(f"{site.url}tokens")
    page.get_by_role("button", name="Revoke token robot").click()
    answer_yes(page)
    expect(page.get_by_role("status")).to_have_text("Token robot opens nothing any more")


def test_a_viewer_sees_and_may_do_nothing(site: Site, open_as: Callable[..., Page]) -> None:
    page = open_as("viewer")
    for path in ("", "timeline", "jobs", "schedules", "schedules/nightly-sync", "queues", "workers", "dead"):
        page.goto(f"{site.url}{path}")
        main = page.locator("main")
        expect(main.get_by_role("heading", level=1)).to_be_visible()
        assert main.locator("form[method=post]:has(button)").count() == 0, path
    expect(page.locator("nav")).not_to_contain_text("Audit log")
    proof = page.locator("meta[name=csrf]").get_attribute("content")
    asked = {
        "jobs/all/cancel": "queue=parked",
        "queues/parked/resume": "",
        "schedules/nightly-sync/delete": "",
        "dead/redrive": "group=x",
        "tokens": "name=mine&role=admin",
    }
    for path, form in asked.items():
        answer = page.request.post(
            f"{site.url}{path}",
            data=f"{form}&csrf={proof}",
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"},
        )
        assert answer.status == 403, path
    for path in ("tokens", "audit", "schedules/new"):
        assert page.goto(f"{site.url}{path}").status == 403  # type: ignore[union-attr]  # every page answers


def test_pages_work_by_keyboard_alone(page: Page, site: Site) -> None:
    page.goto(f"{site.url}queues")
    page.keyboard.press("Tab")
    expect(page.locator("a.skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.get_by_role("button", name="Pause mail").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="No")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Pause mail")).to_be_focused()
