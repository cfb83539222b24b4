"""New projects from a template: a folder, its files, a first commit; all of it or nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4

import tomlkit

import workbench
from workbench.errors import NotFoundError, UsageError
from workbench.git import Repository
from workbench.project import SETTINGS_FILE, Project

__all__ = ["create_project", "list_templates", "template_file"]

_BLANK = "blank"


def list_templates() -> list[str]:
    """List the templates there are."""
    return sorted(path.name for path in (_notebooks() / "templates").iterdir() if path.is_dir())


def template_file(template: str, name: str) -> Path:
    """Return where a file of a template is."""
    return _notebooks() / "templates" / template / name


def create_project(directory: Path, template: str = _BLANK) -> Project:
    """Make a project in `directory`, which must not exist yet or be empty.

    It is made beside and renamed: a call that is cut short leaves no half of a project.

    Raises
    ------
    NotFoundError
        If there is no such template.
    UsageError
        If the folder holds something, or can't be made.
    """
    if template not in list_templates():
        raise NotFoundError.named("template", template, list_templates())
    directory = directory.expanduser().resolve()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise UsageError(
            f"{directory}: not empty; name a new folder (an existing repository becomes a project "
            f'with a {SETTINGS_FILE} of one line: name = "…")'
        )
    beside = directory.with_name(f".{directory.name}.{uuid4().hex[:8]}.tmp")
    try:
        _fill(beside, template, directory.name)
        beside.replace(directory)
    except OSError as error:
        raise UsageError(f"{directory}: can't be made: {error.strerror}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Project.find(directory)


def _fill(folder: Path, template: str, name: str) -> None:
    source = _notebooks()
    shutil.copytree(source / "templates" / template, folder, ignore=_never_copied)
    shutil.copytree(
        source / "dashboards", folder / "notebooks" / "dashboards", ignore=_never_copied
    )
    if template == _BLANK:
        settings = tomlkit.parse((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
        settings["name"] = name
        (folder / SETTINGS_FILE).write_text(tomlkit.dumps(settings), encoding="utf-8")
    Repository.init(folder).commit(["."], f"Start from Workbench's {template} template")


def _notebooks() -> Path:
    """The notebooks that come with Workbench: in the package, or in a clone's own folder."""
    package = Path(workbench.__file__).parent
    installed = package / "_notebooks"
    return installed if installed.is_dir() else package.parent / "notebooks"


_never_copied = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", ".virtual_documents")
