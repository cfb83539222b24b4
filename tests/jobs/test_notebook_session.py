"""A notebook that somebody works in, in a real kernel: its run is there without a line of code."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import polars as pl
import pytest
from jupyter_client.manager import start_new_kernel

from tests.jobs.notebooks import write_notebook
from workbench.git.snapshots import checkout_snapshot, get_snapshot
from workbench.project import Project
from workbench.tracking import RunRecord, get_run, list_runs, read_json, run_datasets

TRAIN = """\
from sklearn.linear_model import LogisticRegression

import helpers

model = LogisticRegression(C=strength).fit(rows.select("a", "b").to_numpy(), rows["y"].to_numpy())
helpers.double(2)
"""
CELLS = (
    "%load_ext workbench",
    "import polars as pl\n\nrows = pl.read_csv('../rows.csv')",
    TRAIN,
)
PARAMETERS = 'strength: float = 0.5  # of the regularisation\nlabel = "first"'


class Kernel:
    """A kernel as JupyterLab starts one for the notebook at `path`."""

    def __init__(self, path: Path) -> None:
        environment = {
            **os.environ,
            "JPY_SESSION_NAME": str(path),
            "PYTHONPATH": os.pathsep.join(
                [str(path.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
            ),
        }
        self._manager, self._client = start_new_kernel(cwd=str(path.parent), env=environment)

    def run(self, source: str, *, fails: bool = False) -> str:
        """Execute a cell; return what it printed."""
        printed: list[str] = []

        def hear(message: dict[str, object]) -> None:
            content = message["content"]
            assert isinstance(content, dict)
            printed.append(str(content.get("text", content.get("evalue", ""))))

        reply = self._client.execute_interactive(source, timeout=120, output_hook=hear)
        said = "".join(printed)
        assert (reply["content"]["status"] == "error") is fails, said
        return said

    def end(self, *, kill: bool = False) -> None:
        """Shut down as JupyterLab does, or as a kill does."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=kill)


@contextmanager
def kernel(path: Path) -> Iterator[Kernel]:
    running = Kernel(path)
    try:
        yield running
    finally:
        running.end(kill=True)


@pytest.fixture
def notebook(blank_project: Project) -> Path:
    """A notebook with data and a module beside it, that Git doesn't have yet."""
    root = blank_project.root
    pl.DataFrame(
        {"a": [0.0, 1, 2, 3] * 9, "b": [1.0, 0, 1, 1] * 9, "y": [0, 0, 1, 1] * 9}
    ).write_csv(root / "rows.csv")
    (root / "notebooks" / "helpers.py").write_text("def double(x):\n    return 2 * x\n")
    return write_notebook(root / "notebooks" / "train.ipynb", *CELLS, parameters=PARAMETERS)


def only_run(project: Project) -> RunRecord:
    [run] = list_runs(project)
    return run


def test_a_notebook_has_a_run_without_a_line_of_code(
    blank_project: Project, notebook: Path, tmp_path: Path
) -> None:
    with kernel(notebook) as k:
        k.run(PARAMETERS)
        assert "workbench: run " in k.run(CELLS[0])
        for cell in CELLS[1:]:
            k.run(cell)
        k.run(PARAMETERS)
        k.run("%unload_ext workbench")
    run = only_run(blank_project)
    assert run.status == "FINISHED"
    assert run.params["strength"] == "0.5"
    assert run.params["C"] == "0.5"  # of scikit-learn's autologging
    assert run.tags["mlflow.source.name"] == "notebooks/train.ipynb"
    assert run.tags["mlflow.source.git.branch"] == "main"
    assert run.tags["workbench.dirty"] == "true"
    assert run.metrics["cost_wall_seconds"] > 0
    assert run.metrics["cost_cpu_seconds"] > 0
    [data] = [d for d in run_datasets(blank_project, [run.run_id])[run.run_id] if d.name == "rows"]
    assert data.context == "read"
    environment = read_json(blank_project, run.run_id, "environment.json")
    assert "polars" in environment["packages"]
    assert environment["cores"] >= 1
    snapshot = get_snapshot(blank_project.root, blank_project.state, run.run_id)
    assert "notebooks/helpers.py" in snapshot.changed
    checkout_snapshot(blank_project.root, blank_project.state, run.run_id, tmp_path / "there")
    there = nbformat.read(tmp_path / "there" / "notebooks" / "train.ipynb", as_version=4)
    assert [cell.source for cell in there.cells][1:] == list(CELLS)


def test_from_the_top_is_linear_and_out_of_order_is_not(
    blank_project: Project, notebook: Path
) -> None:
    with kernel(notebook) as k:
        for cell in (PARAMETERS, *CELLS):
            k.run(cell)
        assert only_run(blank_project).tags["execution.linear"] == "true"
        k.run(CELLS[1])
        k.run("%unload_ext workbench")
    run = only_run(blank_project)
    assert run.tags["execution.linear"] == "false"
    assert run.tags["execution.linear.reason"] == "a cell was run 2 times"


def test_other_parameters_are_another_run(blank_project: Project, notebook: Path) -> None:
    with kernel(notebook) as k:
        for cell in (CELLS[0], PARAMETERS, *CELLS[1:]):
            k.run(cell)
        changed = PARAMETERS.replace("0.5", "0.25")
        content = nbformat.read(notebook, as_version=4)
        content.cells[0].source = changed
        nbformat.write(content, notebook)
        assert "workbench: run " in k.run(changed)
        k.run(TRAIN)
        k.end()
    second, first = list_runs(blank_project)
    assert (first.params["strength"], second.params["strength"]) == ("0.5", "0.25")
    assert (first.status, second.status) == ("FINISHED", "FINISHED")
    assert second.params["C"] == "0.25"


def test_a_kernel_that_is_killed_leaves_an_interrupted_run(
    blank_project: Project, notebook: Path
) -> None:
    from workbench.tracking import settle_runs

    with kernel(notebook) as k:
        k.run(CELLS[0])
        k.run("import workbench as wb\nwb.tracking.current_run().log_metrics({'auc': 0.75})")
        assert only_run(blank_project).status == "RUNNING"
        assert settle_runs(blank_project) == []
        k.end(kill=True)
    run_id = only_run(blank_project).run_id
    assert settle_runs(blank_project) == [run_id]
    run = get_run(blank_project, run_id)
    assert run.status == "KILLED"
    assert run.tags["workbench.interrupted"] == "true"
    assert run.metrics["auc"] == 0.75


def test_what_came_before_a_change_of_parameters_is_the_former_runs(
    blank_project: Project, notebook: Path
) -> None:
    with kernel(notebook) as k:
        k.run(PARAMETERS)  # before it is asked to look
        k.run(CELLS[0])
        k.run("1 / 0", fails=True)
        changed = PARAMETERS.replace("0.5", "0.25")
        content = nbformat.read(notebook, as_version=4)
        content.cells[0].source = changed
        nbformat.write(content, notebook)
        k.run(changed)
        k.run("%unload_ext workbench")
    second, first = list_runs(blank_project)
    assert (first.params["strength"], first.status) == ("0.5", "FAILED")
    assert (second.params["strength"], second.status) == ("0.25", "FINISHED")


def test_plain_mlflow_code_reaches_the_notebooks_run(
    blank_project: Project, notebook: Path
) -> None:
    with kernel(notebook) as k:
        k.run(CELLS[0])
        k.run("import mlflow\nwith mlflow.start_run(): mlflow.log_metric('m', 1)")
        k.run("mlflow.end_run()")
        k.run("mlflow.log_metric('n', 2)")
        k.run("%unload_ext workbench")
        k.run("with mlflow.start_run() as after: pass")
    last, run = list_runs(blank_project)
    assert (run.metrics["m"], run.metrics["n"], run.status) == (1, 2, "FINISHED")
    assert last.metrics == {}


def test_plain_mlflow_runs_are_tagged_too(blank_project: Project, notebook: Path) -> None:
    with kernel(notebook) as k:
        k.run(CELLS[0])
        k.run("import mlflow\nwith mlflow.start_run(nested=True): mlflow.log_metric('m', 1)")
        k.run("%unload_ext workbench")
    nested = next(run for run in list_runs(blank_project) if "m" in run.metrics)
    outer = next(run for run in list_runs(blank_project) if "m" not in run.metrics)
    assert nested.tags["workbench.snapshot"] == outer.tags["workbench.snapshot"]
    assert nested.tags["mlflow.source.git.commit"] == outer.tags["mlflow.source.git.commit"]


def test_outside_a_project_it_says_so_once_and_works(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "loose.ipynb", "1 + 1")
    with kernel(path) as k:
        assert "nothing is recorded here" in k.run("%load_ext workbench")
        assert k.run("print(1 + 1)") == "2\n"


def test_without_git_everything_but_branches_works(tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").write_text('name = "loose"\n')
    path = write_notebook(tmp_path / "a.ipynb", "%load_ext workbench", "x = 1")
    project = Project.find(tmp_path)
    with kernel(path) as k:
        assert "is not under Git: runs have no branch" in k.run("%load_ext workbench")
        k.run("x = 1")
        k.run("%unload_ext workbench")
    run = only_run(project)
    assert run.status == "FINISHED"
    assert "mlflow.source.git.branch" not in run.tags
    checkout_snapshot(project.root, project.state, run.run_id, tmp_path / "there")
    assert json.loads((tmp_path / "there" / "a.ipynb").read_text())["cells"]
