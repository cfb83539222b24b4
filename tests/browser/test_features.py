"""The panels Features and Data and the launcher's tiles: one walk through what they show and do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Lab
from workbench.features import search
from workbench.features.catalogue import count
from workbench.project import Project

FIRST_SIGHT = 30_000  # ms: what imports MLflow or starts a kernel takes a while on a busy machine
SCRIPT = "<img src=x onerror=document.title='broken'>"

Screenshot = Callable[[str], None]


@pytest.fixture
def screenshot(page: Page, pytestconfig: pytest.Config) -> Screenshot:
    """Keep what is on the screen under test-results/, in both colours."""
    folder = Path(pytestconfig.getoption("--output"))

    def take(name: str) -> None:
        for theme in ("Dark", "Light"):
            _execute(page, "apputils:change-theme", theme=f"JupyterLab {theme}")
            expect(page.locator("body")).to_have_attribute(
                "data-jp-theme-name", f"JupyterLab {theme}"
            )
            page.wait_for_timeout(500)  # the theme's style sheet is drawn after it is named
            page.screenshot(path=folder / f"{name}-{theme.lower()}.png")

    return take


@pytest.fixture
def template(lab: Lab) -> Path:
    """A template of the project's, whose title would be markup where it isn't text."""
    folder = lab.project / "notebooks" / "templates"
    folder.mkdir(parents=True)
    content = nbformat.v4.new_notebook()
    content.cells = [
        nbformat.v4.new_markdown_cell(f"# Deeper trees {SCRIPT}\n\nTrain once more."),
        nbformat.v4.new_code_cell(""),
    ]
    path = folder / "deeper.ipynb"
    nbformat.write(content, path)
    return path


@pytest.mark.demo
def test_features_data_and_the_launcher(
    lab: Lab, template: Path, page: Page, screenshot: Screenshot
) -> None:
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    project = Project.find(lab.project)
    _open(page, lab)
    _go_to(page, "flights-demo")
    _execute(page, "workbench:open")
    for panel in ("branch", "runs"):
        _fold(page, panel)
    _execute(page, "workbench:show-features")
    features = page.get_by_role("region", name="Workbench", exact=True).get_by_role(
        "region", name="Features", exact=True
    )
    _finds_as_one_types(features, project)
    _narrows_by_facets(features, project)
    screenshot("features-facets")
    _shows_what_is_known(features, project)
    screenshot("features-detail")
    _fails_and_tries_again(page, features)
    screenshot("features-wide-before")

    _execute(page, "workbench:open-features")
    wide = page.locator("#jupyter-workbench-features")
    expect(wide.get_by_role("checkbox", name="weather")).to_be_visible()
    wide.get_by_role("button", name="weather: temp").first.click()
    expect(wide.get_by_text("Used by")).to_be_visible()
    screenshot("features-wide")

    data = _shows_the_catalogue(page)
    screenshot("data")
    _execute(page, "workbench:open-data")
    screenshot("data-wide")

    _execute(page, "launcher:create")
    expect(page.get_by_title("Overview").first).to_be_visible()
    screenshot("launcher")
    _starts_an_experiment(page, screenshot)
    _inserts_data(page, data)
    _opens_a_dashboard(page)
    screenshot("dashboard")
    assert page.title() != "broken"
    assert broken == []


def _finds_as_one_types(features: Locator, project: Project) -> None:
    total = count(project, "").total
    expect(features.get_by_text(f"{total} features", exact=True)).to_be_visible(timeout=FIRST_SIGHT)
    box = features.get_by_role("searchbox", name="Filter features")
    box.fill("no such feature")
    expect(features.get_by_text("No feature has “no such feature”.")).to_be_visible()
    box.fill("presure")
    expect(features.get_by_role("button", name="Insert weather:pressure")).to_be_visible()
    expect(features.get_by_text("1 feature", exact=True)).to_be_visible()
    box.fill("")


def _narrows_by_facets(features: Locator, project: Project) -> None:
    features.get_by_role("button", name="Filter by…").click()
    tags = features.get_by_role("group", name="Tag")
    weather = count(project, "", {"tag": ["weather"]}).total
    label = tags.get_by_role("checkbox", name=f"weather {weather}")
    expect(label).to_be_visible()
    label.focus()
    label.press("Space")
    expect(features.get_by_text(f"{weather} features", exact=True)).to_be_visible()
    chosen = features.get_by_role("list", name="Chosen filters")
    expect(chosen.get_by_role("button", name="Remove the filter tag weather")).to_be_visible()
    expect(features.get_by_role("button", name="1 filter")).to_be_visible()
    names = {found.view for found in search(project, "", 500, chosen={"tag": ["weather"]})}
    for view in names:
        expect(features.get_by_role("button", name=f"Insert {view}:").first).to_be_visible()


def _shows_what_is_known(features: Locator, project: Project) -> None:
    features.get_by_role("button", name="1 filter").click()
    features.get_by_role("searchbox").fill("weather temp")
    head = features.get_by_role("button", name="weather: temp", exact=True)
    head.click()
    expect(head).to_have_attribute("aria-expanded", "true")
    expect(features.get_by_text("Distribution", exact=True)).to_be_visible(timeout=FIRST_SIGHT)
    expect(features.get_by_text("rows", exact=True)).to_be_visible()
    expect(features.get_by_text("Freshness", exact=True)).to_be_visible()
    [temp] = [one for one in search(project, "weather temp") if one.name == "weather:temp"]
    for user in temp.used_by:
        expect(features.get_by_role("button", name=user.partition(":")[2])).to_be_visible()


def _fails_and_tries_again(page: Page, features: Locator) -> None:
    page.route("**/workbench/api/features?**", lambda route: route.abort())
    features.get_by_role("searchbox").fill("humid")
    expect(features.get_by_text("The Jupyter server does not answer")).to_be_visible()
    page.unroute("**/workbench/api/features?**")
    features.get_by_role("button", name="Try again").click()
    expect(features.get_by_role("button", name="Insert weather:humid")).to_be_visible()
    features.get_by_role("searchbox").fill("")


def _shows_the_catalogue(page: Page) -> Locator:
    _execute(page, "workbench:show-data")
    data = page.get_by_role("region", name="Workbench", exact=True).get_by_role(
        "region", name="Data", exact=True
    )
    sources = data.get_by_role("list", name="Sources")
    expect(sources.get_by_text("hourly weather at the three airports")).to_be_visible(
        timeout=FIRST_SIGHT
    )
    data.get_by_role("button", name="Models").click()
    models = data.get_by_role("list", name="Models")
    expect(models.get_by_role("button", name="Insert model").first).to_be_visible()
    box = data.get_by_role("searchbox", name="Search data")
    box.fill("tailnum")
    expect(data.get_by_text("Nothing here has “tailnum”.")).to_be_visible()
    data.get_by_role("button", name="of other kinds").click()
    everything = data.get_by_role("list", name="Catalogue")
    expect(everything.get_by_role("button", name="planes", exact=True).first).to_be_visible()
    box.fill("")
    data.get_by_role("button", name="Sources").click()
    sources.get_by_role("button", name="weather", exact=True).click()
    expect(data.get_by_text("Columns", exact=True)).to_be_visible(timeout=FIRST_SIGHT)
    expect(data.get_by_text("Led to", exact=True)).to_be_visible()
    return data


def _starts_an_experiment(page: Page, screenshot: Screenshot) -> None:
    page.get_by_title("Start a branch and open a copy").first.click()
    dialog = page.get_by_role("dialog")
    template = dialog.get_by_role("radio", name="Deeper trees")
    expect(template).to_be_checked()
    expect(dialog.get_by_text(SCRIPT)).to_be_visible()
    dialog.get_by_role("textbox").fill("deeper still")
    screenshot("new-experiment")
    dialog.get_by_role("button", name="Open the Notebook").click()
    expect(page.get_by_role("tab", name="deeper still.ipynb")).to_be_visible()
    expect(page.locator(".jp-NotebookPanel .jp-Cell")).to_have_count(2)


def _inserts_data(page: Page, data: Locator) -> None:
    data.get_by_role("button", name="Insert source weather").click()
    page.wait_for_function(
        "text => [...window.jupyterapp.shell.currentWidget.content.model.cells]"
        ".some(cell => cell.sharedModel.getSource() === text)",
        arg='wb.data.read("weather")',
    )


def _opens_a_dashboard(page: Page) -> None:
    """Without the panel Monitors it opens in a tab of the browser's."""
    args = page.evaluate(
        "() => window.jupyterapp.serviceManager.serverSettings.fetch("
        "'/workbench/api/launcher?path=flights-demo').then(answer => answer.json())"
    )
    address = args["dashboards"][0]["address"]
    assert address == "voila/render/flights-demo/notebooks/dashboards/overview.ipynb"
    if page.evaluate("() => window.jupyterapp.commands.hasCommand('workbench:open-dashboard')"):
        return
    with page.expect_popup() as popup:
        _execute(page, "workbench:launch-dashboard", name="overview", address=address)
    expect(popup.value.get_by_text("flights-late").first).to_be_visible(timeout=2 * FIRST_SIGHT)
    popup.value.close()


def _fold(page: Page, panel: str) -> None:
    header = page.get_by_role("button", name=panel.capitalize(), exact=True)
    if header.get_attribute("aria-expanded") == "true":
        header.click()


def _open(page: Page, lab: Lab) -> None:
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.goto(f"{lab.url}/lab?token={lab.token}&reset", wait_until="domcontentloaded")
    page.wait_for_function("() => window.jupyterapp", timeout=60_000)
    page.evaluate("() => window.jupyterapp.restored.then(() => null)")
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def _go_to(page: Page, name: str) -> None:
    """Open a folder in the file browser, as one does."""
    page.get_by_role("tab", name="File Browser").click()
    page.locator(".jp-DirListing-item").get_by_text(name, exact=True).dblclick()


def _execute(page: Page, command: str, **args: Any) -> None:
    page.evaluate(
        "([command, args]) => window.jupyterapp.commands.execute(command, args).then(() => null)",
        [command, json.loads(json.dumps(args))],
    )
