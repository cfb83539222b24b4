"""Small notebooks for tests, written where they are needed."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def write_notebook(
    path: Path, *sources: str, parameters: str | None = None, kernel: str = "python3"
) -> Path:
    """Write a notebook of code cells, with a parameters cell in front if there is one."""
    tagged = [new_code_cell(parameters, metadata={"tags": ["parameters"]})] if parameters else []
    cells = [*tagged, *(new_code_cell(source) for source in sources)]
    metadata = {"kernelspec": {**KERNEL["kernelspec"], "name": kernel}}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
    return path
