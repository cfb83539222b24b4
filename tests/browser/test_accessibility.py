"""Every panel, for those who hear it or have no mouse: narrow and wide, light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

from tests.browser.conftest import Lab
from tests.browser.panels import (
    THEMES,
    main_panel,
    only_panel,
    panel_ids,
    set_theme,
    sidebar_of,
)
from tests.browser.test_story import _execute, _open, _open_sidebar

BAD = {"serious", "critical"}
OURS = ".jp-Workbench"
MARK = "data-was-focused"

# Whether the element that has the keyboard looks as if it had: compared with itself without it.
_LOOK = """() => {
  const one = document.activeElement;
  const look = () => {
    const node = one.closest('label') ?? one;
    return [one, node, node.parentElement].map(it => {
      const {outlineStyle, outlineWidth, boxShadow, backgroundColor, borderColor, color,
             textDecorationLine} = getComputedStyle(it);
      return [outlineStyle, outlineWidth, boxShadow, backgroundColor, borderColor, color,
              textDecorationLine].join();
    }).join('|');
  };
  const focused = look();
  one.blur();
  const blurred = look();
  one.focus({focusVisible: true});
  return focused !== blurred;
}"""

# What one can click or write in, as far as the keyboard is to come there by Tab: of a group with a
# roving tabindex (tabs, menus, trees, grids, toolbars) it comes to one.
_CONTROLS = """(panel, mark) => [...panel.querySelectorAll(
  'button, a[href], input, select, textarea, summary, [role=button], [role=link], [onclick]'
)].filter(one => one.checkVisibility({checkOpacity: false, checkVisibilityCSS: true})
  && !one.disabled && one.getClientRects().length && !one.closest('[inert]')
  && !(one.getAttribute('tabindex') === '-1' && one.closest(
    '[role=tablist],[role=menu],[role=tree],[role=grid],[role=treegrid],[role=toolbar],'
    + '[role=radiogroup],[role=listbox]'))
  && !(one.type === 'radio' && !one.checked))
 .filter(one => !one.hasAttribute(mark)).map(one => one.outerHTML.slice(0, 200))"""


@pytest.mark.demo
def test_nobody_is_shut_out(lab: Lab, page: Page) -> None:
    _open(page, lab)
    _execute(page, "filebrowser:go-to-path", path="/flights-demo")
    _open_sidebar(page)
    found: list[str] = []
    names = panel_ids(page)
    assert len(names) >= 5
    for theme in THEMES:
        set_theme(page, theme)
        for name in names:
            only_panel(page, name)
            found += violations(page, "#jupyter-workbench-sidebar", f"{name}, {theme}, narrow")
            main_panel(page, name)
            found += violations(page, f"#jupyter-workbench-{name}", f"{name}, {theme}, wide")
    assert not found, "\n".join(found)
    for name in names:
        found += unreached(page, only_panel(page, name), f"{name}, narrow")
        found += unreached(page, main_panel(page, name), f"{name}, wide")
    assert not found, "\n".join(found)
    assert (
        sidebar_of(page).locator(f"{OURS} [tabindex]:not([tabindex='0'],[tabindex='-1'])").count()
        == 0
    )


def violations(page: Page, selector: str, where: str) -> list[str]:
    """Ask axe-core; what is JupyterLab's own in there is its own matter."""
    response: dict[str, Any] = (
        Axe().run(page, context=selector, options={"resultTypes": ["violations"]}).response
    )
    return [
        f"{where}: {rule['id']}: {node['html'][:300]}\n    {node['failureSummary']}"
        for rule in response["violations"]
        if rule["impact"] in BAD
        for node in rule["nodes"]
    ]


def unreached(page: Page, panel: Locator, where: str) -> list[str]:
    """Go through a panel by Tab; say what isn't come to, and where one can't see that one is."""
    page.evaluate(
        "mark => document.querySelectorAll(`[${mark}]`).forEach(one => one.removeAttribute(mark))",
        MARK,
    )
    inner = panel if panel.get_attribute("data-panel") else panel.locator("[data-panel]")
    inner.evaluate("one => one.focus()")
    count = len(inner.evaluate(_CONTROLS, MARK))
    found: list[str] = []
    for _ in range(count + 10):
        page.keyboard.press("Tab")
        if not inner.evaluate("panel => panel.contains(document.activeElement)"):
            break
        page.evaluate("mark => document.activeElement.setAttribute(mark, '')", MARK)
        if not page.evaluate(_LOOK):
            html = page.evaluate("() => document.activeElement.outerHTML.slice(0, 200)")
            found.append(f"{where}: the focus can't be seen: {html}")
    left: list[str] = inner.evaluate(_CONTROLS, MARK)
    return found + [f"{where}: not come to by Tab: {one}" for one in left]
