"""Other extensions of JupyterLab's, installed beside the environment and not in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

__all__ = ["BESIDE", "install_beside"]

BESIDE = {"jupyterlab-git": "jupyterlab_git", "jupyter-scheduler": "jupyter_scheduler"}
"""Packages, and their server extensions."""

_NEEDED = ("jupyterlab-git-core", "croniter", "python-dateutil", "pytz", "six")
"""What they ask for that we don't; the rest is in our own environment."""


def install_beside(folder: Path) -> dict[str, str]:
    """Install them into a folder; return the environment in which Jupyter finds them.

    Where nothing can be installed the test is skipped.
    """
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("no uv: nothing can be installed beside")
    command = [uv, "pip", "install", "--quiet", "--no-deps", f"--python={sys.executable}"]
    done = subprocess.run(
        [*command, f"--target={folder}", *BESIDE, *_NEEDED],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        pytest.skip(f"can't be installed here: {done.stderr[-300:]}")
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {
        "PYTHONPATH": path,
        "JUPYTER_PATH": str(folder / "share" / "jupyter"),
        "JUPYTER_CONFIG_PATH": str(folder / "etc" / "jupyter"),
    }
