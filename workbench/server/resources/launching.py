"""What one starts an experiment from: notebooks to copy."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from workbench.factory.starting import NotebookTemplate, list_notebook_templates
from workbench.factory.starting import start_notebook as start
from workbench.project import Project
from workbench.server.operation import Operation

__all__ = ["OPERATIONS"]


class NewNotebook(BaseModel):
    """Which template to copy, and what the copy is called."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    template: str
    name: str = Field(min_length=1, max_length=120)


class StartedNotebook(BaseModel):
    """Where the copy is, from the project's root."""

    model_config = ConfigDict(frozen=True)

    notebook: str


def list_templates(project: Project) -> list[NotebookTemplate]:
    """List the notebooks to start an experiment from."""
    return list_notebook_templates(project)


def start_notebook(project: Project, body: NewNotebook) -> StartedNotebook:
    """Copy a template into the project's notebooks."""
    path = start(project, body.template, body.name)
    return StartedNotebook(notebook=path.as_posix())


OPERATIONS = (
    Operation("GET", "/notebook-templates", list_templates),
    Operation("POST", "/notebooks", start_notebook, status=201),
)
