"""A cell tagged `function` becomes a version when the notebook runs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from workbench.functions import get, versions_of
from workbench.jobs import JobRequest, run_jobs
from workbench.project import Project

GOOD = '''
def doubled(x: float) -> float:
    """Twice as much.

    >>> doubled(2.0)
    4.0
    """
    return 2 * x
'''
BAD = """
def untold(x: float) -> float:
    return x
"""


def written(path: Path, *tagged: str) -> str:
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in tagged]
    for cell in cells:
        cell.metadata.tags = ["function"]
    plain = nbformat.v4.new_code_cell("def private(x):\n    return x")
    path.parent.mkdir(exist_ok=True)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[*cells, plain], metadata=kernel), path)
    return f"notebooks/{path.name}"


def test_a_tagged_cell_becomes_a_function(
    blank_project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    notebook = written(blank_project.root / "notebooks" / "f.ipynb", GOOD, BAD)
    [job] = run_jobs(blank_project, [JobRequest(notebook)])
    assert job.state == "succeeded"
    assert get("doubled@1", blank_project)(4.0) == 8.0
    assert versions_of(blank_project, "private") == []
    assert "a function is not registered" in caplog.text
    assert "untold" in caplog.text
