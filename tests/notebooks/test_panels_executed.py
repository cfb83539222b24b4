"""A notebook of panels, executed by a real job: what stays in its file when the kernel is gone."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.jobs.notebooks import write_notebook
from tests.projects import ready_project
from workbench.jobs import JobRequest, run_jobs
from workbench.tracking import list_runs

VIEWS = ("runs()", "models()", "features()", "jobs()", "monitors()", "lineage(f'run:{run}')")
WIDGET = "application/vnd.jupyter.widget-view+json"
MOST = 300_000


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    project = ready_project(tmp_path_factory.mktemp("executed") / "project")
    root = project.root / "notebooks"
    write_notebook(
        root / "train.ipynb",
        "import workbench as wb\nrun = wb.tracking.current_run()\n"
        "run.log_params({'depth': depth})\nrun.log_metrics({'roc_auc': 0.6 + depth / 100})",
        parameters="depth: int = 3",
    )
    requests = [JobRequest("notebooks/train.ipynb", {"depth": depth}) for depth in (3, 5)]
    assert [job.state for job in run_jobs(project, requests)] == ["succeeded", "succeeded"]
    run = list_runs(project)[0].run_id
    setup = f"import workbench as wb\nrun = {run!r}"
    write_notebook(root / "look.ipynb", setup, *(f"wb.panels.{view}" for view in VIEWS))
    [job] = run_jobs(project, [JobRequest("notebooks/look.ipynb", {}, track=False)])
    assert job.state == "succeeded", job.error
    assert job.output is not None
    return nbformat.read(project.root / job.output, as_version=4)


def outputs(notebook: nbformat.NotebookNode, view: str) -> list[dict[str, Any]]:
    [cell] = [cell for cell in notebook.cells if cell.source == f"wb.panels.{view}"]
    return [output["data"] for output in cell.outputs]


@pytest.mark.parametrize("view", VIEWS)
def test_every_panel_leaves_its_still_form_and_little_of_it(executed, view):
    first, *rest = outputs(executed, view)
    assert "<div class='wb-panel'>" in first["text/html"]
    assert "</script" not in first["text/html"]
    assert all(WIDGET not in data for data in (first, *rest))
    assert len(json.dumps([first, *rest]).encode()) < MOST


@pytest.mark.parametrize("view", ["runs()", "jobs()", "lineage(f'run:{run}')"])
def test_what_can_be_drawn_is_a_picture_of_its_own(executed, view):
    _, picture = outputs(executed, view)
    assert base64.b64decode(picture["image/png"]).startswith(b"\x89PNG")


def test_the_table_says_what_was_logged(executed):
    page = outputs(executed, "runs()")[0]["text/html"]
    assert "0.63" in page
    assert "0.65" in page
    assert "depth=5" in page


def test_no_widget_state_is_kept(executed, tmp_path: Path):
    assert "widgets" not in executed.metadata
    path = tmp_path / "kept.ipynb"
    nbformat.write(executed, path)
    assert path.stat().st_size < MOST


def test_it_becomes_a_page_that_has_the_tables(executed):
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter(embed_images=True).from_notebook_node(executed)
    assert "data-testid='runs'" in page or 'data-testid="runs"' in page
    assert "data:image/png;base64," in page


def test_executed_by_others_the_panel_leaves_both_forms_and_little_state(tmp_path: Path):
    from nbclient import NotebookClient

    (tmp_path / "workbench.toml").write_text('name = "empty"\n')
    cells = [nbformat.v4.new_code_cell("import workbench as wb\nwb.panels.jobs()")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    still, living = [output["data"] for output in notebook.cells[0].outputs]
    assert "<div class='wb-panel'>" in still["text/html"]
    assert WIDGET in living
    assert len(nbformat.writes(notebook).encode()) < MOST
