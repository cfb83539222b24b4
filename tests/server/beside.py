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

_CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


def install_beside(folder: Path) -> dict[str, str]:
    """Install them into an environment of their own; return the variables that lead Jupyter there.

    What they need is installed as well, in the versions that we are tested with: that there are
    such is a part of what is tested. Where nothing can be installed the test is skipped.
    """
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("no uv: nothing can be installed beside")
    subprocess.run([uv, "venv", "--quiet", f"--python={sys.executable}", folder], check=True)
    python = folder / "bin" / "python"
    done = subprocess.run(
        [uv, "pip", "install", "--quiet", f"--python={python}", "-c", _CONSTRAINTS, *BESIDE],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if "Failed to fetch" in done.stderr:
        pytest.skip(f"no network: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    [packages] = folder.glob("lib/python*/site-packages")
    path = [str(packages), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "PYTHONPATH": os.pathsep.join(path),
        "JUPYTER_PATH": str(folder / "share" / "jupyter"),
        "JUPYTER_CONFIG_PATH": str(folder / "etc" / "jupyter"),
    }
