"""The kernel that people choose in JupyterLab: "Python 3 (Workbench, warm)"."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "NAME", "install", "specification"]

NAME = "workbench-python3"
FOLDER = Path(__file__).with_name("kernelspec")
"""Holds `kernel.json`, which the wheel installs under `share/jupyter/kernels`."""


def specification() -> dict[str, Any]:
    """Return the kernel's specification."""
    found: dict[str, Any] = json.loads((FOLDER / "kernel.json").read_text(encoding="utf-8"))
    return found


def install(prefix: Path | None = None, *, user: bool = False) -> Path:
    """Install it where the wheel hasn't; return the folder that Jupyter finds it in."""
    from jupyter_client.kernelspec import KernelSpecManager

    manager = KernelSpecManager()
    where = manager.install_kernel_spec(
        str(FOLDER), NAME, user=user, prefix=str(prefix) if prefix else None
    )
    return Path(where)
