"""Runs in the sidebar and in the main area: found, marked, compared, opened."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.browser.conftest import Lab
from tests.browser.test_story import (
    FIRST_SIGHT,
    _execute,
    _go_to,
    _open,
    _open_sidebar,
    _section,
    screenshot,  # noqa: F401 - a fixture
)
from workbench.project import Project
from workbench.tracking import NOTE, PINNED, get_run, list_runs

HOSTILE = "<img src=x onerror=alert(1)>"

# What ipywidgets throws at any notebook that has no kernel: jupyter-widgets/ipywidgets#3970.
WIDGETS_WITHOUT_KERNEL = "Cannot read properties of null (reading 'kernel')"


@pytest.mark.demo
def test_runs(
    lab: Lab,
    page: Page,
    screenshot: Callable[[str], None],  # noqa: F811 - the fixture
) -> None:
    broken: list[str] = []
    asked: set[str | None] = set()
    page.on("pageerror", lambda error: broken.append(str(error)))

    def keep(request: Request) -> None:
        asked.add(urlsplit(request.url).hostname)

    page.on("request", keep)
    project = Project.find(lab.project)

    page.context.on("page", lambda opened: opened.on("request", keep))
    _open(page, lab)
    _open_sidebar(page)
    _go_to(page, "flights-demo")
    sidebar = _open_sidebar(page)
    runs = _section(sidebar, "Runs")
    expect(runs.get_by_role("checkbox")).to_have_count(
        len(list_runs(project)), timeout=3 * FIRST_SIGHT
    )
    _filters(page, runs, project)
    _says_what_went_wrong(page, runs)
    _starts_mlflow(runs)
    _marks(page, runs, project)
    screenshot("runs-narrow")
    wide = _sorts_in_the_wide_table(page, project)
    screenshot("runs-wide")
    _compares(page, wide, project)
    screenshot("runs-compared")
    _opens_the_notebook(page, wide)
    screenshot("runs-notebook")
    _runs_again(page, wide, project)
    _checks_out(page, lab, wide)
    _shows_mlflow(page)
    _lets_a_viewer_look(page, project)
    assert set(broken) <= {WIDGETS_WITHOUT_KERNEL}
    assert asked - {None} == {"127.0.0.1"}  # None: what is in the page itself, as data


def _filters(page: Page, runs: Locator, project: Project) -> None:
    """The box completes names, operators and values, and says what is wrong while rows stay."""
    rows = runs.get_by_role("checkbox")
    before = rows.count()
    box = runs.get_by_role("combobox", name="Filter runs")
    box.click()
    box.press_sequentially("roc")
    options = runs.get_by_role("option")
    expect(options.first).to_contain_text("roc_auc", timeout=FIRST_SIGHT)
    runs.get_by_role("option").filter(has_text="metrics.roc_auc").first.click()
    expect(box).to_have_value("metrics.roc_auc ")
    expect(options.first).to_contain_text(">")
    problem = runs.locator(".jp-Workbench-problem")
    expect(problem).not_to_be_empty(timeout=FIRST_SIGHT)  # MLflow itself says what is wrong
    expect(rows).to_have_count(before)
    box.fill("status = 'FIN")
    box.press("ArrowDown")
    box.press("Tab")
    expect(box).to_have_value("status = 'FINISHED' ")
    expect(problem).to_be_empty(timeout=FIRST_SIGHT)
    box.fill("params.library = 'xgboost'")
    found = len(list_runs(project, "params.library = 'xgboost'"))
    expect(rows).to_have_count(found)
    box.fill("params.library = 'none'")
    expect(runs.get_by_text("No run is like this")).to_be_visible()
    box.fill("")
    expect(rows).to_have_count(before)
    page.keyboard.press("Escape")


def _says_what_went_wrong(page: Page, runs: Locator) -> None:
    """What can't be read is said where the runs are, which stay; one can try again."""
    problem = {"type": "x", "title": "x", "status": 500, "detail": f"the disk is full {HOSTILE}"}
    page.route("**/api/runs?*", lambda route: route.fulfill(status=500, json=problem))
    before = runs.get_by_role("checkbox").count()
    scope = runs.get_by_role("group", name="Whose runs")
    scope.get_by_role("button", name="Branch").press("Enter")
    said = runs.get_by_role("alert")
    expect(said).to_contain_text(f"the disk is full {HOSTILE}")
    expect(runs.get_by_role("checkbox")).to_have_count(before)
    page.unroute("**/api/runs?*")
    said.get_by_role("button", name="Try again").press("Enter")
    expect(said).to_have_count(0)
    expect(runs.get_by_role("checkbox")).to_have_count(before - 1)  # one is of another branch
    scope.get_by_role("button", name="All").press("Enter")
    expect(runs.get_by_role("checkbox")).to_have_count(before)


def _starts_mlflow(runs: Locator) -> None:
    """MLflow's own pages start when they are first asked for; they take their time."""
    row = runs.get_by_role("listitem").first
    row.locator("summary").press("Enter")
    row.get_by_role("button", name="MLflow").press("Enter")
    row.locator("summary").press("Enter")


def _shows_mlflow(page: Page) -> None:
    """They open in a tab of their own, which is there when they answer."""
    others = [one for one in page.context.pages if one is not page]
    mlflow = others[0] if others else page.context.wait_for_event("page", timeout=90_000)
    expect(mlflow.get_by_text("Model metrics").first).to_be_visible(timeout=3 * FIRST_SIGHT)
    assert "/workbench/mlflow/" in mlflow.url


def _marks(page: Page, runs: Locator, project: Project) -> None:
    """A run is pinned, noted and tagged in MLflow; what is pinned stands first."""
    oldest = list_runs(project, order_by="start_time")[0]
    row = runs.get_by_role("listitem").last
    expect(row).to_contain_text(oldest.name)
    row.hover()
    row.get_by_role("button", name=f"Pin {oldest.name}").click()
    first = runs.get_by_role("listitem").first
    expect(first).to_contain_text(oldest.name, timeout=FIRST_SIGHT)
    first.locator("summary").click()
    first.get_by_role("button", name="Add a note").click()
    first.get_by_role("textbox", name="Note on").fill(f"the first {HOSTILE}")
    first.get_by_role("button", name="Save").click()
    expect(first.locator("p", has_text=HOSTILE)).to_be_visible()
    first.get_by_role("button", name="Tag", exact=True).click()
    first.get_by_role("textbox", name="New tag").fill("team=night")
    page.keyboard.press("Enter")
    expect(first.get_by_text("team: night")).to_be_visible()
    tags = get_run(project, oldest.run_id).tags
    assert (tags[PINNED], tags[NOTE], tags["team"]) == ("true", f"the first {HOSTILE}", "night")


def _sorts_in_the_wide_table(page: Page, project: Project) -> Locator:
    _execute(page, "workbench:open-runs")
    wide = page.locator("#jupyter-workbench-runs")
    rows = wide.get_by_role("listitem")
    expect(rows.first).to_be_visible(timeout=FIRST_SIGHT)
    wide.get_by_role("button", name="Columns").click()
    chooser = wide.get_by_role("group", name="Columns")
    chooser.get_by_role("searchbox", name="Filter columns").fill("logloss")
    chooser.get_by_role("checkbox").first.check()
    page.keyboard.press("Escape")
    wide.get_by_role("button", name="roc_auc", exact=True).click()
    best = list_runs(project, order_by="metrics.roc_auc DESC")
    expect(rows.nth(1)).to_contain_text(
        next(run.name for run in best if PINNED not in run.tags), timeout=FIRST_SIGHT
    )
    expect(wide.get_by_role("img", name="went from").first).to_be_visible()
    return wide


def _compares(page: Page, wide: Locator, project: Project) -> None:
    count = len(list_runs(project))
    for index in range(count):
        wide.get_by_role("checkbox", name="Choose ").nth(index).check()
    expect(wide.get_by_text(f"{count} runs chosen")).to_be_visible()
    wide.get_by_role("button", name="Compare").click()
    comparison = page.locator(".jp-Workbench-comparison")  # a run in the sidebar has tables too
    table = comparison.get_by_role("table", name="Parameters")
    expect(table.get_by_role("rowheader", name="library")).to_be_visible(timeout=FIRST_SIGHT)
    expect(table.locator("[data-differs=false]")).to_have_count(0)
    comparison.get_by_role("button", name="that are the same").first.click()
    expect(table.get_by_role("rowheader", name="factory", exact=True)).to_be_visible()
    for name in ("Parallel coordinates", "Scatter"):
        drawn = page.frame_locator(f'iframe[title="{name}"]')
        expect(drawn.locator("canvas").first).to_be_visible(timeout=FIRST_SIGHT)
    frames = page.locator(".jp-Workbench-picture iframe")
    assert frames.evaluate_all("all => all.map(one => one.sandbox.value)") == ["allow-scripts"] * 2
    page.get_by_label("Up", exact=True).select_option("metrics.brier")
    expect(page.get_by_label("Up", exact=True)).to_have_value("metrics.brier")


def _opens_the_notebook(page: Page, wide: Locator) -> None:
    _execute(page, "workbench:open-runs")
    row = wide.get_by_role("listitem").first
    row.locator("summary").click()
    row.get_by_role("button", name="Notebook").click()
    notebook = page.locator(".jp-NotebookPanel:visible")
    expect(notebook.locator(".jp-CodeCell").first).to_be_visible(timeout=FIRST_SIGHT)
    path = page.evaluate("() => window.jupyterapp.shell.currentWidget.context.path")
    assert path.startswith("WorkbenchRun:flights-demo/")


def _runs_again(page: Page, wide: Locator, project: Project) -> None:
    """The form of a job opens with the parameters of the run, to be changed."""
    _execute(page, "workbench:open-runs")
    run = list_runs(project, order_by="start_time")[0]
    row = wide.get_by_role("listitem").filter(has_text=run.name)
    row.get_by_role("button", name="Run again").click()
    library = page.get_by_label("library", exact=True)
    expect(library).to_have_value(run.params["library"], timeout=FIRST_SIGHT)
    expect(library).to_be_editable()


def _checks_out(page: Page, lab: Lab, wide: Locator) -> None:
    _execute(page, "workbench:open-runs")
    row = wide.get_by_role("listitem").first
    row.get_by_role("button", name="Check out").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("earlier")
    page.get_by_role("dialog").get_by_role("button", name="Check out").click()
    expect(page.get_by_text("is in earlier")).to_be_visible(timeout=FIRST_SIGHT)
    assert (Path(lab.served) / "earlier" / "workbench.toml").is_file()
    assert json.loads((lab.served / "earlier" / "notebooks" / "train.ipynb").read_text())["cells"]


def _lets_a_viewer_look(page: Page, project: Project) -> None:
    """Who may only read sees no way to write, and what is pinned and noted."""
    toml = project.root / "workbench.toml"
    toml.write_text(toml.read_text() + '\n[roles]\nadmin = ["somebody else"]\n')
    wide = page.locator("#jupyter-workbench-runs")
    row = wide.get_by_role("listitem").first
    _execute(page, "workbench:refresh")
    expect(row.get_by_role("button", name="Pin ")).to_have_count(0)
    expect(row.get_by_role("button", name="Change the note")).to_have_count(0)
    expect(row.get_by_role("button", name="Check out")).to_be_disabled()
    expect(row.get_by_role("button", name="Notebook")).to_be_enabled()
    expect(row.get_by_title("Pinned")).to_be_visible()
    expect(row.get_by_text("team: night")).to_be_visible()
