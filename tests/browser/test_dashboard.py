"""The dashboard in a real browser: served by Voila, cut off from the net, true to the records."""

from __future__ import annotations

import math
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
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from workbench.monitoring import list_alerts, list_windows
from workbench.panels import load_models, voila_command, voila_environment
from workbench.panels.view import ModelView, drift_cells, performance, period
from workbench.project import Project

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "test-results"
# MLflow 3.17 still says `lazy="noload"`, which SQLAlchemy 2.1 deprecates; nothing of ours does.
pytestmark = [
    pytest.mark.demo,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),
]
# All data sources of the figures on the page, by name.
SOURCES = """() => Object.fromEntries(
    Bokeh.documents.flatMap(d => [...d._all_models.values()])
        .filter(m => m.type === "ColumnDataSource" && m.name)
        .map(m => [m.name, Object.fromEntries(Object.entries(m.data).map(([k, v]) => [k, [...v]]))])
)"""


class Dashboard(NamedTuple):
    """A running Voila and what it shows."""

    url: str
    token: str
    project: Project
    view: ModelView

    def page(self, **query: str) -> str:
        chosen = {"token": self.token, "model": self.view.name, **query}
        fields = "&".join(f"{name}={quote(value)}" for name, value in chosen.items())
        return f"{self.url}/voila/render/overview.ipynb?{fields}"


class Watched(NamedTuple):
    """A page that reaches nothing but this machine, and what went wrong on it."""

    page: Page
    outside: list[str]
    errors: list[str]


@pytest.fixture(scope="module")
def dashboard(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    project = Project.find(demo_project)
    [view] = [view for view in load_models(project) if view.windows]
    token, port, folder = secrets.token_hex(16), _free_port(), tmp_path_factory.mktemp("voila")
    url = f"http://127.0.0.1:{port}"
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {
        **voila_environment(project),
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "PYTHONPATH": path,
    }
    with (folder / "voila.log").open("wb") as log:
        process = subprocess.Popen(
            voila_command(project, port=port, open_browser=False),
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its kernels are in its group, and end with it
        )
        try:
            _wait_for(url, process, Path(log.name))
            yield Dashboard(url, token, project, view)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)


@pytest.fixture
def watched(page: Page) -> Watched:
    found = Watched(page, [], [])

    def on_route(route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.scheme in ("data", "blob") or address.hostname == "127.0.0.1":
            route.continue_()
        else:
            found.outside.append(route.request.url)
            route.abort()

    page.route("**/*", on_route)
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    page.on("console", lambda m: found.errors.append(m.text) if m.type == "error" else None)
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


def test_the_page_says_what_is_stored_and_asks_nobody_else(dashboard, watched):
    page, view = watched.page, dashboard.view
    windows = list_windows(dashboard.project)
    _open(page, dashboard.page())

    last = windows[-1]
    expect(page.get_by_test_id("card-roc_auc")).to_contain_text(f"{last.metrics['roc_auc']:.3f}")
    expect(page.get_by_test_id("card-brier")).to_contain_text(f"{last.metrics['brier']:.3f}")
    expect(page.get_by_test_id("card-champion")).to_contain_text(f"version {view.champion.version}")
    expect(page.get_by_test_id("card-health")).to_contain_text(view.health.text)
    alerts = list_alerts(dashboard.project)
    unresolved = sum(alert.state != "resolved" for alert in alerts)
    expect(page.get_by_test_id("card-alerts")).to_contain_text(str(unresolved))

    rows = page.get_by_test_id("windows").locator("tbody tr")
    expect(rows).to_have_count(len(windows))
    for row, window in zip(rows.all(), reversed(windows), strict=True):
        cells = row.locator("td").all_inner_texts()
        assert cells[0] == period(window, windows)
        assert cells[1].split()[-1] == window.status
        assert cells[3] == f"{window.metrics['rows']:,}"
        assert cells[5] == f"{window.metrics['roc_auc']:.3f}"
        assert cells[-1] == (window.job_id or "–")
    expect(page.get_by_test_id("versions").locator("tbody tr")).to_have_count(len(view.versions))
    expect(page.get_by_test_id("decisions").locator("li")).to_have_count(len(view.decisions))
    assert watched.outside == []
    assert watched.errors == []


def test_the_figures_draw_the_stored_numbers(dashboard, watched):
    _open(watched.page, dashboard.page())
    drawn = watched.page.evaluate(SOURCES)
    windows = dashboard.view.windows
    for metric, title in (("roc_auc", "ROC AUC"), ("brier", "Brier")):
        points = performance(windows, metric)
        assert drawn[f"lines:{title}"]["value"] == _same([point.value for point in points])
        assert drawn[f"lines:{title}"]["against"] == _same([point.against for point in points])
    cells = drift_cells(windows)
    assert drawn["heatmap"]["psi"] == _same([cell.psi for cell in cells])
    assert drawn["heatmap"]["column"] == [cell.column for cell in cells]
    assert len(cells) == sum(
        len(window.metrics["psi"]) for window in list_windows(dashboard.project)
    )
    _shot(watched.page, "dashboard-light.png")


def test_the_dark_page_is_dark(dashboard, watched):
    _open(watched.page, dashboard.page(theme="dark"))
    background = watched.page.evaluate("getComputedStyle(document.body).backgroundColor")
    channels = [int(part) for part in background.strip("rgba()").split(",")[:3]]
    assert max(channels) < 64
    _shot(watched.page, "dashboard-dark.png")


def test_without_the_token_nothing_is_shown(dashboard, page):
    page.goto(f"{dashboard.url}/voila/render/overview.ipynb")
    assert "/login" in page.url
    expect(page.get_by_test_id("card-health")).to_have_count(0)


def _open(page: Page, address: str) -> None:
    page.goto(address, timeout=120_000)
    expect(page.get_by_test_id("card-health")).to_be_visible(timeout=120_000)
    expect(page.locator(".bk-Figure")).to_have_count(4, timeout=30_000)
    # Four figures are laid out one after the other: the last one has its axis when all are done.
    page.wait_for_function("Bokeh.documents.length === 4 && Bokeh.documents.every(d => d.is_idle)")


def _shot(page: Page, name: str) -> None:
    """Take the whole page: Voila scrolls inside it, so the window has to be as high as it is."""
    height = page.evaluate("document.querySelector('.wb-page').getBoundingClientRect().height")
    page.set_viewport_size({"width": 1280, "height": int(height) + 60})
    page.wait_for_timeout(500)  # the figures follow the new size
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / name)


def _same(values: list[float | None]) -> Any:
    return pytest.approx([math.nan if v is None else v for v in values], rel=1e-12, nan_ok=True)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/login", timeout=5):
                return
        except urllib.error.HTTPError:
            return  # it answers
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    pytest.fail(f"Voila did not start:\n{log.read_text()[-4000:]}")
