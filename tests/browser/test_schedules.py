"""Schedules, made and steered by hand."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.test_actions import answer_yes

pytestmark = pytest.mark.xdist_group("browser")


def test_a_schedule_is_made_with_a_preview_before(page: Page, site: Site) -> None:
    page.goto(f"{site.url}schedules/new")
    page.get_by_label("Id", exact=False).first.fill("spring-mail")
    page.get_by_label("Task").fill("send")
    page.get_by_label("When").fill("30 2 29-31 3 * Europe/Amsterdm")
    page.locator("textarea").fill('{"to": 7}')
    page.get_by_role("button", name="Preview").click()
    # What is wrong stands beside the fields, and what was typed is kept.
    expect(page.locator("#trigger-fault")).to_contain_text("Did you mean 'Europe/Amsterdam'?")
    expect(page.locator("#arguments-fault")).to_contain_text("to")
    expect(page.locator("textarea")).to_have_value('{"to": 7}')
    expect(page.get_by_role("button", name="Make the schedule")).to_have_count(0)
    page.get_by_label("When").fill("30 2 25-31 3 sun Europe/Amsterdam")
    page.locator("textarea").fill('{"to": "ada@example.org"}')
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview")).to_contain_text("right after clocks go forward")
    assert site.folder.rota("schedules", "show", "spring-mail").returncode != 0
    page.get_by_role("button", name="Make the schedule").click()
    expect(page.get_by_role("status")).to_have_text("Schedule spring-mail is made")
    assert site.folder.json("schedules", "show", "spring-mail")["arguments"] == {"to": "ada@example.org"}
    page.get_by_role("button", name="Delete").click()
    answer_yes(page)
    expect(page.get_by_role("status")).to_have_text("Schedule spring-mail is deleted")


def test_a_change_is_previewed_and_saved(page: Page, site: Site) -> None:
    page.goto(f"{site.url}schedules/collect-figures")
    page.get_by_role("link", name="Change", exact=True).click()
    expect(page.get_by_label("When")).to_have_value("every 2 hours")
    page.get_by_label("When").fill("every 3 hours")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview del")).to_have_text("every 2 hours")
    expect(page.locator("#preview ins")).to_have_text("every 3 hours")
    assert site.folder.json("schedules", "show", "collect-figures")["trigger_text"] == "every 2 hours"
    page.get_by_role("button", name="Save the change").click()
    expect(page.get_by_role("status")).to_contain_text("Schedule collect-figures: trigger changed")
    assert site.folder.json("schedules", "show", "collect-figures")["trigger_text"] == "every 3 hours"


def test_policies_that_contradict_each_other_are_refused_beside_the_field(page: Page, site: Site) -> None:
    page.goto(f"{site.url}schedules/collect-figures/edit")
    page.locator("select[name=catch_up]").select_option("all")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#overlap-fault")).to_contain_text("would run one of many at best")
    expect(page.locator("select[name=catch_up]")).to_have_value("all")


def test_a_schedule_is_paused_with_a_reason_and_resumed(page: Page, site: Site) -> None:
    page.goto(f"{site.url}schedules/weekday-report")
    page.get_by_label("Reason").fill("the printer is on fire")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status")).to_have_text("Schedule weekday-report is paused")
    expect(page.locator("#live")).to_contain_text("by ada-admin: the printer is on fire")
    page.goto(f"{site.url}timeline?q=weekday")
    expect(page.locator(".lane .state")).to_have_text("paused")
    page.goto(f"{site.url}schedules")
    page.get_by_role("button", name="Resume weekday-report").click()
    expect(page.get_by_role("status")).to_have_text("Schedule weekday-report ticks again")


def test_a_schedule_runs_now_and_for_moments_of_the_past(page: Page, site: Site) -> None:
    page.goto(f"{site.url}schedules/nightly-sync")
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("status")).to_have_text("Schedule nightly-sync runs now, as this job")
    expect(page.locator("#live .state").first).to_have_text("succeeded")
    page.goto(f"{site.url}schedules/nightly-sync")
    page.get_by_label("From", exact=True).fill("2026-01-05T00:00")
    page.get_by_label("To", exact=True).fill("2026-01-03T00:00")
    page.get_by_role("button", name="Backfill").click()
    answer_yes(page)
    expect(page.get_by_role("alert")).to_contain_text("Nothing was run")
    expect(page.get_by_label("From", exact=True)).to_have_value("2026-01-05T00:00")
    page.get_by_label("To", exact=True).fill("2026-01-07T12:00")
    page.get_by_role("button", name="Backfill").click()
    answer_yes(page)
    expect(page.get_by_role("status")).to_have_text("Schedule nightly-sync: 3 past moments will run")
    expect(page.locator("#live tbody .state", has_text="backfill")).to_have_count(3)


def test_the_timeline_shows_each_schedule_as_picture_and_as_text(page: Page, site: Site) -> None:
    page.goto(f"{site.url}timeline?past=6")
    lane = page.get_by_role("img", name="refresh-prices: ")
    expect(lane).to_be_visible()
    expect(lane.locator("line.coming")).not_to_have_count(0)
    page.get_by_text("The same as text").click()
    expect(page.get_by_role("region", name="Timeline as text")).to_contain_text("refresh-prices")
