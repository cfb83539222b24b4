"""The engine's notebook is papermill's, cell for cell; what differs is better and is listed."""

from __future__ import annotations

import copy
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError

from tests.jobs.fidelity import NOTEBOOKS, notebook
from workbench.jobs.engine.execution import Assignment, WorkbenchEngine
from workbench.jobs.engine.files import INPUT
from workbench.jobs.engine.journal import follow, progress, read, replay, states

# What differs from papermill 2.7, and why it is better:
# - Chunks of one stream that follow each other are one output. papermill keeps them as the kernel
#   happened to send them, so the same notebook gives another file each time.
# - A job's notebook has no cells of papermill's around the one that failed: its cells are counted
#   as in the record. With papermill's own command line they are there.
# - A cell's expected exception (tag `raises-exception`) doesn't fail the job; papermill goes on
#   after it, and then says that the notebook failed.
# - What a thread prints after its cell has ended is in its cell; papermill drops it.


@pytest.fixture(scope="module", autouse=True)
def engine() -> None:
    papermill_engines.register("workbench", WorkbenchEngine)


def _execute(folder: Path, cells: Any, engine: str | None, **options: Any) -> Any:
    """Execute with papermill, and read what it wrote."""
    nbformat.write(cells, folder / INPUT)
    output = folder / "executed.ipynb"
    target = None if options else output
    with suppress(PapermillExecutionError):
        papermill.execute_notebook(
            str(folder / INPUT), target, engine_name=engine, progress_bar=False, **options
        )
    executed = nbformat.read(output, as_version=4)
    marked = [c for c in executed.cells if "papermill-error-cell-tag" in c.metadata.tags]
    executed.cells = [cell for cell in executed.cells if cell not in marked]
    return executed


def _plain(executed: Any) -> Any:
    """Leave out what differs from one execution to the next."""
    plain = copy.deepcopy(executed)
    plain.metadata.pop("papermill")
    widgets = plain.metadata.pop("widgets", {})
    for cell in plain.cells:
        cell.pop("id")
        cell.metadata.pop("execution", None)
        record = cell.metadata.pop("papermill", {})
        cell.state = (record.get("status"), record.get("exception"))
        if "outputs" in cell:
            cell.outputs = _merged(cell.outputs)
    models = widgets.get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    plain.models = []
    found = _anonymous(plain)
    found["models"] = sorted(map(_model, _anonymous(list(models.values()))), key=repr)
    return found


def _merged(outputs: list[Any]) -> list[Any]:
    merged: list[Any] = []
    for output in outputs:
        last = merged[-1] if merged else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def _model(model: Any) -> Any:
    state = {key: value for key, value in model["state"].items() if key != "msg_id"}
    return {**model, "state": state}


def _anonymous(value: Any) -> Any:
    """Give the ids that a kernel invents (of widgets, of cells in a traceback) one name."""
    if isinstance(value, dict):
        return {key: _anonymous(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_anonymous(item) for item in value]
    if isinstance(value, str):
        return re.sub(r"ipykernel_\d+/\d+|[0-9a-f]{32}", "ID", value)
    return value


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_cell_comes_out_as_from_papermill(name: str, tmp_path: Path) -> None:
    theirs = _execute(tmp_path, notebook(name), None)
    job = tmp_path / "job"
    job.mkdir()
    ours = _execute(job, notebook(name), "workbench", assignment=Assignment(folder=job))
    expected, found = _plain(theirs), _plain(ours)
    for there, here in zip(expected["cells"], found["cells"], strict=True):
        assert here == there
    assert found == expected

    for cell in ours.cells:
        cell.metadata.pop("execution", None)  # when the kernel said what; not in the journal
    again = replay(job)
    assert again.cells == ours.cells
    for key in ("widgets", "language_info"):
        assert again.metadata.get(key) == ours.metadata.get(key)
    assert states(job) == [cell.metadata.papermill.status for cell in ours.cells]
    assert progress(job) == (states(job).count("completed"), len(ours.cells))
    assert list(follow(job, ended=lambda: True)) == list(read(job))
