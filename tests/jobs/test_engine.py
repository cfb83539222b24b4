"""The engine's notebook is papermill's, cell for cell; what differs is better and is listed."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError

from tests.jobs.fidelity import NOTEBOOKS, notebook
from tests.jobs.notebooks import KERNEL, write_notebook
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
# - What a task prints after its cell has ended is in its cell; papermill drops it.


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


def test_what_comes_late_is_in_the_cell_that_it_is_of(tmp_path: Path) -> None:
    cells = [
        "import asyncio, threading, time\nasync def late():\n"
        "    await asyncio.sleep(0.2); print('task')\n"
        "task = asyncio.create_task(late()); print('soon')",
        "def later(): time.sleep(0.2); print('thread')\n"
        "threading.Thread(target=later).start(); await asyncio.sleep(0.4)",
    ]
    given = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=KERNEL)
    done = _execute(tmp_path, given, "workbench", assignment=Assignment(folder=tmp_path))
    assert [cell.outputs[0].text for cell in done.cells] == ["soon\ntask\n", "thread\n"]
    assert [cell.outputs for cell in replay(tmp_path).cells] == [c.outputs for c in done.cells]


_FAILED = ["completed", "completed", "failed", "pending"]
COMMANDS = {
    "fine": (["print(x * 2)"], 0, "", ["completed"] * 3),
    "error": (["1 / 0", "2"], 1, "ZeroDivisionError: division by zero", _FAILED),
    "killed": (["import os; os.kill(os.getpid(), 9)", "2"], 138, "DeadKernelError", _FAILED),
    "left": (["import sys; sys.exit(0)", "2"], 1, "SystemExit", _FAILED),
}
"""Cells, papermill's exit code, what it says and the states of all cells, parameters included."""


@pytest.fixture(scope="module")
def commands(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, tuple[Path, subprocess.Popen[str]]]:
    """papermill's own command, with our engine, at work on all of them."""
    started = {}
    for name, (cells, *_) in COMMANDS.items():
        folder = tmp_path_factory.mktemp(name)
        given = write_notebook(folder / "in.ipynb", *cells, parameters="x = 1")
        command = [
            "papermill",
            "--engine",
            "workbench",
            given,
            folder / "out.ipynb",
            "-p",
            "x",
            "3",
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", *map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started[name] = (folder, process)
    return started


@pytest.mark.parametrize("name", COMMANDS)
def test_the_engine_from_papermills_command_line(name: str, commands: Any) -> None:
    _, code, said, states = COMMANDS[name]
    folder, process = commands[name]
    output, _ = process.communicate(timeout=60)
    assert process.returncode == code, output
    assert said in output
    executed = nbformat.read(folder / "out.ipynb", as_version=4)
    marked = "papermill-error-cell-tag"
    cells = [cell for cell in executed.cells if marked not in cell.metadata.tags]
    assert [cell.metadata.papermill.status for cell in cells] == states
    if name == "fine":
        assert cells[-1].outputs[0].text == "6\n"
    assert ("papermill-error-cell" in executed.cells[0].source) == (name == "error")
