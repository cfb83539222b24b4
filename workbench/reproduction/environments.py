"""The packages of a run, installed again from its record by `uv`, or compared with those here.

The record has the version of every package that was there: that is a lock, and the environment is
kept under its digest. Workbench itself is never fetched by its name from an index, which may have
something else under it: it is linked from where it runs.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import workbench
from workbench.errors import UsageError
from workbench.project import Project
from workbench.reproduction.records import PackageChange
from workbench.tracking.capture.environment import Environment
from workbench.tracking.environments import make_environment

__all__ = ["changed_machine", "changed_packages", "left_out", "lock_lines", "rebuild_environment"]

_OURS = "jupyter-workbench"
_MACHINE = {"architecture": "architecture", "cpu": "processor", "cores": "cores", "os": "system"}


def lock_lines(environment: Environment) -> list[str]:
    """Write the recorded packages as exact requirements, without those that can't be fetched."""
    missing = set(left_out(environment))
    return [
        f"{name} @ {environment.direct[name]}" if name in environment.direct else f"{name}=={v}"
        for name, v in sorted(environment.packages.items())
        if name not in missing and name != _OURS
    ]


def left_out(environment: Environment) -> list[str]:
    """List the recorded packages that nobody can fetch: they were installed from a folder."""
    return [
        name
        for name, address in environment.direct.items()
        if name != _OURS and (address.startswith("file:") or address == "unknown")
    ]


def rebuild_environment(
    project: Project, environment: Environment, say: Callable[[str], None]
) -> Path:
    """Make an environment with just the recorded packages, unless there is one; return its Python.

    Raises
    ------
    UsageError
        If `uv` isn't there, or can't install what is recorded.
    """
    lines = lock_lines(environment)
    home = Path(workbench.__file__).resolve().parent
    text = "\n".join([f"python {environment.python}", str(home), *lines])
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    folder = project.state / "environments" / digest
    here = platform.python_version() == environment.python
    say(f"environment {digest}: {len(lines)} packages, by uv")
    try:
        python, there = make_environment(
            folder,
            sys.executable if here else environment.python,
            {"lock.txt": "".join(f"{line}\n" for line in lines)},
            ("--no-deps", "-r", "lock.txt") if lines else (),
            lambda beside: _link_workbench(beside, home),
        )
    except UsageError as error:
        raise UsageError(
            f"the recorded environment can't be made again: {error}; --same-env compares with the "
            "present one"
        ) from error
    say(f"environment {digest}: {'made before' if there else 'installed'}")
    return python


def _link_workbench(folder: Path, home: Path) -> None:
    """Let the environment have the Workbench that runs here, with its entry points."""
    [packages] = (folder / "lib").glob("python*/site-packages")
    (packages / home.name).symlink_to(home, target_is_directory=True)
    try:
        told = Path(str(getattr(importlib.metadata.distribution(_OURS), "_path", "")))
    except importlib.metadata.PackageNotFoundError:
        return  # it isn't installed here either, but on the path
    if told.name.endswith(".dist-info"):
        shutil.copytree(told, packages / told.name, ignore=shutil.ignore_patterns("RECORD"))


def changed_packages(
    recorded: Environment, now: Environment, first: Sequence[str] = ()
) -> list[PackageChange]:
    """List Python and the packages whose version isn't the recorded one.

    Parameters
    ----------
    first
        The packages that count most, the model's own: they come first.
    """
    before = {"python": recorded.python, **recorded.packages}
    after = {"python": now.python, **now.packages}
    names = sorted({*before, *after}, key=lambda name: (name not in ("python", *first), name))
    return [
        PackageChange(name=name, recorded=before.get(name), now=after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]


def changed_machine(recorded: Environment, now: Environment) -> list[str]:
    """Say what of the machine isn't as it was: its arithmetic may end in other last digits."""
    return [
        f"{word}: {getattr(recorded, name)}, now {getattr(now, name)}"
        for name, word in _MACHINE.items()
        if getattr(recorded, name) != getattr(now, name)
    ]
