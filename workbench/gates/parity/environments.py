"""The environment that a stored model asks for, made once by `uv` and kept by its digest."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from workbench.errors import DataError, NotFoundError
from workbench.gates.parity.recorded import Recorded
from workbench.store import file_lock
from workbench.tracking import read_json

__all__ = ["stored_environment"]

_OTHERS = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX")


def stored_environment(recorded: Recorded) -> Path:
    """Return the Python of an environment with the model's requirements and nothing of ours.

    What they need in turn is pinned to what the run recorded of its own environment.

    Raises
    ------
    DataError
        If `uv` isn't there, or can't install them.
    """
    wanted = (recorded.folder / "requirements.txt").read_text(encoding="utf-8")
    pins = _pins(recorded)
    text = f"{sys.version_info[:2]}\n{wanted}\n{pins}"
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    folder = recorded.project.state / "environments" / f"model-{digest}"
    with file_lock(folder.with_suffix(".lock")):
        if not (folder / "bin" / "python").exists():
            _make(folder, wanted, pins)
    return folder / "bin" / "python"


def _pins(recorded: Recorded) -> str:
    try:
        environment = read_json(recorded.project, recorded.run_id, "environment.json")
    except NotFoundError:
        return ""  # logged outside of a job: only what the model names itself is pinned
    direct = set(environment.get("direct", {}))
    packages = sorted(environment["packages"].items())
    return "".join(f"{name}=={version}\n" for name, version in packages if name not in direct)


def _make(folder: Path, wanted: str, pins: str) -> None:
    uv = shutil.which(os.environ.get("UV") or "uv")
    if uv is None:
        raise DataError(
            "uv is not installed, which makes the stored environment: pip install uv, or let the "
            'policy say parity.environment = "same"'
        )
    for old in folder.parent.glob(f".{folder.name}.*.tmp"):  # of somebody who was killed
        shutil.rmtree(old, ignore_errors=True)
    beside = folder.with_name(f".{folder.name}.{uuid4().hex[:12]}.tmp")
    try:
        beside.mkdir(parents=True)
        asked, limits = beside / "requirements.txt", beside / "constraints.txt"
        asked.write_text(wanted, encoding="utf-8")
        limits.write_text(pins, encoding="utf-8")
        _run(
            uv,
            "venv",
            "--quiet",
            "--allow-existing",
            "--relocatable",
            "--python",
            sys.executable,
            beside,
        )
        into = beside / "bin" / "python"
        _run(uv, "pip", "install", "--quiet", "--python", into, "-r", asked, "-c", limits)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        list(map(str, command)),
        env={name: value for name, value in os.environ.items() if name not in _OTHERS},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[:400] or f"exit code {done.returncode}"
        raise DataError(f"the stored requirements can't be installed: uv: {said}")
