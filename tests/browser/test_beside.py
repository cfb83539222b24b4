"""The sidebar in company: under JupyterHub's address, beside other extensions, in Spanish.

And with a server that goes away and comes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SETTINGS, jupyter_lab
from tests.browser.test_story import FIRST_SIGHT, _execute
from tests.projects import ready_project
from tests.server.beside import BESIDE, install_beside
from tests.server.running import Jupyter
from workbench.project import Project
from workbench.tracking import create_run, finish_run

UNDER = "/user/ann%40example/"
"""As JupyterHub calls the server of ann@example."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = ready_project(tmp_path / "served" / "mine")
    add_run(made, "first")
    return made


@pytest.fixture
def server(project: Project, tmp_path: Path) -> Iterator[Jupyter]:
    with jupyter_lab(
        tmp_path / "jupyter",
        project.root.parent,
        extensions=["workbench.server", *BESIDE.values()],
        base_url=UNDER,
        settings={**SETTINGS, "translation-extension/plugin": {"locale": "es_ES"}},
        env=install_beside(tmp_path / "others"),
    ) as server:
        yield server


def add_run(project: Project, name: str) -> None:
    finish_run(project, create_run(project, name, tags={}, params={}), "FINISHED")


def test_in_company(
    server: Jupyter, project: Project, page: Page, pytestconfig: pytest.Config
) -> None:
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(f"{error} {error.stack}"))
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{server.url}lab?token={server.token}&reset", wait_until="domcontentloaded")
    page.wait_for_function("() => window.jupyterapp", timeout=60_000)
    page.evaluate("() => window.jupyterapp.restored.then(() => null)")
    for plugin in ("@jupyterlab/git:plugin", "@jupyterlab/scheduler:plugin"):
        assert page.evaluate("name => window.jupyterapp.hasPlugin(name)", plugin)

    _execute(page, "filebrowser:go-to-path", path="/mine")
    _execute(page, "workbench:open")
    sidebar = page.locator("#jupyter-workbench-sidebar")
    for title in ("Rama", "Ejecuciones", "Modelos"):
        expect(sidebar.get_by_role("heading", name=title).first).to_be_visible()
    _execute(page, "workbench:show-runs")
    expect(sidebar.get_by_text("first")).to_be_visible(timeout=FIRST_SIGHT)
    expect(sidebar.get_by_role("button", name="Actualizar", exact=True)).to_be_visible()
    page.screenshot(path=Path(pytestconfig.getoption("--output")) / "beside.png")
    assert broken == []

    server.stop()
    away = sidebar.get_by_text("sin conexión")
    expect(away).to_be_visible(timeout=FIRST_SIGHT)
    add_run(project, "meanwhile")
    server.start()
    expect(away).to_be_hidden(timeout=2 * FIRST_SIGHT)
    expect(sidebar.get_by_text("meanwhile")).to_be_visible(timeout=FIRST_SIGHT)
