"""The environment that a stored model asks for, made once by `uv` and kept by its digest."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from workbench.errors import DataError, NotFoundError, UsageError
from workbench.gates.parity.recorded import Recorded
from workbench.tracking import read_json
from workbench.tracking.environments import make_environment

__all__ = ["stored_environment"]


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
    files = {"requirements.txt": wanted, "constraints.txt": pins}
    install = ("-r", "requirements.txt", "-c", "constraints.txt")
    try:
        python, _ = make_environment(folder, sys.executable, files, install)
    except UsageError as error:
        raise DataError(
            f"the stored requirements can't be installed: {error}; or let the policy say "
            'parity.environment = "same"'
        ) from error
    return python


def _pins(recorded: Recorded) -> str:
    try:
        environment = read_json(recorded.project, recorded.run_id, "environment.json")
    except NotFoundError:
        return ""  # logged outside of a job: only what the model names itself is pinned
    direct = set(environment.get("direct", {}))
    packages = sorted(environment["packages"].items())
    return "".join(f"{name}=={version}\n" for name, version in packages if name not in direct)
