"""What one starts from the launcher: experiments from templates, and dashboards."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import NotFoundError
from workbench.factory.starting import NotebookTemplate, list_notebook_templates
from workbench.factory.starting import start_notebook as start
from workbench.panels.voila import dashboards
from workbench.project import Project
from workbench.server.operation import Operation

__all__ = ["OPERATIONS"]


class DashboardTile(BaseModel):
    """A dashboard that this server can show."""

    model_config = ConfigDict(frozen=True)

    name: str
    address: str = Field(description="from the server's base address")


class Launchable(BaseModel):
    """What a project offers to start with."""

    model_config = ConfigDict(frozen=True)

    templates: list[NotebookTemplate]
    dashboards: list[DashboardTile]


class NewNotebook(BaseModel):
    """Which template to copy, and what the copy is called."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    template: str
    name: str = Field(min_length=1, max_length=120)


class StartedNotebook(BaseModel):
    """Where the copy is, from the project's root."""

    model_config = ConfigDict(frozen=True)

    notebook: str


def list_launchable(project: Project, served: Path) -> Launchable:
    """List the notebooks to start an experiment from, and the dashboards to open."""
    return Launchable(
        templates=list_notebook_templates(project), dashboards=_dashboards(project, served)
    )


def start_notebook(project: Project, body: NewNotebook) -> StartedNotebook:
    """Copy a template into the project's notebooks."""
    path = start(project, body.template, body.name)
    return StartedNotebook(notebook=path.as_posix())


def _dashboards(project: Project, served: Path) -> list[DashboardTile]:
    """List the notebooks that Voila can show inside this server: those below what it serves."""
    try:
        folder, top = dashboards(project).resolve(), served.resolve()
    except NotFoundError:
        return []
    if find_spec("voila") is None or not folder.is_relative_to(top):
        return []
    return [
        DashboardTile(
            name=path.stem, address=f"voila/render/{quote(path.relative_to(top).as_posix())}"
        )
        for path in sorted(folder.glob("*.ipynb"))
    ]


OPERATIONS = (
    Operation("GET", "/launcher", list_launchable),
    Operation("POST", "/notebooks", start_notebook, status=201),
)
