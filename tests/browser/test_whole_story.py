"""From an idea to production without leaving JupyterLab: the whole chain in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Page, expect

from tests.browser.branch_states import is_on, row_of
from tests.browser.conftest import Lab
from tests.browser.panels import main_panel, only_panel, tile
from tests.browser.test_story import (
    FIRST_SIGHT,
    _execute,
    _open,
    _open_sidebar,
    screenshot,  # noqa: F401 - a fixture
)
from workbench.git import Repository
from workbench.project import Project
from workbench.registry import get_model, list_decisions, rollback
from workbench.tracking import BRANCH as ON_BRANCH
from workbench.tracking import list_runs

MODEL = "flights-late"
BRANCH = "exp/slower"
NOTEBOOK = "notebooks/slower.ipynb"
WORK = 240_000  # ms: what trains, explains or judges, each in a process of its own


@pytest.mark.demo
def test_from_an_idea_to_production(
    lab: Lab,
    page: Page,
    screenshot: Callable[[str], None],  # noqa: F811
) -> None:
    broken: list[str] = []
    asked: set[str | None] = set()
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
    project = Project.find(lab.project)
    # The champion that was retrained has seen the month which a new version is judged on.
    rollback(project, MODEL, reason="to begin with")

    _open(page, lab)
    _execute(page, "filebrowser:go-to-path", path="/flights-demo")
    _open_sidebar(page)
    _starts_an_experiment(page, project)
    _inserts_a_feature_that_was_found(page)
    _commits(page, project)
    _runs_it_as_a_job(page)
    run_id = _compares_it_with_the_champion(page, project)
    screenshot("whole-compared")
    version = _registers_it(page, project, run_id)
    _passes_the_gate(page, project, version)
    _may_not_be_champion_from_here(page, version)
    _opens_the_dashboard(page)
    screenshot("whole-dashboard")
    _merges(page, project)
    _is_promoted(page, project, version)
    screenshot("whole-promoted")
    assert broken == []
    assert asked - {None} == {"127.0.0.1"}  # None: what is in the page itself, as data


def _starts_an_experiment(page: Page, project: Project) -> None:
    """A branch, and a copy of the notebook that trains on it."""
    _execute(page, "launcher:create")
    tile(page, "New Experiment").press("Enter", timeout=FIRST_SIGHT)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill(BRANCH)
    dialog.get_by_role("button", name="Start").click()
    dialog.get_by_role("radio", name="Will the flight be late?").check(timeout=FIRST_SIGHT)
    dialog.get_by_role("textbox").fill("slower")
    dialog.get_by_role("button", name="Open the Notebook").click()
    expect(page.get_by_role("tab", name="slower.ipynb")).to_be_visible(timeout=FIRST_SIGHT)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=FIRST_SIGHT)
    assert Repository(project.root).branch == BRANCH


def _inserts_a_feature_that_was_found(page: Page) -> None:
    features = only_panel(page, "features")
    features.get_by_role("searchbox", name="Filter features").fill("wind")
    insert = features.get_by_role("button", name=re.compile("^Insert weather:"))
    expect(insert.first).to_be_visible(timeout=FIRST_SIGHT)
    page.evaluate(
        "() => { const {content} = window.jupyterapp.shell.currentWidget;"
        " content.activeCellIndex = content.widgets.length - 1; }"
    )
    cells = page.locator(".jp-NotebookPanel:visible .jp-Cell")
    before = cells.count()
    insert.first.click()
    expect(cells).to_have_count(before + 1)
    _execute(page, "docmanager:save")


def _commits(page: Page, project: Project) -> None:
    branch = only_panel(page, "branch")
    branch.get_by_role("textbox", name="Message of the commit").fill("Learn more slowly")
    branch.get_by_role("button", name="Commit one file").click()
    expect(branch.get_by_text("Everything is committed.")).to_be_visible(timeout=FIRST_SIGHT)
    notebook = nbformat.read(project.root / NOTEBOOK, as_version=4)
    assert "training_frame(spine" in notebook.cells[-1].source


def _runs_it_as_a_job(page: Page) -> None:
    page.get_by_role("tab", name="slower.ipynb").click()
    toolbar = page.locator(".jp-NotebookPanel-toolbar:visible")
    toolbar.get_by_role("button", name="Run as job").click()
    form = page.get_by_role("region", name=f"Run {NOTEBOOK} as a job")
    form.get_by_label("trees", exact=True).fill("120", timeout=FIRST_SIGHT)
    form.get_by_label("learning_rate", exact=True).fill("0.03")
    form.get_by_role("button", name="Run as a job").click()
    jobs = only_panel(page, "jobs")
    newest = jobs.get_by_role("listitem").filter(has_text="slower").first
    expect(newest.get_by_role("img", name="Succeeded")).to_be_visible(timeout=WORK)


def _compares_it_with_the_champion(page: Page, project: Project) -> str:
    """The panel shows the branch's own; of all, the new run stands beside the champion's."""
    new = list_runs(project, limit=1)[0]
    champion = get_model(project, MODEL).aliases["champion"]
    before = next(v for v in get_model(project, MODEL).versions if v.version == champion)
    assert (new.params["learning_rate"], new.tags[ON_BRANCH]) == ("0.03", BRANCH)
    wide = main_panel(page, "runs")
    rows = wide.get_by_role("listitem")
    expect(rows.first).to_be_visible(timeout=FIRST_SIGHT)
    for run_id in (new.run_id, before.run_id):
        wide.locator(f"[data-run='{run_id}']").get_by_role("checkbox").check()
    wide.get_by_role("button", name="Compare").click()
    table = page.get_by_role("table", name="Parameters")
    expect(table.get_by_role("rowheader", name="learning_rate")).to_be_visible(timeout=FIRST_SIGHT)
    expect(page.get_by_role("table", name="Metrics")).to_contain_text("roc_auc")
    return new.run_id


def _registers_it(page: Page, project: Project, run_id: str) -> str:
    _execute(page, "workbench:open-runs")
    row = page.locator(f"#jupyter-workbench-runs [data-run='{run_id}']")
    row.locator("summary").click()
    row.get_by_role("button", name="Register…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").fill(MODEL)
    dialog.get_by_role("button", name="Register").click()
    done = page.get_by_text(re.compile(rf"New version of {MODEL}: version \d+"))
    expect(done).to_be_visible(timeout=WORK)
    newest = get_model(project, MODEL).versions[0]
    assert newest.run_id == run_id
    page.get_by_role("button", name="Hide notification").first.click()
    return newest.version


def _menu(page: Page, version: str, item: str) -> None:
    models = only_panel(page, "models")
    what = models.get_by_role("button", name=f"What to do with version {version}", exact=True)
    if not what.is_visible():
        models.get_by_role("button", name=MODEL, exact=True).click()
    what.click()
    page.get_by_role("menuitem", name=item).click()


def _passes_the_gate(page: Page, project: Project, version: str) -> None:
    _menu(page, version, "Run the Gate Again")
    expect(page.get_by_text(f"Gate of {MODEL} v{version}: passed")).to_be_visible(timeout=WORK)
    page.get_by_role("button", name="Hide notification").first.click()


def _may_not_be_champion_from_here(page: Page, version: str) -> None:
    """Production follows main."""
    _menu(page, version, "Promote…")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("It may not become champion")).to_be_visible(timeout=FIRST_SIGHT)
    expect(dialog.get_by_text(f"this is branch {BRANCH}: merge it first")).to_be_visible()
    expect(dialog.get_by_role("button", name="Promote")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def _opens_the_dashboard(page: Page) -> None:
    monitors = only_panel(page, "monitors")
    monitors.get_by_role("button", name="Open in the dashboard").click()
    frame = page.frame_locator(f'iframe[title="Dashboard of {MODEL}"]')
    expect(frame.get_by_test_id("card-health")).to_be_visible(timeout=4 * FIRST_SIGHT)


def _merges(page: Page, project: Project) -> None:
    branch = only_panel(page, "branch")
    row = row_of(branch, "main")
    row.locator("summary").click()
    row.get_by_role("button", name="Switch to main").click()
    is_on(branch, "main")
    other = row_of(branch, BRANCH)
    other.locator("summary").click()
    other.get_by_role("button", name=f"Merge {BRANCH}").click()
    merge = page.locator("[data-panel=merge]:visible")
    merge.get_by_role("button", name="Merge", exact=True).click(timeout=FIRST_SIGHT)
    expect(merge).to_have_count(0, timeout=FIRST_SIGHT)
    assert (project.root / NOTEBOOK).is_file()
    assert Repository(project.root).branch == "main"


def _is_promoted(page: Page, project: Project, version: str) -> None:
    _menu(page, version, "Promote…")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("It passed its gate")).to_be_visible(timeout=FIRST_SIGHT)
    dialog.get_by_label("Reason").fill("it learns more slowly")
    dialog.get_by_role("button", name="Promote").click()
    expect(page.get_by_text(f"{MODEL} version {version} is champion.")).to_be_visible(
        timeout=FIRST_SIGHT
    )
    assert get_model(project, MODEL).aliases["champion"] == version
    decision = list_decisions(project, MODEL)[-1]
    assert (decision.version, decision.override) == (version, False)
