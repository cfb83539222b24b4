"""Pictures of every panel for `docs/images/`: `make screenshots`."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page

from tests.browser.conftest import ROOT, Lab
from tests.browser.panels import (
    THEMES,
    main_panel,
    only_panel,
    panel_ids,
    set_theme,
    sidebar_of,
)
from tests.browser.test_story import _execute, _open, _open_sidebar

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 150_000


@pytest.mark.demo
def test_screenshots(lab: Lab, page: Page) -> None:
    _open(page, lab)
    page.set_viewport_size({"width": 1280, "height": 800})
    _execute(page, "filebrowser:go-to-path", path="/flights-demo")
    _open_sidebar(page)
    for theme in THEMES:
        set_theme(page, theme)
        for name in panel_ids(page):
            only_panel(page, name)
            keep(sidebar_of(page), IMAGES / f"panel-{name}-{theme.lower()}.png")
            keep(main_panel(page, name), IMAGES / f"panel-{name}-wide-{theme.lower()}.png")


def keep(shown: Locator, path: Path) -> None:
    """Take a picture, in as many colours as a screen of ours needs."""
    shown.page.wait_for_timeout(300)
    with Image.open(BytesIO(shown.screenshot(animations="disabled"))) as picture:
        small = picture.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT)
        small.save(path, optimize=True)
    assert path.stat().st_size < MOST_BYTES, path
