"""Environments made by `uv`: each once, whole or not there, and kept by what is in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from workbench.errors import UsageError
from workbench.store import file_lock

__all__ = ["make_environment"]

_OTHERS = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX")
"""What would lead uv, or a new environment's Python, to another one."""


def make_environment(
    folder: Path,
    python: str,
    files: Mapping[str, str],
    install: Sequence[str],
    finish: Callable[[Path], None] = lambda _: None,
) -> tuple[Path, bool]:
    """Make the environment at `folder`, unless it is there; return its Python, and whether it was.

    Parameters
    ----------
    python
        The interpreter, or its version.
    files
        What is written into the folder first, by name: lists of packages.
    install
        How `uv pip install` is asked, in that folder; nothing is installed if it is empty.
    finish
        Called with the folder before it gets its name.

    Raises
    ------
    UsageError
        If `uv` isn't there, or can't make it; nothing is left of it then.
    """
    with file_lock(folder.with_name(f"{folder.name}.lock")):
        known = folder / "bin" / "python"
        if known.exists():
            return known, True
        uv = shutil.which(os.environ.get("UV") or "uv")
        if uv is None:
            raise UsageError("uv is not installed, which makes environments: pip install uv")
        for old in folder.parent.glob(f".{folder.name}.*.tmp"):  # of somebody who was killed
            shutil.rmtree(old, ignore_errors=True)
        beside = folder.with_name(f".{folder.name}.{uuid4().hex[:12]}.tmp")
        try:
            beside.mkdir(parents=True)
            for name, text in files.items():
                (beside / name).write_text(text, encoding="utf-8")
            options = ("--quiet", "--allow-existing", "--relocatable", "--python", python)
            _run(beside, uv, "venv", *options, ".")
            if install:
                into = ("--quiet", "--python", "bin/python")
                _run(beside, uv, "pip", "install", *into, *install)
            finish(beside)
            beside.rename(folder)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return known, False


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name not in _OTHERS},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[:400] or f"exit code {done.returncode}"
        raise UsageError(f"uv: {said}")
