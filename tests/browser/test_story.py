"""What a data scientist does with the sidebar, in a real browser on a real JupyterLab."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Lab
from workbench.features import FeatureEntry, search
from workbench.git import Repository
from workbench.project import Project
from workbench.registry import list_models
from workbench.tracking import list_runs

FIRST_SIGHT = 30_000  # ms: what imports MLflow or starts a kernel takes a while on a busy machine


@pytest.fixture
def notebook(lab: Lab) -> Path:
    """A notebook with code to write in, and a text below it."""
    kernel = {"name": "python3", "display_name": "Python 3"}
    content = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    content.cells = [
        nbformat.v4.new_code_cell("if spine is not None:\n    "),
        nbformat.v4.new_markdown_cell("# Notes"),
    ]
    path = lab.project / "scratch.ipynb"
    nbformat.write(content, path)
    return path


@pytest.fixture
def screenshot(page: Page, pytestconfig: pytest.Config) -> Callable[[str], None]:
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


@pytest.mark.demo
def test_story(lab: Lab, notebook: Path, page: Page, screenshot: Callable[[str], None]) -> None:
    broken: list[str] = []
    asked: set[str | None] = set()
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
    project = Project.find(lab.project)

    _open(page, lab)
    sidebar = _open_sidebar(page)
    expect(sidebar.get_by_text("This folder is not in a project")).to_be_visible()
    expect(sidebar.get_by_text("workbench init my-project")).to_be_visible()
    screenshot("no-project")

    _go_to(page, "flights-demo")
    _open_sidebar(page)
    expect(sidebar.get_by_role("heading", name=project.name, level=2)).to_be_visible()
    _execute(page, "workbench:show-models")
    _execute(page, "workbench:show-data")
    _shows_the_branch(sidebar, project)
    _shows_the_runs(sidebar, project)
    _shows_the_models(sidebar, project)
    feature = _filters_the_features(sidebar, project)

    insert = sidebar.get_by_role("button", name=f"Insert {feature.name}", exact=True)
    insert.click()
    expect(page.get_by_text("Open a notebook first")).to_be_visible()
    page.get_by_role("button", name="Hide notification").click()

    _go_to(page, notebook.name)
    _open_sidebar(page)
    _inserts_at_the_cursor(page, insert, feature)
    _inserts_below_what_is_not_being_written(page, insert, feature)
    _folds_by_keyboard(sidebar)
    sidebar.get_by_role("searchbox", name="Filter features").fill("")
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=FIRST_SIGHT)
    screenshot("sidebar")
    _reports_on_a_source(page, sidebar)
    screenshot("report")
    _says_that_the_server_is_of_another_version(page, sidebar)
    assert broken == []
    assert asked - {None} == {"127.0.0.1"}  # None: what is in the page itself, as data


def _open(page: Page, lab: Lab) -> None:
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.goto(f"{lab.url}/lab?token={lab.token}&reset", wait_until="domcontentloaded")
    page.wait_for_function("() => window.jupyterapp", timeout=60_000)
    page.evaluate("() => window.jupyterapp.restored.then(() => null)")
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def _open_sidebar(page: Page) -> Locator:
    """Show the sidebar, whether or not it is there already."""
    _execute(page, "workbench:open")
    sidebar = page.get_by_role("region", name="Workbench", exact=True)
    expect(sidebar).to_be_visible()
    return sidebar


def _go_to(page: Page, name: str) -> None:
    """Open a folder or a file in the file browser, as one does."""
    page.get_by_role("tab", name="File Browser").click()
    page.locator(".jp-DirListing-item").get_by_text(name, exact=True).dblclick()


def _execute(page: Page, command: str, **args: str) -> None:
    page.evaluate(
        "([command, args]) => window.jupyterapp.commands.execute(command, args).then(() => null)",
        [command, args],
    )


def _section(sidebar: Locator, title: str) -> Locator:
    return sidebar.locator(f"[data-panel={title.lower()}]")


def _shows_the_branch(sidebar: Locator, project: Project) -> None:
    status = Repository(project.root).status()
    section = _section(sidebar, "Branch")
    expect(section.get_by_text(str(status.branch), exact=True)).to_be_visible()
    expect(section.get_by_text(str(status.commit)[:7], exact=True)).to_be_visible()
    expect(section.get_by_title("scratch.ipynb")).to_be_visible()


def _shows_the_runs(sidebar: Locator, project: Project) -> None:
    newest = list_runs(project, limit=1)[0]
    run = _section(sidebar, "Runs").get_by_role("listitem").first
    expect(run).to_contain_text(newest.name, timeout=FIRST_SIGHT)
    expect(run.get_by_role("img", name=newest.status.capitalize())).to_be_visible()
    run.locator("summary").click()
    for name, value in newest.params.items():
        expect(run.get_by_role("row", name=f"{name} {value}", exact=True)).to_be_visible()
    run.locator("summary").click()


def _shows_the_models(sidebar: Locator, project: Project) -> None:
    model = next(model for model in list_models(project) if "champion" in model.aliases)
    section = _section(sidebar, "Models")
    expect(section.get_by_text(model.name, exact=True)).to_be_visible()
    champion = model.aliases["champion"]
    expect(section.get_by_text(f"champion v{champion}", exact=True)).to_be_visible()
    version = next(version for version in model.versions if version.version == champion)
    outcome = {"passed": "gate passed", "failed": "gate failed", None: "no gate yet"}[version.gate]
    row = section.locator("[data-champion=true]").first
    expect(row).to_contain_text(f"v{champion}")
    expect(row).to_contain_text(outcome)


def _filters_the_features(sidebar: Locator, project: Project) -> FeatureEntry:
    section = _section(sidebar, "Features")
    listed = section.get_by_role("button", name="Insert ")
    everything = search(project, "", limit=50)
    expect(section.get_by_text(f"{len(everything)} features", exact=True)).to_be_visible()
    feature = everything[-1]
    found = search(project, feature.name)
    box = section.get_by_role("searchbox", name="Filter features")
    box.fill("no such feature")
    expect(section.get_by_text("No feature has “no such feature”.")).to_be_visible()
    box.fill(feature.name)
    expect(listed).to_have_count(len(found))
    expect(section.get_by_text(feature.description, exact=True)).to_be_visible()
    return feature


def _reports_on_a_source(page: Page, sidebar: Locator) -> None:
    section = _section(sidebar, "Data")
    weather = section.get_by_role("listitem").filter(has_text="hourly weather")
    expect(weather).to_contain_text("contract kept")
    weather.get_by_role("button", name="Report of weather").click()
    report = page.frame_locator('iframe[title="Report of weather"]')
    expect(report.get_by_text("26,115").first).to_be_visible(timeout=FIRST_SIGHT)
    expect(report.get_by_text("wind_speed").first).to_be_visible()


def _says_that_the_server_is_of_another_version(page: Page, sidebar: Locator) -> None:
    def older(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "x-workbench-version": "0.0.1"})

    page.route(re.compile(r"/workbench/api/(?!events)"), older)
    _execute(page, "workbench:refresh")
    notice = sidebar.get_by_role("alert").filter(has_text="The server has Workbench 0.0.1")
    expect(notice).to_contain_text("reload the page, or start the server again")
    page.unroute_all(behavior="wait")
    _execute(page, "workbench:refresh")
    expect(notice).to_have_count(0)


def _inserts_at_the_cursor(page: Page, insert: Locator, feature: FeatureEntry) -> None:
    editor = page.locator(".jp-NotebookPanel .jp-CodeCell .cm-content").first
    editor.click()
    page.keyboard.press("Control+End")
    insert.click()
    expect(page.locator(".jp-NotebookPanel .jp-Cell")).to_have_count(2)
    indented = "\n".join(f"    {line}".rstrip() for line in feature.code.splitlines())
    assert _sources(page)[0] == f"if spine is not None:\n{indented}"
    expect(editor).to_be_focused()
    page.keyboard.type("  # here")  # the cursor is after it, and the keyboard is the notebook's
    assert _sources(page)[0] == f"if spine is not None:\n{indented}  # here"


def _inserts_below_what_is_not_being_written(
    page: Page, insert: Locator, feature: FeatureEntry
) -> None:
    page.keyboard.press("Escape")
    insert.click()
    expect(page.locator(".jp-NotebookPanel .jp-Cell")).to_have_count(3)
    assert _sources(page)[1:] == [feature.code, "# Notes"]


def _sources(page: Page) -> Any:
    return page.evaluate(
        "() => [...window.jupyterapp.shell.currentWidget.content.model.cells]"
        ".map(cell => cell.sharedModel.getSource())"
    )


def _folds_by_keyboard(sidebar: Locator) -> None:
    section = _section(sidebar, "Branch")
    header = sidebar.locator(".lm-AccordionPanel-title").filter(has_text="Branch")
    header.focus()
    header.press("Enter")
    expect(section).to_be_hidden()
    header.press("Enter")
    expect(section).to_be_visible()
