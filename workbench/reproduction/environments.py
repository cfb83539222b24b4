"""The packages of a run, installed again from its record by `uv`, or compared with those here.

The record has the version of every package that was there: that is a lock, and the environment is
kept under its digest. Workbench itself is never fetched by its name from an index, which may have
something else under it: it is linked from where it runs.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import workbench
from workbench.errors import UsageError
from workbench.project import Project
from workbench.reproduction.records import PackageChange
from workbench.store import file_lock
from workbench.tracking.capture.environment import Environment

__all__ = ["changed_machine", "changed_packages", "left_out", "lock_lines", "rebuild_environment"]

_OURS = "jupyter-workbench"
_MACHINE = {"architecture": "architecture", "cpu": "processor", "cores": "cores", "os": "system"}
_OTHERS = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX")


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
    with file_lock(folder.with_name(f"{digest}.lock")):
        if (folder / "bin" / "python").exists():
            say(f"environment {digest}: {len(lines)} packages, made before")
            return folder / "bin" / "python"
        uv = _uv()
        for old in folder.parent.glob(f".{digest}.*.tmp"):  # of somebody who was killed
            shutil.rmtree(old, ignore_errors=True)
        say(f"environment {digest}: {len(lines)} packages, installed by uv")
        beside = folder.with_name(f".{digest}.{uuid4().hex[:12]}.tmp")
        try:
            _make(uv, beside, environment, lines)
            _link_workbench(beside, home)
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return folder / "bin" / "python"


def _uv() -> str:
    found = shutil.which(os.environ.get("UV") or "uv")
    if found is None:
        raise UsageError(
            "uv is not installed, which makes the recorded environment again: pip install uv, "
            "or compare with the present environment by --same-env"
        )
    return found


def _make(uv: str, folder: Path, environment: Environment, lines: Sequence[str]) -> None:
    folder.mkdir(parents=True)
    lock = folder / "lock.txt"
    here = platform.python_version() == environment.python
    python = sys.executable if here else environment.python
    _run(uv, folder, "venv", "--quiet", "--allow-existing", "--relocatable", "--python", python)
    lock.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    if lines:
        into = str(folder / "bin" / "python")
        _run(uv, folder, "pip", "install", "--quiet", "--no-deps", "--python", into, "-r", lock)


def _run(uv: str, folder: Path, *arguments: str | Path) -> None:
    target = [str(folder)] if arguments[0] == "venv" else []
    done = subprocess.run(
        [uv, *map(str, arguments), *target],
        cwd=folder.parent,
        env={name: value for name, value in os.environ.items() if name not in _OTHERS},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[:400] or f"exit code {done.returncode}"
        raise UsageError(
            f"the recorded environment can't be made again: uv: {said}; "
            "--same-env compares with the present one"
        )


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
