"""Peers live in environments of their own, since they need other versions than we do."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from workbench.errors import UsageError

__all__ = ["peer_python"]

CACHE = Path(__file__).parents[2] / ".bench"


def peer_python(name: str, requirements: Sequence[str], *, cache: Path = CACHE) -> Path:
    """Give the Python of an environment with `requirements`, made once and then kept in `cache`.

    Pin the versions: what they are is what is measured.

    Raises
    ------
    UsageError
        If there is no `uv` to make it with.
    """
    digest = hashlib.sha256("\n".join(requirements).encode()).hexdigest()[:12]
    folder = cache / f"{name}-{digest}"
    python, complete = folder / "bin" / "python", folder / ".complete"
    if not complete.exists():
        own = Path(sys.executable).parent  # where `make install` puts one, if the PATH has none
        uv = shutil.which("uv", path=f"{own}{os.pathsep}{os.environ.get('PATH', '')}")
        if uv is None:
            raise UsageError("making a peer's environment needs uv: pip install uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", folder], check=True)
        if requirements:
            command = [uv, "pip", "install", "--quiet", "--python", python, *requirements]
            subprocess.run(command, check=True)
        complete.touch()
    return python
