"""The panels Features and Data and the launcher's tiles: one walk through what they show and do."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Lab
from tests.browser.panels import main_panel, only_panel, tile
from tests.browser.test_story import FIRST_SIGHT, _execute, _open, _open_sidebar
from workbench.features import search
from workbench.features.catalogue import count
from workbench.git import Repository
from workbench.project import Project

SCRIPT = "<img src=x onerror=document.title='broken'>"


@pytest.fixture
def template(lab: Lab) -> Path:
    """A template of the project's, whose title would be markup where it isn't text."""
    folder = lab.project / "notebooks" / "templates"
    folder.mkdir(parents=True)
    kernel = {"name": "python3", "display_name": "Python 3"}
    content = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    content.cells = [
        nbformat.v4.new_markdown_cell(f"# Deeper trees {SCRIPT}\n\nTrain once more."),
        nbformat.v4.new_code_cell(""),
    ]
    path = folder / "deeper.ipynb"
    nbformat.write(content, path)
    return path


@pytest.mark.demo
def test_features_data_and_the_launcher(lab: Lab, template: Path, page: Page) -> None:
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    project = Project.find(lab.project)
    _open(page, lab)
    _execute(page, "filebrowser:go-to-path", path="/flights-demo")
    _open_sidebar(page)
    features = only_panel(page, "features")
    _finds_as_one_types(features, project)
    _narrows_by_facets(features, project)
    _shows_what_is_known(features, project)
    _fails_and_tries_again(page, features)
    _is_wide_in_the_main_area(page)
    data = _shows_the_catalogue(page)
    main_panel(page, "data")

    _execute(page, "launcher:create")
    expect(tile(page, "Overview")).to_be_visible()
    _starts_an_experiment(page, project)
    _inserts_data(page, data)
    _opens_a_dashboard(page)
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
    expect(chosen.get_by_role("button", name="Remove the filter Tag: weather")).to_be_visible()
    expect(features.get_by_role("button", name="1 filter")).to_be_visible()
    names = {found.view for found in search(project, "", 500, chosen={"tag": ["weather"]})}
    for view in names:
        expect(features.get_by_role("button", name=f"Insert {view}:").first).to_be_visible()


def _shows_what_is_known(features: Locator, project: Project) -> None:
    features.get_by_role("button", name="1 filter").click()
    features.get_by_role("searchbox").fill("weather temp")
    head = features.get_by_role("button", name="weather:temp", exact=True)
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
    expect(features.get_by_text("The Jupyter server does not answer: ")).to_be_visible()
    page.unroute("**/workbench/api/features?**")
    features.get_by_role("button", name="Try again").click()
    expect(features.get_by_role("button", name="Insert weather:humid")).to_be_visible()
    features.get_by_role("searchbox").fill("")


def _is_wide_in_the_main_area(page: Page) -> None:
    wide = main_panel(page, "features")
    expect(wide.get_by_role("checkbox", name="weather")).to_be_visible()
    wide.get_by_role("button", name="weather:temp").first.click()
    expect(wide.get_by_text("Used by")).to_be_visible()


def _shows_the_catalogue(page: Page) -> Locator:
    data = only_panel(page, "data")
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


def _starts_an_experiment(page: Page, project: Project) -> None:
    tile(page, "New Experiment").press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("exp/deeper")
    dialog.get_by_role("button", name="Start").click()
    template = dialog.get_by_role("radio", name="Deeper trees")
    expect(template).to_be_checked()
    expect(dialog.get_by_role("textbox")).to_have_value("exp-deeper")
    expect(dialog.get_by_text(SCRIPT)).to_be_visible()
    dialog.get_by_role("textbox").fill("deeper still")
    dialog.get_by_role("button", name="Open the Notebook").click()
    expect(page.get_by_role("tab", name="deeper still.ipynb")).to_be_visible()
    expect(page.locator(".jp-NotebookPanel .jp-Cell")).to_have_count(2)
    assert Repository(project.root).status().branch == "exp/deeper"


def _inserts_data(page: Page, data: Locator) -> None:
    data.get_by_role("button", name="Insert source weather").click()
    page.wait_for_function(
        "text => [...window.jupyterapp.shell.currentWidget.content.model.cells]"
        ".some(cell => cell.sharedModel.getSource() === text)",
        arg='wb.data.read("weather")',
    )


def _opens_a_dashboard(page: Page) -> None:
    _execute(page, "launcher:create")
    tile(page, "Overview").click()
    expect(page.get_by_role("tab", name="Overview")).to_be_visible()
    dashboard = page.frame_locator("iframe[src*='voila/render/flights-demo']")
    expect(dashboard.get_by_text("Performance by window")).to_be_visible(timeout=2 * FIRST_SIGHT)
