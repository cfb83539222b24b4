"""Which imported modules are the user's own: code that a run depends on and no package is."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

__all__ = ["local_modules"]

_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_WORKBENCH = os.path.join(str(Path(__file__).resolve().parents[1]), "")  # noqa: PTH118


def local_modules(modules: Mapping[str, ModuleType], root: Path) -> list[Path]:
    """List the source files of the imported modules that are the user's own.

    That is neither the standard library nor what is installed: files of the project, of folders
    put on `sys.path`, and of packages installed in editable form. What has no source, built in or
    compiled, has no place here. Nothing is imported to find out, nor is any module asked: lazy
    ones would load.

    Parameters
    ----------
    modules
        What is imported, by name: `sys.modules`.
    root
        The project, whose own path may have a `site-packages` in it.
    """
    project = os.path.join(str(root.resolve()), "")  # noqa: PTH118
    files = {file for module in list(modules.values()) if (file := _source(module))}
    return sorted(Path(file) for file in files if _is_own(file, project) and os.path.isfile(file))  # noqa: PTH113


def _source(module: object) -> str | None:
    try:
        names = object.__getattribute__(module, "__dict__")
        file = names.get("__file__")
    except AttributeError:
        return None  # anything can be put into sys.modules, None too
    if not isinstance(file, str) or not file.endswith((".py", ".pyw")):
        return None
    return os.path.abspath(file)  # noqa: PTH100


def _is_own(file: str, project: str) -> bool:
    if file.startswith(_standard_library()):
        return False
    inside = file.startswith(project)
    if file.startswith(_WORKBENCH) and not inside:
        return False
    below = file.removeprefix(project.rstrip(os.sep)) if inside else file
    return not any(folder in below for folder in _INSTALLED)


@cache
def _standard_library() -> tuple[str, ...]:
    """Where Python's own modules are; an environment has them from the Python that it is of."""
    folders = {
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("platstdlib"),
        str(Path(os.__file__).parent),
    }
    folders |= {os.path.realpath(folder) for folder in folders}
    return tuple(os.path.join(folder, "") for folder in folders)  # noqa: PTH118
