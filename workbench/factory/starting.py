"""Notebooks to start an experiment from: a copy of a template, without what it printed.

A project's templates are the notebooks in `notebooks/templates/`, and any of its other notebooks
can be copied as well; one that trains a small model comes with Workbench.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import shorten
from typing import Literal

import nbformat
from pydantic import BaseModel, ConfigDict

from workbench.access import require
from workbench.errors import NotebookError, NotFoundError, UsageError
from workbench.factory.scaffold import template_file
from workbench.project import Project

__all__ = ["NotebookTemplate", "list_notebook_templates", "start_notebook"]

_NOTEBOOKS = "notebooks"
_OURS = "first"
_NAME = re.compile(r"[\w][\w .-]{0,99}")
_LONGEST = 200

Origin = Literal["template", "workbench", "notebook"]


class NotebookTemplate(BaseModel):
    """A notebook to start from; `id` says it to `start_notebook`."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    description: str
    origin: Origin


def list_notebook_templates(project: Project) -> list[NotebookTemplate]:
    """List what one can start from: the project's templates, ours, the project's notebooks."""
    return [
        NotebookTemplate(id=name, origin=origin, **_described(path))
        for name, (path, origin) in _templates(project).items()
    ]


def start_notebook(project: Project, template: str, name: str) -> Path:
    """Copy a template to `notebooks/NAME.ipynb` and return where it is, from the project's root.

    Raises
    ------
    NotFoundError
        If there is no such template.
    UsageError
        If the name is none that a file can have everywhere, or there is such a file.
    NotebookError
        If the template isn't a notebook.
    ForbiddenError
        If the user may only look.
    """
    require(project, "developer", f"start notebook {name!r}")
    templates = _templates(project)
    if template not in templates:
        raise NotFoundError.named("template", template, templates)
    stem = name.strip().removesuffix(".ipynb")
    if not _NAME.fullmatch(stem):
        raise UsageError(f"{name!r}: expected letters, digits, spaces, and . _ - after the first")
    content = _read(templates[template][0])
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    path = project.root / _NOTEBOOKS / f"{stem}.ipynb"
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(nbformat.writes(content) + "\n")
    except FileExistsError as error:
        raise UsageError(f"{_NOTEBOOKS}/{path.name}: there is one already") from error
    except OSError as error:
        raise UsageError(f"{_NOTEBOOKS}/{path.name}: can't be made: {error.strerror}") from error
    return path.relative_to(project.root)


def _templates(project: Project) -> dict[str, tuple[Path, Origin]]:
    ours = template_file("blank", f"{_NOTEBOOKS}/{_OURS}.ipynb")
    found: dict[str, tuple[Path, Origin]] = {
        f"template:{path.stem}": (path, "template") for path in _in(project, "templates")
    }
    found[f"workbench:{_OURS}"] = (ours, "workbench")
    found |= {f"notebook:{path.stem}": (path, "notebook") for path in _in(project, "")}
    return found


def _in(project: Project, folder: str) -> Iterator[Path]:
    """Give the notebooks of a folder that don't lead out of the project."""
    root = project.root.resolve()
    for path in sorted((project.root / _NOTEBOOKS / folder).glob("*.ipynb")):
        if path.resolve().is_relative_to(root):
            yield path


def _described(path: Path) -> dict[str, str]:
    """Read a notebook's heading, and the first paragraph below it."""
    try:
        content = _read(path)
    except NotebookError:
        return {"title": path.stem, "description": ""}
    texts = (cell.source for cell in content.cells if cell.cell_type == "markdown")
    first, _, rest = next(texts, "").strip().partition("\n")
    paragraph = " ".join(rest.strip().partition("\n\n")[0].split()).replace("`", "")
    said = shorten(paragraph, _LONGEST, placeholder=" …")
    return {"title": first.lstrip("# ").strip() or path.stem, "description": said}


def _read(path: Path) -> nbformat.NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises whatever its parsers do
        raise NotebookError(f"{path.name}: not a notebook: {error}") from error
