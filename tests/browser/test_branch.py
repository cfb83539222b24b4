"""Branches as one works with them in the sidebar: in a real browser on a real JupyterLab."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.branch_states import (
    is_empty_and_full,
    is_on,
    row_of,
    tries_again,
    waits_in_the_main_area,
)
from tests.browser.conftest import Lab
from tests.browser.test_story import (
    FIRST_SIGHT,
    _execute,
    _go_to,
    _open,
    _open_sidebar,
)
from workbench.git import Repository
from workbench.project import Project
from workbench.tracking import BRANCH, client, create_run, finish_run

SCRIPT = "<img src=x onerror=alert(1)>"


def _write(path: Path, *sources: str) -> None:
    cells = [nbformat.v4.new_code_cell(text, id=f"cell-{n}") for n, text in enumerate(sources)]
    kernel = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def _log(project: Project, branch: str, name: str, roc_auc: float, depth: int) -> None:
    run_id = create_run(project, name, tags={BRANCH: branch}, params={"depth": str(depth)})
    client(project).log_metric(run_id, "roc_auc", roc_auc)
    finish_run(project, run_id, "FINISHED")


@pytest.fixture
def project(lab: Lab) -> Project:
    """The demo with a branch beside main, on which a notebook has another cell."""
    project = Project.find(lab.project)
    repository = Repository(project.root)
    _write(project.root / "look.ipynb", "depth = 6", "print(depth)")
    repository.commit(["look.ipynb"], "Look at the depth")
    _log(project, "main", "six deep", 0.6, 6)
    return project


@pytest.mark.demo
def test_branches(lab: Lab, project: Project, page: Page) -> None:
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    repository = Repository(project.root)

    _open(page, lab)
    _open_sidebar(page)
    _go_to(page, "flights-demo")
    _execute(page, "docmanager:open", path="flights-demo/look.ipynb")
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=FIRST_SIGHT)
    sidebar = _open_sidebar(page)
    section = sidebar.locator("[data-panel=branch]")
    expect(section.get_by_text("Everything is committed.")).to_be_visible()
    expect(section.get_by_text("best roc_auc").first).to_be_visible(timeout=FIRST_SIGHT)

    _starts(page, section)
    _commits_what_was_saved(page, section, project)
    _log(project, "exp/deeper", SCRIPT, 0.7, 8)
    (project.root / "notes.md").write_text("to keep\n")
    _switches_and_keeps(page, section, project)
    assert repository.branch == "main"
    expect(section.get_by_text("exp/deeper", exact=True)).to_be_visible()

    _commits_by_keyboard(page, section)
    section.get_by_text("exp/deeper", exact=True).click()
    _compares(page, section)
    _ranks(page, section)
    _merges(page, section, project)
    _discards_and_undoes(page, section, project)
    _drops_and_restores(page, section)
    tries_again(page, section)
    waits_in_the_main_area(page)
    _lets_a_viewer_look(page, section, project)
    is_empty_and_full(page, section, lab)
    assert broken == []


def _view(page: Page, name: str) -> Locator:
    """What is in front in the main area."""
    return page.locator(f"[data-panel={name}]:visible")


def _is_told(page: Page, text: str) -> None:
    """Wait until a notification says this, and hide what is said, so that it isn't read twice."""
    expect(page.locator(".jp-toast-message").filter(has_text=text)).to_be_visible()
    hide = page.get_by_role("button", name="Hide notification")
    hide.evaluate_all("all => all.forEach(one => one.click())")
    expect(hide).to_have_count(0)


def _starts(page: Page, section: Locator) -> None:
    section.get_by_role("button", name="Start a branch").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("exp/deeper")
    dialog.get_by_role("button", name="Start").click()
    is_on(section, "exp/deeper")
    expect(section.get_by_text("level with main")).to_be_visible()


def _set_first_cell(page: Page, source: str) -> None:
    page.evaluate(
        "source => { const model = window.jupyterapp.shell.currentWidget.content.model;"
        " model.cells.get(0).sharedModel.setSource(source); }",
        source,
    )


def _expect_first_cell(page: Page, source: str) -> None:
    page.wait_for_function(
        "source => window.jupyterapp.shell.currentWidget.content.model"
        ".cells.get(0).sharedModel.getSource() === source",
        arg=source,
    )


def _commits_what_was_saved(page: Page, section: Locator, project: Project) -> None:
    page.get_by_role("tab", name="look.ipynb").click()
    _set_first_cell(page, "depth = 8")
    _execute(page, "docmanager:save")
    section.get_by_title("look.ipynb").click()
    view = _view(page, "diff")
    expect(view.get_by_text("depth = 8")).to_be_visible(timeout=FIRST_SIGHT)
    expect(view.get_by_text("depth = 6")).to_be_visible()
    section.get_by_role("textbox", name="Message of the commit").fill("Deeper")
    section.get_by_role("button", name="Commit one file").click()
    expect(section.get_by_text("Everything is committed.")).to_be_visible()
    expect(view.get_by_text("There is no difference")).to_be_visible()
    page.get_by_role("tab", name="look.ipynb (changes)").get_by_title("Close").click()
    assert not Repository(project.root).status().changed


def _switches_and_keeps(page: Page, section: Locator, project: Project) -> None:
    """With a cell that isn't saved: once left as it is, and once saved."""
    page.get_by_role("tab", name="look.ipynb", exact=True).click()
    _set_first_cell(page, "depth = 9")
    _switch(section, "main")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("look.ipynb")).to_be_visible()
    dialog.get_by_role("button", name="Keep unsaved").click()
    _is_told(page, "still open with your unsaved changes: look.ipynb")
    is_on(section, "main")
    assert not (project.root / "notes.md").exists()
    _expect_first_cell(page, "depth = 9")

    _switch(section, "exp/deeper")
    dialog.get_by_role("button", name="Keep unsaved").click()
    expect(section.get_by_title("notes.md")).to_be_visible()
    assert (project.root / "notes.md").read_text() == "to keep\n"
    _is_told(page, "Back again: look.ipynb, notes.md")
    _switch(section, "main")
    dialog.get_by_role("button", name="Save and switch").click()
    is_on(section, "main")
    _is_told(page, "Kept there: look.ipynb, notes.md")
    _expect_first_cell(page, "depth = 6")


def _switch(section: Locator, name: str) -> None:
    row = row_of(section, name)
    row.locator("summary").click()
    row.get_by_role("button", name=f"Switch to {name}").click()


def _commits_by_keyboard(page: Page, section: Locator) -> None:
    _set_first_cell(page, "depth = 7")
    _execute(page, "docmanager:save")
    expect(section.get_by_title("look.ipynb")).to_be_visible()
    section.get_by_role("textbox", name="Message of the commit").fill("Seven")
    page.keyboard.press("Control+Enter")
    expect(section.get_by_text("Everything is committed.")).to_be_visible()


def _compares(page: Page, section: Locator) -> None:
    section.get_by_role("button", name="Compare with exp/deeper").click()
    view = _view(page, "compare")
    expect(view.get_by_role("row", name="roc_auc 0.6 0.7 +0.1")).to_be_visible(timeout=FIRST_SIGHT)
    expect(view.get_by_role("row", name="depth 6 8")).to_be_visible()
    expect(view.get_by_text(SCRIPT).first).to_be_visible()
    expect(view.get_by_text("Cell 1 has changed (code)")).to_be_visible()


def _ranks(page: Page, section: Locator) -> None:
    section.get_by_role("button", name="Leaderboard").click()
    view = _view(page, "leaderboard")
    expect(view.get_by_role("combobox")).to_be_visible(timeout=FIRST_SIGHT)
    expect(view.get_by_role("row").nth(1)).to_be_visible()


def _merges(page: Page, section: Locator, project: Project) -> None:
    section.get_by_role("button", name="Merge exp/deeper").click()
    view = _view(page, "merge")
    merge = view.get_by_role("button", name="Merge", exact=True)
    expect(view.get_by_text("A cell that both changed")).to_be_visible(timeout=FIRST_SIGHT)
    expect(merge).to_be_disabled()
    view.get_by_label("As in exp/deeper").first.check()
    view.get_by_label("My own words").check()
    view.get_by_role("textbox", name="My own words").fill("depth = 10")
    merge.click()
    expect(view).to_have_count(0)
    assert nbformat.read(project.root / "look.ipynb", 4).cells[0].source == "depth = 10"


def _discards_and_undoes(page: Page, section: Locator, project: Project) -> None:
    toml = project.root / "workbench.toml"
    before = toml.read_text()
    toml.write_text(before.replace('owner = "flights-team"', 'owner = "others"', 1))
    _execute(page, "workbench:refresh")
    section.get_by_title("workbench.toml").click()
    view = _view(page, "diff")
    expect(view.get_by_text('owner = "others"')).to_be_visible()
    section.get_by_title("workbench.toml").hover()
    section.get_by_role("button", name="Discard the changes of workbench.toml").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(section.get_by_text("Everything is committed.")).to_be_visible()
    assert toml.read_text() == before
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(section.get_by_title("workbench.toml")).to_be_visible()
    expect(view.get_by_text('owner = "others"')).to_be_visible()
    assert toml.read_text() != before


def _drops_and_restores(page: Page, section: Locator) -> None:
    row = row_of(section, "exp/deeper")
    row.get_by_role("button", name="Drop exp/deeper").click()
    page.get_by_role("dialog").get_by_role("button", name="Drop").click()
    expect(section.get_by_text("One dropped branch")).to_be_visible()
    section.get_by_text("One dropped branch").click()
    section.get_by_role("button", name="Restore exp/deeper").click()
    expect(row).to_be_visible()


def _lets_a_viewer_look(page: Page, section: Locator, project: Project) -> None:
    toml = project.root / "workbench.toml"
    toml.write_text(toml.read_text() + '\n[roles]\nadmin = ["somebody else"]\n')
    _execute(page, "workbench:refresh")
    expect(section.get_by_text("You are a viewer here")).to_be_visible()
    expect(section.get_by_role("button", name="Start a branch")).to_be_disabled()
    expect(section.get_by_role("textbox", name="Message of the commit")).to_have_count(0)
