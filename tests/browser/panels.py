"""What holds for every panel, those that are still to come too: found by their commands."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.sync_api import Locator, Page, expect

from tests.browser.test_story import FIRST_SIGHT, _execute

__all__ = ["main_panel", "only_panel", "panel_ids", "set_theme", "settled", "sidebar_of", "tile"]

THEMES = ("Light", "Dark")


def panel_ids(page: Page) -> Sequence[str]:
    """Return the ids of the panels that are registered, in their order in the sidebar."""
    found: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('#jupyter-workbench-sidebar [data-panel]')]"
        ".map(node => node.dataset.panel)"
    )
    named: list[str] = page.evaluate(
        "() => window.jupyterapp.commands.listCommands()"
        ".filter(name => name.startsWith('workbench:show-')).map(name => name.slice(15))"
    )
    return [one for one in found if one in named]


def sidebar_of(page: Page) -> Locator:
    """Return the sidebar."""
    return page.locator("#jupyter-workbench-sidebar")


def only_panel(page: Page, name: str) -> Locator:
    """Show one panel of the sidebar, and fold the others."""
    _execute(page, f"workbench:show-{name}")
    panel = sidebar_of(page).locator(f"[data-panel={name}]")
    expect(panel).to_be_visible()
    open_titles = sidebar_of(page).locator(".lm-AccordionPanel-title.lm-mod-expanded")
    others = open_titles.and_(page.locator(f":not([aria-controls='{panel.get_attribute('id')}'])"))
    while others.count():  # each that is folded is none of them any more
        others.first.click()
    expect(open_titles).to_have_count(1)
    settled(panel)
    return panel


def main_panel(page: Page, name: str) -> Locator:
    """Open a panel in the main area."""
    _execute(page, f"workbench:open-{name}")
    panel = page.locator(f"#jupyter-workbench-{name}")
    expect(panel).to_be_visible()
    settled(panel)
    return panel


def settled(panel: Locator) -> None:
    """Wait until a panel has read what it shows."""
    expect(panel.locator("[aria-busy=true]")).to_have_count(0, timeout=FIRST_SIGHT)
    expect(panel.locator(".jp-Workbench-loading")).to_have_count(0, timeout=FIRST_SIGHT)


def tile(page: Page, name: str) -> Locator:
    """Return a tile of the launcher that is on top; there may be others below it."""
    return page.get_by_role("button", name=name, exact=True).locator("visible=true")


def set_theme(page: Page, name: str) -> None:
    """Choose a theme of JupyterLab's, and wait until it is drawn."""
    _execute(page, "apputils:change-theme", theme=f"JupyterLab {name}")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", f"JupyterLab {name}")
    page.wait_for_timeout(500)  # the theme's style sheet is drawn after it is named
