"""Panels in a real JupyterLab and in a real Voila: alive with a kernel, still without."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ROOT, Lab
from tests.jobs.notebooks import write_notebook
from workbench.panels import voila_command, voila_environment
from workbench.project import Project
from workbench.tracking import list_runs

SHOTS = ROOT / "test-results"
TOUR = ROOT / "notebooks" / "tour" / "panels.ipynb"
# MLflow 3.17 still says `lazy="noload"`, which SQLAlchemy 2.1 deprecates; nothing of ours does.
pytestmark = [
    pytest.mark.demo,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),
]
FIRST = 120_000
"""Milliseconds until a first panel is there: a kernel starts and MLflow is imported."""


def test_panels_in_jupyterlab(lab: Lab, page: Page) -> None:
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    path = lab.project / "panels.ipynb"
    path.write_bytes(TOUR.read_bytes())
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.goto(f"{lab.url}/lab/tree/flights-demo/panels.ipynb?token={lab.token}&reset")
    page.wait_for_function("() => window.jupyterapp", timeout=60_000)
    page.evaluate("() => window.jupyterapp.restored.then(() => null)")
    expect(page.locator(".jp-CodeCell").first).to_be_visible(timeout=60_000)
    ready = page.get_by_role("button", name="Python 3 (ipykernel) | Idle")
    expect(ready).to_be_visible(timeout=60_000)
    _do(page, "application:toggle-left-area")
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    runs = page.locator(".jp-CodeCell", has_text="wb.panels.runs").locator(".jp-OutputArea")
    table = runs.locator(".jupyter-widgets").get_by_test_id("runs")
    expect(table.locator("tbody tr").first).to_be_visible(timeout=FIRST)
    # The still form is there for whoever comes later, and nobody sees both.
    expect(runs.get_by_test_id("runs")).to_have_count(2)
    expect(runs.locator("[class^=wb-still]").first).to_be_hidden()
    project = Project.find(lab.project)
    best = list_runs(project, "metrics.roc_auc > 0.6", "metrics.roc_auc desc", 20)
    expect(table.locator("tbody tr")).to_have_count(len(best))
    expect(table.locator("tbody tr").first).to_contain_text(best[0].run_id[:8])

    runs.locator("select[multiple]").select_option(index=[0, 2])
    expect(runs.get_by_test_id("compare-params")).to_be_visible(timeout=30_000)
    runs.get_by_role("button", name="Scatter").click()
    expect(runs.locator(".bk-Figure")).to_be_visible(timeout=30_000)
    _shoot(page, "panels-runs", runs)
    runs.get_by_label("Filter").fill("metrics.roc_auc >")
    runs.get_by_label("Filter").press("Enter")
    expect(runs.get_by_test_id("failure")).to_be_visible()
    for name in ("models", "monitors", "features", "jobs", "lineage"):
        cell = page.locator(".jp-CodeCell", has_text=f"wb.panels.{name}").first
        cell.scroll_into_view_if_needed()
        expect(cell.locator(".jupyter-widgets .wb").first).to_be_visible(timeout=FIRST)
        if name == "monitors":
            cell.get_by_role("button", name="Draw").click()
            expect(cell.locator(".bk-Figure")).to_have_count(4, timeout=30_000)
        _shoot(page, f"panels-{name}", cell.locator(".jp-OutputArea"))

    _do(page, "docmanager:save")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    kept = nbformat.read(path, as_version=4)
    sizes = [len(str(cell.get("outputs", ""))) for cell in kept.cells]
    assert max(sizes) < 300_000, sizes
    assert "Bokeh.require" not in path.read_text(), "BokehJS never enters a file"
    _do(page, "notebook:shutdown-kernel")
    page.goto(f"{lab.url}/lab/tree/flights-demo/panels.ipynb?token={lab.token}&reset")
    later = page.locator(".jp-CodeCell", has_text="wb.panels.runs").locator(".jp-OutputArea")
    expect(later.get_by_test_id("runs")).to_be_visible(timeout=60_000)
    page.wait_for_timeout(3000)
    page.screenshot(path=SHOTS / "panels-later.png")
    missing = page.get_by_text("Error displaying widget")  # JupyterLab's, of widgets that are gone
    expect(missing.locator("visible=true")).to_have_count(0)
    assert broken == []


@pytest.fixture
def voila(demo_project: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a Voila page with three panels."""
    project = Project.find(demo_project)
    token, port = secrets.token_hex(16), _free_port()
    write_notebook(
        tmp_path / "boards" / "panels.ipynb",
        "from workbench import panels\npanels.prepare()",
        "panels.runs(limit=3)",
        "panels.monitors()",
        "panels.features()",
    )
    command = voila_command(project, port=port, open_browser=False)
    command[3] = str(tmp_path / "boards")
    environment = {
        **voila_environment(project),
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    with (tmp_path / "voila.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its kernels are in its group, and end with it
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/login", process)
            yield f"http://127.0.0.1:{port}/voila/render/panels.ipynb?token={token}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)


def test_panels_in_voila(voila: str, page: Page) -> None:
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.set_viewport_size({"width": 1280, "height": 1800})
    page.goto(voila, timeout=FIRST)
    table = page.locator(".jupyter-widgets").get_by_test_id("runs")
    expect(table.locator("tbody tr")).to_have_count(3, timeout=FIRST)
    expect(page.locator("[class^=wb-still]").first).to_be_hidden()
    page.get_by_role("button", name="Draw").click()
    expect(page.locator(".bk-Figure")).to_have_count(4, timeout=60_000)
    page.get_by_label("Search").fill("wind")
    found = page.locator(".jupyter-widgets").get_by_test_id("features").locator("tbody tr")
    expect(found.first).to_contain_text("wind")
    SHOTS.mkdir(exist_ok=True)
    page.wait_for_timeout(500)
    page.screenshot(path=SHOTS / "panels-voila.png")
    assert broken == []


def _do(page: Page, command: str) -> None:
    page.evaluate(
        "command => window.jupyterapp.commands.execute(command).then(() => null)", command
    )


def _shoot(page: Page, name: str, shown: Locator) -> None:
    """Keep a panel under test-results/ in both colours."""
    SHOTS.mkdir(exist_ok=True)
    for theme in ("Dark", "Light"):
        page.evaluate(
            "theme => window.jupyterapp.commands"
            ".execute('apputils:change-theme', {theme}).then(() => null)",
            f"JupyterLab {theme}",
        )
        named = page.locator("body")
        expect(named).to_have_attribute("data-jp-theme-name", f"JupyterLab {theme}")
        page.wait_for_timeout(400)  # the theme's style sheet is drawn after it is named
        shown.first.screenshot(path=SHOTS / f"{name}-{theme.lower()}.png")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return  # it answers
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    pytest.fail("Voila did not start")
