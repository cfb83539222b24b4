"""The branch panel without a server that answers, while it waits, with nothing in it, with much."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Lab
from tests.browser.test_story import _execute, _open_sidebar
from workbench.git import Repository

__all__ = ["is_empty_and_full", "is_on", "row_of", "tries_again", "waits_in_the_main_area"]

STATUS = "**/workbench/api/branch?**"


def is_on(section: Locator, branch: str) -> None:
    expect(section.locator(".jp-Workbench-branch .jp-Workbench-name")).to_have_text(branch)


def row_of(section: Locator, branch: str) -> Locator:
    """Return the row of another branch."""
    named = section.page.get_by_title(branch, exact=True)
    return section.locator(".jp-Workbench-otherBranch").filter(has=named)


def tries_again(page: Page, section: Locator) -> None:
    page.route(STATUS, lambda route: route.abort())
    _execute(page, "workbench:refresh")
    failure = section.get_by_role("alert")
    expect(failure).to_contain_text("The Jupyter server does not answer")
    page.unroute(STATUS)
    failure.get_by_role("button", name="Try again").click()
    is_on(section, "main")


def waits_in_the_main_area(page: Page) -> None:
    held: list[Route] = []
    page.route(STATUS, lambda route: held.append(route))
    _execute(page, "workbench:open-branch")
    panel = page.locator("#jupyter-workbench-branch")
    expect(panel.get_by_text("Loading…")).to_have_count(1)
    for route in held:
        route.continue_()
    page.unroute(STATUS)
    is_on(panel, "main")
    expect(panel.get_by_text("exp/deeper", exact=True)).to_be_visible()
    page.locator(".lm-TabBar-tab.jp-mod-current").get_by_title("Close").click()


def is_empty_and_full(page: Page, section: Locator, lab: Lab) -> None:
    root = lab.served / "plain"
    root.mkdir()
    (root / "workbench.toml").write_text('name = "plain"\n')
    (root / ".gitignore").write_text(".workbench/\n")
    _execute(page, "filebrowser:go-to-path", path="/plain")
    _open_sidebar(page)
    expect(section.get_by_text("This project is not under Git")).to_be_visible()

    repository = Repository.init(root)
    repository.commit(["."], "Start")
    _execute(page, "workbench:refresh")
    expect(section.get_by_text("There is no other: start one")).to_be_visible()
    section.get_by_role("button", name="Leaderboard").click()
    expect(page.get_by_text("No run has logged a metric yet.")).to_be_visible()
    _execute(page, "workbench:compare-branches")
    expect(page.get_by_text("There is one branch only: start another.")).to_be_visible()

    for place in range(40):
        repository.git("branch", f"exp/{place}")
        (root / f"{place}.md").write_text("new\n")
    _execute(page, "workbench:refresh")
    expect(page.get_by_label("One branch", exact=True)).to_have_value("main")
    expect(page.get_by_label("The other branch", exact=True)).to_have_value(re.compile("^exp/"))
    expect(section.get_by_role("button", name="Commit 40 files")).to_be_disabled()
    section.get_by_role("button", name="Show 28 more").click()
    expect(section.get_by_role("checkbox")).to_have_count(40)
    section.get_by_role("button", name="Choose none").click()
    expect(section.get_by_role("button", name="Commit", exact=True)).to_be_disabled()
    section.get_by_role("button", name="Show 10 more").click()
    expect(section.locator(".jp-Workbench-otherBranch")).to_have_count(40)
